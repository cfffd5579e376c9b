"""Layers that behave differently in training: batch normalisation and dropout (line 360).

Every function keeps the floating-point type of its inputs, and can be differentiated.
"""

from __future__ import annotations

from typing import NamedTuple

import autograd.numpy as np

from assay.spec.semantics.layers import Array

# The defaults of `tf.keras.layers.BatchNormalization`.
MOMENTUM = 0.99
EPSILON = 1e-3


class Statistics(NamedTuple):
    """Mean and variance of every channel.

    Attributes:
        mean: [channels].
        variance: [channels].

    """

    mean: Array
    variance: Array


def statistics(inputs: Array) -> Statistics:
    """Return mean and variance of a batch [..., channels] over all axes but the last."""
    axes = tuple(range(inputs.ndim - 1))
    mean = np.mean(inputs, axis=axes)
    return Statistics(mean, np.mean((inputs - mean) ** 2, axis=axes))


def batch_normalization(inputs: Array, gamma: Array, beta: Array, moving: Statistics, *, training: bool) -> Array:
    """Normalise every channel: gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
    shift", 2015, algorithms 1 and 2. Training uses the statistics of the batch, inference the moving ones.

    Args:
        inputs: [..., channels].
        gamma: Scale, [channels].
        beta: Offset, [channels].
        moving: Moving statistics.
        training: Whether to use the statistics of the batch rather than the moving ones.

    Returns:
        The shape of `inputs`.

    """
    mean, variance = statistics(inputs) if training else moving
    return gamma * (inputs - mean) / np.sqrt(variance + EPSILON) + beta


def update_moving_statistics(inputs: Array, moving: Statistics) -> tuple[Statistics, Statistics]:
    """Return the moving statistics after a batch: momentum times the old ones plus (1 - momentum) times the batch's.

    The document does not say which variance of the batch is used, and frameworks differ. Keras 3 uses the biased
    variance, divided by n. Keras 2's fused kernel and PyTorch use the unbiased variance, divided by n - 1.

    Returns:
        The statistics with the variance over n, and the statistics with the variance over n - 1.

    """
    batch = statistics(inputs)
    count = inputs.size // inputs.shape[-1]
    mean = _towards(moving.mean, batch.mean)
    unbiased = batch.variance * (count / max(count - 1, 1))
    return (
        Statistics(mean, _towards(moving.variance, batch.variance)),
        Statistics(mean, _towards(moving.variance, unbiased)),
    )


def _towards(moving: Array, batch: Array) -> Array:
    number = batch.dtype.type
    return number(MOMENTUM) * moving + number(1 - MOMENTUM) * batch


def dropout(inputs: Array, kept: Array, rate: float) -> Array:
    """Apply dropout in training: divide the elements in `kept` by 1 - rate, and set the others to 0 (line 336).

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 10. Scaling is
    done in training, so that inference needs none.
    """
    return np.where(kept, inputs / inputs.dtype.type(1 - rate), 0)
