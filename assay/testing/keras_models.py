"""Models of a Keras namespace: the document's MLP and CNN in three forms, and a model that returns its inputs."""

from __future__ import annotations

from typing import Any

from assay.contract import Array, Parameters
from assay.spec.semantics.models import MODELS

FORMS = ("subclassed", "sequential", "functional")


def mlp_layers(layers: Any) -> list[Any]:  # noqa: ANN401 - the module `layers` of any namespace, and its layers
    """Make the layers of the MLP (lines 785 to 788)."""
    return [layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(10), layers.Softmax()]


def cnn_layers(layers: Any) -> list[Any]:  # noqa: ANN401
    """Make the layers of the CNN (lines 300 to 318)."""
    return [
        layers.Conv2D(filters=32, kernel_size=[5, 5], padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=[2, 2], strides=2),
        layers.Conv2D(filters=64, kernel_size=[5, 5], padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=[2, 2], strides=2),
        layers.Reshape(target_shape=(7 * 7 * 64,)),
        layers.Dense(units=1024, activation="relu"),
        layers.Dense(units=10),
        layers.Softmax(),
    ]


LAYERS = {"mlp": mlp_layers, "cnn": cnn_layers}


def connect_layers(namespace: Any, form: str, layers: list[Any], input_shape: tuple[int, ...]) -> Any:  # noqa: ANN401
    """Make a model that calls layers one after the other.

    Args:
        namespace: A Keras namespace.
        form: One of `FORMS`.
        layers: Layers in their order.
        input_shape: Shape of an example, without the batch.

    """
    if form == "sequential":
        return namespace.Sequential(layers)
    if form == "functional":
        inputs = namespace.Input(shape=input_shape)
        return namespace.Model(inputs=inputs, outputs=_through(layers, inputs))

    class Subclassed(namespace.Model):  # type: ignore[misc]  # a class of whatever namespace it is
        def __init__(self) -> None:
            super().__init__()
            # A model finds its layers among its attributes.
            for number, layer in enumerate(layers):
                setattr(self, f"layer{number}", layer)

        def call(self, inputs: Any) -> Any:  # noqa: ANN401 - a tensor
            return _through(layers, inputs)

    return Subclassed()


def _through(layers: list[Any], tensor: Any) -> Any:  # noqa: ANN401 - a tensor, symbolic or not
    for layer in layers:
        tensor = layer(tensor)
    return tensor


def build(namespace: Any, form: str, name: str) -> Any:  # noqa: ANN401 - a model of the namespace
    """Make the MLP or the CNN in one of the forms, given its name in the definition."""
    return connect_layers(namespace, form, LAYERS[name](namespace.layers), (28, 28, 1))


def load(model: Any, name: str, parameters: Parameters) -> None:  # noqa: ANN401
    """Copy parameters of the definition into a built model, whose variables have the same order."""
    model.set_weights([parameters[key] for key in MODELS[name].shapes])


def evaluate_identity(
    namespace: Any,  # noqa: ANN401
    inputs: Array,
    targets: Array,
    *,
    loss: Any,  # noqa: ANN401 - a loss in any form
    **options: Any,  # noqa: ANN401 - options of compile, and `sample_weight`
) -> dict[str, float]:
    """Evaluate a model that returns its inputs, and return loss and metrics by name."""
    weights = options.pop("sample_weight", None)
    model = namespace.Sequential([namespace.layers.Flatten()])
    model.compile(optimizer="sgd", loss=loss, run_eagerly=True, **options)
    results: dict[str, float] = model.evaluate(
        inputs, targets, sample_weight=weights, batch_size=3, verbose=0, return_dict=True
    )
    return results
