"""Mean losses of a batch, each with its gradient for the network's outputs."""

from __future__ import annotations

import numpy as np

from assay.contract import Array


def mean_squared_error(targets: Array, predictions: Array) -> tuple[Array, Array]:
    """Return the mean squared error of two arrays of one shape."""
    errors = predictions - targets
    return np.mean(errors * errors), errors * np.float32(2 / errors.size)


def crossentropy(labels: Array, logits: Array) -> tuple[Array, Array]:
    """Return the mean cross-entropy of labels [batch] and logits [batch, classes].

    Combining softmax and logarithm keeps the accuracy for probabilities near 0, and the gradient is simple.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=-1, keepdims=True)
    place = np.arange(len(labels)), labels
    gradient = exponentials / sums
    gradient[place] -= 1
    return np.mean(np.log(sums[:, 0]) - shifted[place]), gradient / np.float32(len(labels))


def q_loss(y: Array, actions: Array, values: Array) -> tuple[Array, Array]:
    """Return the loss of the taken actions' values, given y [batch] and all values [batch, actions]."""
    place = np.arange(len(actions)), actions
    loss, to_taken = mean_squared_error(y, values[place])
    gradient = np.zeros_like(values)
    gradient[place] = to_taken
    return loss, gradient
