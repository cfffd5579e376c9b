"""Drawing classes by their probabilities."""

from __future__ import annotations

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.contract import Array


def check_temperature(temperature: float) -> np.float32:
    """Check a temperature, and return it as float32.

    Raises:
        ValueError: The temperature is not a number above 0.

    """
    divisor = np.float32(temperature)
    if not (np.isfinite(divisor) and divisor > 0):
        msg = f"the temperature must be a number above 0, got {temperature}"
        raise ValueError(msg)
    return divisor


def softmax_with_temperature(logits: Array, temperature: np.float32) -> Array:
    """Return the softmax of logits [..., classes] at a temperature."""
    return softmax(logits / temperature)


def draw_classes(probabilities: Array, generator: np.random.Generator) -> Array:
    """Draw a class from each row of probabilities [batch, classes]: int32 [batch].

    The class is drawn by inverting the cumulative sum at a uniform number.

    Raises:
        ValueError: A probability is NaN.

    """
    if np.isnan(probabilities).any():
        msg = "there is a NaN among the probabilities"
        raise ValueError(msg)
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    points = generator.random((len(ends), 1)) * ends[:, -1:]
    return (ends <= points).sum(axis=-1, dtype=np.int32)
