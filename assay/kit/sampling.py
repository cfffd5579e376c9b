"""Indices of batches, and the arguments that an implementation must reject."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.contract import Array


def check_temperature(temperature: float) -> float:
    """Return a temperature, rounded to float32.

    Raises:
        ValueError: The temperature, rounded to float32, is not a number above 0.

    """
    divisor = float(np.float32(temperature))
    if not 0 < divisor < float("inf"):
        msg = f"the temperature must be a number above 0, got {temperature}"
        raise ValueError(msg)
    return divisor


def check_probabilities(probabilities: Array) -> Array:
    """Check that probabilities are valid for drawing a class, and return them.

    Raises:
        ValueError: A probability is NaN.

    """
    if np.isnan(probabilities).any():
        msg = "the probabilities must be numbers, got NaN among them"
        raise ValueError(msg)
    return probabilities


def draw_indices(count: int, batch_size: int, seed: int) -> Array:
    """Draw the indices of one batch from `count` examples, with replacement: [batch_size]."""
    return np.random.default_rng(seed).integers(0, count, batch_size)


def draw_batches(
    inputs: Array, targets: Array, num_batches: int, batch_size: int, seed: int
) -> Iterator[tuple[Array, Array]]:
    """Draw batches with replacement, each independent of the others.

    Args:
        inputs: [examples, ...].
        targets: [examples].
        num_batches: Number of batches.
        batch_size: Number of examples in each.
        seed: Seed of all draws.

    """
    generator = np.random.default_rng(seed)
    for _ in range(num_batches):
        index = generator.integers(0, len(inputs), batch_size)
        yield inputs[index], targets[index]


def derive_seeds(seed: int, count: int) -> list[int]:
    """Derive seeds below 2^31 from one seed, for a framework that takes a seed for every draw."""
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(count) >> 1]
