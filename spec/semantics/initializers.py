"""Distributions of the document's initializers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from assay.spec.semantics.layers import Array


def glorot_limit(fan_in: int, fan_out: int) -> float:
    """Return half the width of the interval that the Glorot-uniform initializer draws from (lines 93 and 101).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    equation 16: sqrt(6 / (fan_in + fan_out)).
    """
    return math.sqrt(6 / (fan_in + fan_out))


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the fan-in and fan-out of a kernel [..., in, out], whose leading axes are the window of a convolution."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def orthogonal(shape: tuple[int, int], seed: int, dtype: type[np.floating[Any]] = np.float64) -> Array:
    """Draw a kernel with orthonormal rows, or orthonormal columns if it has more rows than columns.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014: Q of the QR decomposition of a normal matrix, here by Householder reflections in one dtype.
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
