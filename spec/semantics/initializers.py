"""What the initializers of the document draw from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from assay.spec.semantics.layers import Array


def glorot_limit(fan_in: int, fan_out: int) -> float:
    """Half the width of the interval around 0 that the Glorot-uniform initializer draws from (lines 93 and 101).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    equation 16: sqrt(6 / (fan_in + fan_out)).
    """
    return math.sqrt(6 / (fan_in + fan_out))


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs a kernel connects: [..., in, out], with a window before them for a convolution."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def orthogonal(shape: tuple[int, int], seed: int, dtype: type[np.floating[Any]] = np.float64) -> Array:
    """Draw a kernel whose rows, or columns where it has more rows, have length 1 and are at right angles.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014: Q of a normal matrix's QR, here by Householder's reflections, all of it in one type of number.
    """
    drawn = np.random.default_rng(seed).standard_normal((max(shape), min(shape))).astype(dtype)
    reflections = []
    for column in range(drawn.shape[1]):
        normal = drawn[column:, column].copy()
        normal[0] += np.copysign(np.linalg.norm(normal), normal[0])
        normal /= np.linalg.norm(normal)
        drawn[column:, column:] -= 2 * np.outer(normal, normal @ drawn[column:, column:])
        reflections.append(normal)
    columns = np.eye(*drawn.shape, dtype=dtype)
    for column, normal in reversed([*enumerate(reflections)]):
        columns[column:, column:] -= 2 * np.outer(normal, normal @ columns[column:, column:])
    return columns if shape[0] >= shape[1] else columns.T
