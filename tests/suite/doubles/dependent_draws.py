"""Parts of faults whose draws depend on each other, or on too little of the seed."""

from __future__ import annotations

import numpy as np

from assay.contract import Array
from assay.spec.semantics.initializers import fans, glorot_limit


def opposite_from_the_end(values):
    """Give the second half the opposites of the first one, from the end."""
    numbers = np.array(values).ravel()
    half = numbers.size // 2
    numbers[numbers.size - half :] = -numbers[:half][::-1]
    return numbers.reshape(np.shape(values))


def shuffled_grid(shape: tuple[int, ...], seed: int) -> Array:
    """Return evenly spaced weights between Glorot's limits, in random order."""
    size = int(np.prod(shape))
    grid = (2 * (np.arange(size) + 0.5) / size - 1) * glorot_limit(*fans(shape))
    return np.random.default_rng(seed).permutation(grid).reshape(shape).astype(np.float32)


def with_few_seeds(most):
    """Return a function whose seed is a remainder."""

    def wrong(function, *arguments):
        *others, seed = arguments
        return function(*others, seed % most)

    return wrong


def opposites(generator: np.random.Generator, count: int) -> Array:
    """Draw numbers between 0 and 1, every second of which is the opposite of another one, in random order."""
    half = generator.random((count + 1) // 2)
    return generator.permutation(np.concatenate([half, 1 - half])[:count])


def classes_at(probabilities: Array, numbers: Array) -> Array:
    """Return the class of each row at a number between 0 and 1: int32 [batch]."""
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    found = (ends <= numbers[:, None] * ends[:, -1:]).sum(axis=-1, dtype=np.int32)
    return np.minimum(found, np.int32(probabilities.shape[-1] - 1))


def opposite_places(count, draws, seed):
    """Draw half of the places, and take their opposites for the others."""
    places = np.random.default_rng(seed).integers(0, count, draws)
    half = draws // 2
    places[draws - half :] = count - 1 - places[:half]
    return places


def row_by_row(combine, place):
    """Return a function that draws each row by a combination of seed and place, from an argument's rows or a number."""

    def wrong(right, *arguments):
        *others, seed = arguments
        rows = others[place]
        parts = [
            right(*others[:place], rows[[row]] if np.ndim(rows) else 1, *others[place + 1 :], combine(seed, row))
            for row in range(len(rows) if np.ndim(rows) else rows)
        ]
        if isinstance(parts[0], tuple):
            return tuple(map(np.concatenate, zip(*parts, strict=True)))
        return np.concatenate(parts)

    return wrong


def added(seed, row):
    """Add a place to a seed."""
    return seed + row


def combined(seed, row):
    """Combine the bits of a place and of a seed."""
    return seed ^ row
