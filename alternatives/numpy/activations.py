"""Elementwise activation functions with their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from assay.contract import Array


class Activation(NamedTuple):
    """An elementwise function.

    Attributes:
        function: Function from inputs to outputs.
        slope: Function from outputs to the derivative at the corresponding inputs.

    """

    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def relu(inputs: Array) -> Array:
    """Return max(x, 0) of every element."""
    return np.maximum(inputs, np.float32(0))


def sigmoid(inputs: Array) -> Array:
    """Return the sigmoid, with the exponential of negative numbers only, which cannot overflow."""
    one, small = np.float32(1), np.exp(-np.abs(inputs))
    return np.where(inputs >= 0, one, small) / (one + small)


def softmax(logits: Array) -> Array:
    """Return the softmax, after subtracting the largest of each row, so that no exponential overflows."""
    # A difference beyond the largest float32 is minus infinity, whose exponential is right.
    with np.errstate(over="ignore"):
        differences = logits - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(differences)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


ACTIVATIONS = {
    None: Activation(lambda inputs: inputs, np.ones_like),
    "relu": Activation(relu, lambda outputs: (outputs > 0).astype(np.float32)),
    "tanh": Activation(np.tanh, lambda outputs: 1 - outputs * outputs),
    "sigmoid": Activation(sigmoid, lambda outputs: outputs * (1 - outputs)),
}
