"""The document's LinearLayer, and checks of custom layers, for the tests of custom layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.contract import Array
from assay.spec import vectors
from assay.spec.error_bounds import rounding
from assay.spec.semantics.initializers import glorot_limit
from assay.testing.chances import chance_of_draws
from assay.testing.thresholds import FALSE_ALARM

PROGRAM = vectors.read("linear_model")
X, Y = np.array(PROGRAM["X"], np.float32), np.array(PROGRAM["y"], np.float32)
LEARNING_RATE = PROGRAM["learning_rate"]
# Shape of a kernel with enough elements that the largest comes near the limit of its distribution.
MANY = (50, 60)


def document_class(keras: GroupProxy) -> Any:  # noqa: ANN401 - a class of the namespace
    """Return the document's LinearLayer, whose attribute `build_shape` records the argument of `build`."""

    class LinearLayer(keras.namespace.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int) -> None:
            super().__init__()
            self.units = units

        def build(self, input_shape: Any) -> None:  # noqa: ANN401 - its type depends on the version of Keras
            self.build_shape = input_shape
            self.w = self.add_weight(name="w", shape=[input_shape[-1], self.units], initializer="zeros")
            self.b = self.add_weight(name="b", shape=[self.units], initializer="zeros")

        def call(self, inputs: Any) -> Any:  # noqa: ANN401 - a tensor
            return keras.operations.matmul(inputs, self.w) + self.b

    return LinearLayer


def document_layer(keras: GroupProxy, units: int = 1, inputs: Array = X) -> Any:  # noqa: ANN401 - a layer of the namespace
    """Return the document's layer after a first call."""
    layer = document_class(keras)(units)
    layer(keras.to_tensor(inputs))
    return layer


def run(keras: GroupProxy, layer: Any, inputs: Array = X) -> Any:  # noqa: ANN401 - whatever the layer returned
    """Call a layer or a model on inputs."""
    return keras.to_numpy(layer(keras.to_tensor(inputs)))


def compile_model(keras: GroupProxy, model: Any) -> Any:  # noqa: ANN401 - a model of the namespace
    """Compile a model with SGD and the mean squared error, to run eagerly, and return it."""
    model.compile(optimizer=keras.namespace.optimizers.SGD(LEARNING_RATE), loss="mse", run_eagerly=True)
    return model


def shapes(owner: Any) -> list[tuple[int, ...]]:  # noqa: ANN401 - a layer or a model
    """Return the shapes of the variables of a layer or a model."""
    return [tuple(variable.shape) for variable in owner.variables]


def base_name(variable: Any) -> str:  # noqa: ANN401 - a variable of the namespace
    """Return the name of a variable without the layer's name and the number that Keras 2 adds."""
    return str(variable.name).split("/")[-1].split(":")[0]


def assert_same_variables(actual: Sequence[Any], expected: Sequence[Any]) -> None:
    """Check that two lists hold the same variable objects in the same order.

    Raises:
        NonConformanceError: They hold different objects, or in a different order.

    """
    __tracebackhide__ = True
    if list(map(id, actual)) != list(map(id, expected)):
        msg = f"expected the same variables as {expected}, got {actual}"
        raise NonConformanceError(msg)


def assert_glorot_uniform(kernel: Array) -> None:
    """Check that the 3,000 elements of a kernel are uniform in Glorot's interval, and most of them distinct.

    Args:
        kernel: Kernel of a new layer, of the shape `MANY`.

    Raises:
        NonConformanceError: An element is outside the interval, or the elements do not look random.

    """
    __tracebackhide__ = True
    limit = glorot_limit(*MANY)
    if not (largest := np.abs(kernel).max()) <= limit * (1 + rounding.gamma(rounding.SQRT)):
        msg = f"an element of the kernel is {largest:.6g}, expected at most {limit:.6g} in absolute value"
        raise NonConformanceError(msg)
    probability = chance_of_draws(kernel.ravel(), -limit, limit)
    if not probability > FALSE_ALARM:
        msg = f"uniform draws look this uneven with probability {probability:.3g}"
        raise NonConformanceError(msg)
    if not len(np.unique(kernel)) > kernel.size / 2:
        msg = "at most half of the elements are distinct"
        raise NonConformanceError(msg)
