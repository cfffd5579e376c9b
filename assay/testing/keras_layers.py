"""Small Keras layers and models with known results, and comparisons of what they return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.contract import Array


def create_layer(keras: GroupProxy, call: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - a layer of the namespace
    """Create a layer that computes `call(inputs)`."""
    namespace: Any = keras.namespace

    class MyLayer(namespace.layers.Layer):  # type: ignore[misc]  # a class of whatever namespace it is
        def call(self, inputs: Any) -> Any:  # noqa: ANN401 - a tensor
            return call(inputs)

    return MyLayer()


def doubling_layer(keras: GroupProxy) -> Any:  # noqa: ANN401
    """Create a layer that doubles its inputs."""
    return create_layer(keras, lambda inputs: inputs * 2)


def incrementing_layer(keras: GroupProxy) -> Any:  # noqa: ANN401
    """Create a layer that adds 1 to its inputs."""
    return create_layer(keras, lambda inputs: inputs + 1)


def dense_of_ones(keras: GroupProxy, units: int, **options: Any) -> Any:  # noqa: ANN401
    """Create a Dense layer with weights of 1 and without a bias: each unit returns the sum of the inputs."""
    return keras.namespace.layers.Dense(units, use_bias=False, kernel_initializer="ones", **options)


def run(keras: GroupProxy, model: Any, *inputs: Array) -> Any:  # noqa: ANN401
    """Call a model on one or several arrays, and return its output or outputs as arrays."""
    tensors = [*map(keras.to_tensor, inputs)]
    outputs = model(tensors if len(tensors) > 1 else tensors[0])
    return [*map(keras.to_numpy, outputs)] if isinstance(outputs, list | tuple) else keras.to_numpy(outputs)


def compile_model(keras: GroupProxy, model: Any) -> Any:  # noqa: ANN401
    """Compile a model with SGD and a learning rate of 1/4, so that small numbers stay exact in float32."""
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.25)
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    return model


def assert_same_objects(what: str, actual: Sequence[Any], expected: Sequence[Any]) -> None:
    """Check that two lists contain the same objects, in the same order.

    Args:
        what: Name of the list, for the message.
        actual: List of the implementation.
        expected: Objects that it must contain.

    Raises:
        NonConformanceError: The lists differ in an object or in their lengths.

    """
    __tracebackhide__ = True
    if len(actual) != len(expected) or any(one is not other for one, other in zip(actual, expected, strict=True)):
        msg = f"{what} is {actual}, expected {expected}"
        raise NonConformanceError(msg)


def shapes(variables: Iterable[Any]) -> list[tuple[int, ...]]:
    """Return the shapes of variables."""
    return [tuple(variable.shape) for variable in variables]
