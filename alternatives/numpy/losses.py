"""Mean losses of a batch, each with its gradient for what the network puts out."""

from __future__ import annotations

import numpy as np

from assay.contract import Array


def mean_squared_error(targets: Array, predictions: Array) -> tuple[Array, Array]:
    """Compare numbers of one shape."""
    errors = predictions - targets
    return np.mean(errors * errors), errors * np.float32(2 / errors.size)


def crossentropy(labels: Array, logits: Array) -> tuple[Array, Array]:
    """Compare labels [batch] with the softmax of logits [batch, classes].

    Taken together, softmax and logarithm lose nothing where a probability is near 0, and the gradient is short.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=-1, keepdims=True)
    place = np.arange(len(labels)), labels
    gradient = exponentials / sums
    gradient[place] -= 1
    return np.mean(np.log(sums[:, 0]) - shifted[place]), gradient / np.float32(len(labels))


def q_loss(y: Array, actions: Array, values: Array) -> tuple[Array, Array]:
    """Compare y [batch] with the values [batch, actions] of the actions that were taken."""
    place = np.arange(len(actions)), actions
    loss, to_taken = mean_squared_error(y, values[place])
    gradient = np.zeros_like(values)
    gradient[place] = to_taken
    return loss, gradient
