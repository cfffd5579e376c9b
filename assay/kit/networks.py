"""The document's models as data, from which an adapter builds layers without writing out the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from assay.contract import Array, ModelName, Padding, Parameters

Kind = Literal["flatten", "dense", "conv2d", "max_pool2d", "one_hot", "lstm", "softmax"]
LSTM_UNITS = 256
# The contract's default number of characters of an RNN.
NUM_CHARS = 57


@dataclass(frozen=True)
class Layer:
    """One layer of a model.

    Attributes:
        name: Name in `layer_outputs`, and prefix of the parameters' names.
        kind: Kind of the layer.
        inputs: Length of the last axis of its input, if it has parameters.
        units: Length of the last axis of its output: units, filters, or the depth of one-hot.
        window: Height and width of its window.
        stride: Stride of the window in both directions.
        padding: Padding of its window.
        relu: Whether it ends with a ReLU.

    """

    name: str
    kind: Kind
    inputs: int = 0
    units: int = 0
    window: int = 0
    stride: int = 1
    padding: Padding = "valid"
    relu: bool = False

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter by its short name, in the contract's layout."""
        match self.kind:
            case "dense":
                return {"kernel": (self.inputs, self.units), "bias": (self.units,)}
            case "conv2d":
                return {"kernel": (self.window, self.window, self.inputs, self.units), "bias": (self.units,)}
            case "lstm":
                gates = 4 * self.units
                return {"kernel": (self.inputs, gates), "recurrent_kernel": (self.units, gates), "bias": (gates,)}
        return {}


def layers(model: ModelName, num_chars: int = NUM_CHARS, inputs: int = 3) -> tuple[Layer, ...]:
    """Return the layers of a model, in order.

    Args:
        model: Name of the model.
        num_chars: Number of characters, for `rnn` only.
        inputs: Number of features, for `linear` only.

    """
    softmax = Layer("softmax", "softmax")
    match model:
        case "linear":
            return (Layer("dense", "dense", inputs, 1),)
        case "mlp":
            return (
                Layer("flatten", "flatten"),
                Layer("dense1", "dense", 784, 100, relu=True),
                Layer("dense2", "dense", 100, 10),
                softmax,
            )
        case "cnn":
            return (
                Layer("conv1", "conv2d", 1, 32, window=5, padding="same", relu=True),
                Layer("pool1", "max_pool2d", window=2, stride=2),
                Layer("conv2", "conv2d", 32, 64, window=5, padding="same", relu=True),
                Layer("pool2", "max_pool2d", window=2, stride=2),
                Layer("flatten", "flatten"),
                Layer("dense1", "dense", 7 * 7 * 64, 1024, relu=True),
                Layer("dense2", "dense", 1024, 10),
                softmax,
            )
        case "rnn":
            return (
                Layer("one_hot", "one_hot", units=num_chars),
                Layer("cell", "lstm", num_chars, LSTM_UNITS),
                Layer("dense", "dense", LSTM_UNITS, num_chars),
                softmax,
            )
        case "q_network":
            return (
                Layer("dense1", "dense", 4, 24, relu=True),
                Layer("dense2", "dense", 24, 24, relu=True),
                Layer("dense3", "dense", 24, 2),
            )
        case "q_cnn":
            return (
                Layer("conv1", "conv2d", 4, 16, window=8, stride=4, relu=True),
                Layer("conv2", "conv2d", 16, 32, window=4, stride=2, relu=True),
                Layer("flatten", "flatten"),
                Layer("dense1", "dense", 9 * 9 * 32, 256, relu=True),
                Layer("dense2", "dense", 256, 4),
            )


def layers_for(model: ModelName, parameters: Parameters) -> tuple[Layer, ...]:
    """Return the layers of a model that fit its parameters, since the sizes of `linear` and `rnn` vary."""
    match model:
        case "linear":
            return layers(model, inputs=len(parameters["dense/kernel"]))
        case "rnn":
            return layers(model, len(parameters["dense/bias"]))
    return layers(model)


def draw_parameters(
    model: ModelName, num_chars: int, draw: Callable[[str, tuple[int, ...]], Array]
) -> dict[str, Array]:
    """Draw the parameters of a new model: those of `linear` are zeros, as in the document.

    Args:
        model: Name of the model.
        num_chars: Number of characters, for `rnn` only.
        draw: Function from the short name of a parameter (`kernel`, `recurrent_kernel`, `bias`) and its shape to its
            value. The framework's initializers draw here, in the order of the calls.

    """
    found = {
        f"{layer.name}/{name}": draw("bias" if model == "linear" else name, shape)
        for layer in layers(model, num_chars)
        for name, shape in layer.shapes.items()
    }
    for name, shape in parameter_shapes(model, num_chars).items():
        if found[name].shape != shape:
            msg = f"{name}: expected shape {list(shape)}, got {list(found[name].shape)}"
            raise ValueError(msg)
    return found


def parameter_shapes(model: ModelName, num_chars: int = NUM_CHARS) -> Mapping[str, tuple[int, ...]]:
    """Return the shape of every parameter of a model by its canonical name."""
    return {f"{layer.name}/{name}": shape for layer in layers(model, num_chars) for name, shape in layer.shapes.items()}


def is_classifier(model: ModelName) -> bool:
    """Whether the model ends in a softmax, whose logits the loss can take."""
    return layers(model)[-1].kind == "softmax"
