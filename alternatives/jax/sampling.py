"""Drawing classes by their probabilities."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from assay.contract import Array


def check_temperature(temperature: float) -> float:
    """Check a temperature, and return it as float32.

    Raises:
        ValueError: The temperature is not a number above 0.

    """
    if not 0 < np.float32(temperature) < np.inf:
        msg = f"the temperature must be a number above 0, got {temperature}"
        raise ValueError(msg)
    return temperature


@jax.jit
def softmax_with_temperature(logits: jax.Array, temperature: jax.Array) -> jax.Array:
    """Return the softmax of logits [..., classes] at a temperature."""
    return jax.nn.softmax(logits / temperature)


def draw(probabilities: Array, key: jax.Array) -> jax.Array:
    """Draw a class from each row of probabilities [batch, classes]: int32 [batch].

    Raises:
        ValueError: A probability is NaN.

    """
    if np.isnan(probabilities).any():
        msg = "there is a NaN among the probabilities"
        raise ValueError(msg)
    return jax.random.categorical(key, jnp.log(probabilities)).astype(jnp.int32)
