"""The document's models, their gradients, and training on given batches.

The same code runs in float64, where it is the definition, and in float32, where it measures rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import autograd.numpy as np
from autograd import value_and_grad

from assay.spec.semantics import convolution, descent, layers, losses, recurrence
from assay.spec.semantics.layers import Array
from assay.spec.semantics.optimizers import Adam

Parameters = dict[str, Array]


@dataclass(frozen=True)
class Model:
    """One of the document's models.

    Attributes:
        shapes: Shape of every parameter, by canonical name.
        axes: Names of the axes of each parameter. Axes with the same name can be reordered together. Axes named `row`
            and `column` can be reversed. Axes of time, gates, characters, classes and output units keep their order.
        input_axes: Meaning of each axis of an example.
        split: Shapes that match `axes`, if `shapes` or an example combine several axes into one.
        layer_outputs: Function from (parameters, inputs) to the output of every layer, in order.
        loss: Function from (parameters, inputs, targets) to the mean loss of the batch; None if it is in `q_learning`.
        optimizer: `sgd` or `adam`.
        decisions: Function from (parameters, inputs) to the margin of each decision of a ReLU or a maximum, by layer.

    """

    shapes: Mapping[str, tuple[int, ...]]
    axes: Mapping[str, tuple[str, ...]]
    input_axes: tuple[str, ...]
    layer_outputs: Callable[[Parameters, Array], dict[str, Array]]
    loss: Callable[[Parameters, Array, Array], Array] | None
    optimizer: str
    decisions: Callable[[Parameters, Array], dict[str, Array]]
    split: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def _linear_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    return {"dense": layers.dense(inputs, parameters["dense/kernel"], parameters["dense/bias"])}


def _linear_loss(parameters: Parameters, inputs: Array, targets: Array) -> Array:
    return losses.mean_squared_error(targets, _linear_outputs(parameters, inputs)["dense"])


def _no_decisions(_parameters: Parameters, _inputs: Array) -> dict[str, Array]:
    return {}


def _mlp_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    flatten = layers.flatten(inputs)
    dense1 = layers.dense(flatten, parameters["dense1/kernel"], parameters["dense1/bias"], "relu")
    dense2 = layers.dense(dense1, parameters["dense2/kernel"], parameters["dense2/bias"])
    return {"flatten": flatten, "dense1": dense1, "dense2": dense2, "softmax": layers.softmax(dense2)}


def _mlp_loss(parameters: Parameters, inputs: Array, targets: Array) -> Array:
    return _mean_crossentropy(_mlp_outputs(parameters, inputs), targets)


def _mlp_decisions(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    linear = layers.dense(layers.flatten(inputs), parameters["dense1/kernel"], parameters["dense1/bias"])
    return {"dense1": np.abs(linear)}


# Lines 306 and 313.
_POOL = ((2, 2), (2, 2))


def _cnn_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    def convolution_of(name: str, before: Array) -> Array:
        kernel, bias = parameters[f"{name}/kernel"], parameters[f"{name}/bias"]
        return convolution.conv2d(before, kernel, bias, padding="same", activation="relu")

    conv1 = convolution_of("conv1", inputs)
    pool1 = convolution.max_pool2d(conv1, *_POOL)
    conv2 = convolution_of("conv2", pool1)
    pool2 = convolution.max_pool2d(conv2, *_POOL)
    flatten = layers.flatten(pool2)
    dense1 = layers.dense(flatten, parameters["dense1/kernel"], parameters["dense1/bias"], "relu")
    dense2 = layers.dense(dense1, parameters["dense2/kernel"], parameters["dense2/bias"])
    return {
        "conv1": conv1,
        "pool1": pool1,
        "conv2": conv2,
        "pool2": pool2,
        "flatten": flatten,
        "dense1": dense1,
        "dense2": dense2,
        "softmax": layers.softmax(dense2),
    }


def _cnn_loss(parameters: Parameters, inputs: Array, targets: Array) -> Array:
    return _mean_crossentropy(_cnn_outputs(parameters, inputs), targets)


def _cnn_decisions(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    outputs = _cnn_outputs(parameters, inputs)
    linear = {
        name: convolution.conv2d(before, parameters[f"{name}/kernel"], parameters[f"{name}/bias"], padding="same")
        for name, before in (("conv1", inputs), ("conv2", outputs["pool1"]))
    }
    linear["dense1"] = layers.dense(outputs["flatten"], parameters["dense1/kernel"], parameters["dense1/bias"])
    gaps = {f"pool{i}": convolution.lead_of_largest(outputs[f"conv{i}"], *_POOL) for i in (1, 2)}
    return {name: np.abs(value) for name, value in linear.items()} | gaps


# Units (line 534), and the number of characters of the Nietzsche text in lower case.
UNITS = 256
NUM_CHARS = 57


def rnn_shapes(num_chars: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the RNN's parameters for a number of characters."""
    return {
        "cell/kernel": (num_chars, 4 * UNITS),
        "cell/recurrent_kernel": (UNITS, 4 * UNITS),
        "cell/bias": (4 * UNITS,),
        "dense/kernel": (UNITS, num_chars),
        "dense/bias": (num_chars,),
    }


def _rnn_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    kernel, recurrent_kernel, bias = (parameters[f"cell/{name}"] for name in ("kernel", "recurrent_kernel", "bias"))
    one_hot = layers.one_hot(inputs, parameters["dense/bias"].shape[0]).astype(kernel.dtype)
    cell = recurrence.lstm(one_hot, kernel, recurrent_kernel, bias).hidden[:, -1]
    dense = layers.dense(cell, parameters["dense/kernel"], parameters["dense/bias"])
    return {"one_hot": one_hot, "cell": cell, "dense": dense, "softmax": layers.softmax(dense)}


def _rnn_loss(parameters: Parameters, inputs: Array, targets: Array) -> Array:
    return _mean_crossentropy(_rnn_outputs(parameters, inputs), targets)


# The dense layers of the Q-network, with their activations (lines 703 to 705).
_Q_NETWORK = {"dense1": "relu", "dense2": "relu", "dense3": None}


def _q_network_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    outputs = {}
    for name, activation in _Q_NETWORK.items():
        inputs = layers.dense(inputs, parameters[f"{name}/kernel"], parameters[f"{name}/bias"], activation)
        outputs[name] = inputs
    return outputs


def _q_network_decisions(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    outputs = {"inputs": inputs} | _q_network_outputs(parameters, inputs)
    return {
        name: np.abs(layers.dense(outputs[before], parameters[f"{name}/kernel"], parameters[f"{name}/bias"]))
        for name, before in (("dense1", "inputs"), ("dense2", "dense1"))
    }


# The strides of the two convolutions (Mnih and others, 2013, section 4.1).
Q_CNN_STRIDES = {"conv1": (4, 4), "conv2": (2, 2)}


def _q_cnn_linear(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    """Return the output of the layers with parameters, before activation."""
    linear = {}
    for name, strides in Q_CNN_STRIDES.items():
        kernel, bias = parameters[f"{name}/kernel"], parameters[f"{name}/bias"]
        linear[name] = convolution.conv2d(inputs, kernel, bias, strides=strides)
        inputs = layers.relu(linear[name])
    inputs = layers.flatten(inputs)
    for name in ("dense1", "dense2"):
        linear[name] = layers.dense(inputs, parameters[f"{name}/kernel"], parameters[f"{name}/bias"])
        inputs = layers.relu(linear[name])
    return linear


def _q_cnn_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    linear = _q_cnn_linear(parameters, inputs)
    conv1, conv2, dense1 = (layers.relu(linear[name]) for name in ("conv1", "conv2", "dense1"))
    return {
        "conv1": conv1,
        "conv2": conv2,
        "flatten": layers.flatten(conv2),
        "dense1": dense1,
        "dense2": linear["dense2"],
    }


def _q_cnn_decisions(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    linear = _q_cnn_linear(parameters, inputs)
    return {name: np.abs(linear[name]) for name in ("conv1", "conv2", "dense1")}


def _mean_crossentropy(outputs: dict[str, Array], targets: Array) -> Array:
    return np.mean(losses.sparse_categorical_crossentropy(targets, outputs["softmax"]))


MODELS = {
    # Lines 47 to 74: three features in, one unit out.
    "linear": Model(
        shapes={"dense/kernel": (3, 1), "dense/bias": (1,)},
        axes={"dense/kernel": ("feature", "unit"), "dense/bias": ("unit",)},
        input_axes=("feature",),
        layer_outputs=_linear_outputs,
        loss=_linear_loss,
        optimizer="sgd",
        decisions=_no_decisions,
    ),
    # Lines 163 to 175.
    "mlp": Model(
        shapes={
            "dense1/kernel": (784, 100),
            "dense1/bias": (100,),
            "dense2/kernel": (100, 10),
            "dense2/bias": (10,),
        },
        axes={
            "dense1/kernel": ("feature", "hidden"),
            "dense1/bias": ("hidden",),
            "dense2/kernel": ("hidden", "class"),
            "dense2/bias": ("class",),
        },
        input_axes=("feature",),
        split={"inputs": (784,)},
        layer_outputs=_mlp_outputs,
        loss=_mlp_loss,
        optimizer="adam",
        decisions=_mlp_decisions,
    ),
    # Lines 297 to 327.
    "cnn": Model(
        shapes={
            "conv1/kernel": (5, 5, 1, 32),
            "conv1/bias": (32,),
            "conv2/kernel": (5, 5, 32, 64),
            "conv2/bias": (64,),
            "dense1/kernel": (7 * 7 * 64, 1024),
            "dense1/bias": (1024,),
            "dense2/kernel": (1024, 10),
            "dense2/bias": (10,),
        },
        axes={
            "conv1/kernel": ("row", "column", "channel", "filter1"),
            "conv1/bias": ("filter1",),
            "conv2/kernel": ("row", "column", "filter1", "filter2"),
            "conv2/bias": ("filter2",),
            "dense1/kernel": ("row", "column", "filter2", "hidden"),
            "dense1/bias": ("hidden",),
            "dense2/kernel": ("hidden", "class"),
            "dense2/bias": ("class",),
        },
        input_axes=("row", "column", "channel"),
        split={"dense1/kernel": (7, 7, 64, 1024)},
        layer_outputs=_cnn_outputs,
        loss=_cnn_loss,
        optimizer="adam",
        decisions=_cnn_decisions,
    ),
    # Lines 528 to 546: characters in, one of them out.
    "rnn": Model(
        shapes=rnn_shapes(NUM_CHARS),
        axes={
            "cell/kernel": ("character", "gate", "hidden"),
            "cell/recurrent_kernel": ("hidden", "gate", "hidden"),
            "cell/bias": ("gate", "hidden"),
            "dense/kernel": ("hidden", "character"),
            "dense/bias": ("character",),
        },
        input_axes=("time",),
        split={
            # Works for any number of characters.
            "cell/kernel": (-1, 4, UNITS),
            "cell/recurrent_kernel": (UNITS, 4, UNITS),
            "cell/bias": (4, UNITS),
        },
        layer_outputs=_rnn_outputs,
        loss=_rnn_loss,
        optimizer="adam",
        decisions=_no_decisions,
    ),
    # Lines 700 to 711.
    "q_network": Model(
        shapes={
            "dense1/kernel": (4, 24),
            "dense1/bias": (24,),
            "dense2/kernel": (24, 24),
            "dense2/bias": (24,),
            "dense3/kernel": (24, 2),
            "dense3/bias": (2,),
        },
        axes={
            "dense1/kernel": ("feature", "hidden1"),
            "dense1/bias": ("hidden1",),
            "dense2/kernel": ("hidden1", "hidden2"),
            "dense2/bias": ("hidden2",),
            "dense3/kernel": ("hidden2", "unit"),
            "dense3/bias": ("unit",),
        },
        input_axes=("feature",),
        layer_outputs=_q_network_outputs,
        loss=None,
        optimizer="adam",
        decisions=_q_network_decisions,
    ),
    # Line 774: 84 by 84 pixels of four frames in, four actions out.
    "q_cnn": Model(
        shapes={
            "conv1/kernel": (8, 8, 4, 16),
            "conv1/bias": (16,),
            "conv2/kernel": (4, 4, 16, 32),
            "conv2/bias": (32,),
            "dense1/kernel": (9 * 9 * 32, 256),
            "dense1/bias": (256,),
            "dense2/kernel": (256, 4),
            "dense2/bias": (4,),
        },
        axes={
            "conv1/kernel": ("row", "column", "frame", "filter1"),
            "conv1/bias": ("filter1",),
            "conv2/kernel": ("row", "column", "filter1", "filter2"),
            "conv2/bias": ("filter2",),
            "dense1/kernel": ("row", "column", "filter2", "hidden"),
            "dense1/bias": ("hidden",),
            "dense2/kernel": ("hidden", "unit"),
            "dense2/bias": ("unit",),
        },
        input_axes=("row", "column", "frame"),
        split={"dense1/kernel": (9, 9, 32, 256)},
        layer_outputs=_q_cnn_outputs,
        loss=None,
        optimizer="adam",
        decisions=_q_cnn_decisions,
    ),
}


def layer_outputs(model: str, parameters: Parameters, inputs: Array) -> dict[str, Array]:
    """Return the output of every layer, by name and in order."""
    return MODELS[model].layer_outputs(parameters, inputs)


def loss_and_gradients(model: str, parameters: Parameters, inputs: Array, targets: Array) -> tuple[Array, Parameters]:
    """Return the mean loss of a batch, and its gradients by differentiating it."""
    loss, gradients = value_and_grad(MODELS[model].loss)(parameters, inputs, targets)
    return loss, gradients


def train(
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    learning_rate: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> tuple[Array, Parameters]:
    """Train on given batches with a new optimizer (lines 69 to 74 and 220 to 228).

    Args:
        model: Name of the model, a key of `MODELS`.
        parameters: Parameters before the first step.
        inputs: [steps, batch, ...].
        targets: [steps, batch, ...].
        learning_rate: Learning rate of the optimizer.
        adam: Form of Adam, where the optimizer is Adam.

    Returns:
        Loss of every batch before its step, [steps], and the parameters after the last step.

    """
    return descent.ends(steps(model, parameters, inputs, targets, learning_rate, adam=adam))


def steps(
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    learning_rate: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> Iterator[descent.Step]:
    """Yield a step for each batch of a training."""
    gradients = (
        lambda parameters, batch=batch, target=target: loss_and_gradients(model, parameters, batch, target)
        for batch, target in zip(inputs, targets, strict=True)
    )
    return descent.descend(MODELS[model].optimizer, parameters, gradients, learning_rate, adam=adam)
