"""What is applied to every element, each with its derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from assay.contract import Array


class Activation(NamedTuple):
    """A function of every element.

    Attributes:
        function: Inputs to outputs.
        slope: Outputs to the derivative at the inputs that they belong to.

    """

    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def relu(inputs: Array) -> Array:
    """Keep what is positive."""
    return np.maximum(inputs, np.float32(0))


def sigmoid(inputs: Array) -> Array:
    """Take the exponential of negative numbers alone, which cannot overflow."""
    one, small = np.float32(1), np.exp(-np.abs(inputs))
    return np.where(inputs >= 0, one, small) / (one + small)


def softmax(logits: Array) -> Array:
    """Subtract the largest of each row, so that no exponential overflows."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


ACTIVATIONS = {
    None: Activation(lambda inputs: inputs, np.ones_like),
    "relu": Activation(relu, lambda outputs: (outputs > 0).astype(np.float32)),
    "tanh": Activation(np.tanh, lambda outputs: 1 - outputs * outputs),
    "sigmoid": Activation(sigmoid, lambda outputs: outputs * (1 - outputs)),
}
