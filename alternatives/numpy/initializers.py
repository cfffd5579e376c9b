"""Distributions of new parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from assay.contract import Array

# Function from a generator to the initial value of a variable.
Draw = Callable[[np.random.Generator], Array]


def glorot_uniform(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Draw a Glorot-uniform kernel [..., inputs, outputs] (2010); fans include the window's area."""
    area = math.prod(shape[:-2])
    limit = math.sqrt(6 / (area * (shape[-2] + shape[-1])))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


def orthogonal(shape: tuple[int, int], generator: np.random.Generator) -> Array:
    """Draw a wide kernel with orthonormal rows (Saxe and others, 2014), uniformly from all such kernels."""
    q, r = np.linalg.qr(generator.standard_normal(shape[::-1]))
    return (q * np.sign(np.diag(r))).T.astype(np.float32)


def zeros(shape: tuple[int, ...], _generator: np.random.Generator | None = None) -> Array:
    """Return zeros."""
    return np.zeros(shape, np.float32)


def forget_gate_open(units: int, _generator: np.random.Generator) -> Array:
    """Return the biases of a cell: 1 at the forget gate, 0 elsewhere (Jozefowicz and others, 2015)."""
    return np.repeat(np.array([0, 1, 0, 0], np.float32), units)


def dense(input_dim: int, units: int, kernel: Callable[..., Array] = glorot_uniform) -> dict[str, Draw]:
    """Return the distributions of a Dense layer's variables."""
    return {"kernel": partial(kernel, (input_dim, units)), "bias": partial(zeros, (units,))}


def convolution(size: int, channels: int, filters: int) -> dict[str, Draw]:
    """Return the distributions of the variables of a convolution with a square window."""
    return {"kernel": partial(glorot_uniform, (size, size, channels, filters)), "bias": partial(zeros, (filters,))}


def lstm(input_dim: int, units: int) -> dict[str, Draw]:
    """Return the distributions of an LSTM cell's variables."""
    return {
        "kernel": partial(glorot_uniform, (input_dim, 4 * units)),
        "recurrent_kernel": partial(orthogonal, (units, 4 * units)),
        "bias": partial(forget_gate_open, units),
    }


def draw_parameters(layers: Mapping[str, Mapping[str, Draw]], generator: np.random.Generator) -> dict[str, Array]:
    """Draw the parameters of all layers, by canonical name."""
    return {
        f"{layer}/{variable}": draw(generator)
        for layer, variables in layers.items()
        for variable, draw in variables.items()
    }
