"""What the document's models compute, their gradients, and training them on given batches.

The same code runs in float64, where it is the definition, and in float32, where it measures rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import autograd.numpy as np
from autograd import value_and_grad

from spec.semantics import layers, losses, optimizers
from spec.semantics.layers import Array

Parameters = dict[str, Array]


@dataclass(frozen=True)
class Model:
    """One of the document's models.

    Attributes:
        shapes: of every parameter, by canonical name.
        axes: what each axis of a parameter runs over. Axes of one name can be put in another order together.
        layer_outputs: (parameters, inputs) to the output of every layer, in order.
        loss: (parameters, inputs, targets) to the mean loss of the batch.
        optimizer: `sgd` or `adam`.

    """

    shapes: Mapping[str, tuple[int, ...]]
    axes: Mapping[str, tuple[str, ...]]
    layer_outputs: Callable[[Parameters, Array], dict[str, Array]]
    loss: Callable[[Parameters, Array, Array], Array]
    optimizer: str


def _linear_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    return {"dense": layers.dense(inputs, parameters["dense/kernel"], parameters["dense/bias"])}


def _linear_loss(parameters: Parameters, inputs: Array, targets: Array) -> Array:
    return losses.mean_squared_error(targets, _linear_outputs(parameters, inputs)["dense"])


def _mlp_outputs(parameters: Parameters, inputs: Array) -> dict[str, Array]:
    flatten = layers.flatten(inputs)
    dense1 = layers.dense(flatten, parameters["dense1/kernel"], parameters["dense1/bias"], "relu")
    dense2 = layers.dense(dense1, parameters["dense2/kernel"], parameters["dense2/bias"])
    return {"flatten": flatten, "dense1": dense1, "dense2": dense2, "softmax": layers.softmax(dense2)}


def _mlp_loss(parameters: Parameters, inputs: Array, targets: Array) -> Array:
    probabilities = _mlp_outputs(parameters, inputs)["softmax"]
    return np.mean(losses.sparse_categorical_crossentropy(targets, probabilities))


MODELS = {
    # Lines 47 to 74: three features in, one unit out.
    "linear": Model(
        shapes={"dense/kernel": (3, 1), "dense/bias": (1,)},
        axes={"dense/kernel": ("feature", "unit"), "dense/bias": ("unit",)},
        layer_outputs=_linear_outputs,
        loss=_linear_loss,
        optimizer="sgd",
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
        layer_outputs=_mlp_outputs,
        loss=_mlp_loss,
        optimizer="adam",
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
    model: str, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
) -> tuple[Array, Parameters]:
    """Train on given batches with a new optimizer (lines 69 to 74 and 220 to 228).

    Args:
        model: which.
        parameters: before the first step.
        inputs: [steps, batch, ...].
        targets: [steps, batch, ...].
        learning_rate: of the optimizer.

    Returns:
        [steps], the loss of every batch before its step, and the parameters after the last.

    """
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in parameters.items()}
    curve = []
    for step, (batch, target) in enumerate(zip(inputs, targets, strict=True), start=1):
        loss, gradients = loss_and_gradients(model, parameters, batch, target)
        curve.append(loss)
        updated = {}
        for name, value in parameters.items():
            if MODELS[model].optimizer == "sgd":
                updated[name] = optimizers.sgd_step(value, gradients[name], learning_rate)
            else:
                updated[name], first, second = optimizers.adam_step(
                    value, gradients[name], *moments[name], step, learning_rate
                )
                moments[name] = first, second
        parameters = updated
    return np.array(curve), parameters
