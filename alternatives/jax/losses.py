"""Losses."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from assay.contract import Array


def mean_squared_error(targets: jax.Array | Array, predictions: jax.Array | Array) -> jax.Array:
    """Return the mean squared error of two arrays of one shape."""
    return jnp.mean(jnp.square(predictions - targets))


def crossentropy(labels: jax.Array, logits: jax.Array) -> jax.Array:
    """Return the mean cross-entropy of labels [batch] and logits [batch, classes].

    Combining softmax and logarithm keeps the accuracy for probabilities near 0.
    """
    return -pick(jax.nn.log_softmax(logits), labels).mean()


def pick(values: jax.Array | Array, places: jax.Array | Array) -> jax.Array:
    """Pick one value of each row of [batch, n]."""
    return jnp.take_along_axis(values, places[:, None], axis=1)[:, 0]


@jax.jit
def number_right(labels: jax.Array, scores: jax.Array) -> jax.Array:
    """Count the rows of [batch, classes] whose largest score is the label's."""
    return (scores.argmax(axis=-1) == labels).sum()
