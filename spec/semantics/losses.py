"""Losses of the document."""

from __future__ import annotations

import autograd.numpy as np

from assay.spec.semantics.layers import Array

# Keras clips probabilities to this distance from 0 and 1 before it takes their logarithm (`keras.config.epsilon()`).
EPSILON = 1e-7


def categorical_crossentropy(targets: Array, probabilities: Array) -> Array:
    """H(y, p) = -sum_i y_i ln p_i of each example (line 234): two arrays [batch, classes] to [batch].

    A class whose target is 0 adds nothing, whatever its probability.
    """
    logarithms = np.log(np.where(targets == 0, 1, probabilities))
    return -np.sum(targets * logarithms, axis=-1)


def sparse_categorical_crossentropy(labels: Array, probabilities: Array) -> Array:
    """-ln of the label's probability (line 236): [batch] of int and [batch, classes] to [batch]."""
    return -np.log(probabilities[np.arange(len(labels)), labels])


def mean_squared_error(targets: Array, predictions: Array) -> Array:
    """Mean over all elements of (predictions - targets)^2 (line 72): two arrays of one shape to a scalar."""
    return np.mean((predictions - targets) ** 2)
