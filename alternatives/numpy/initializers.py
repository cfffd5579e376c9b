"""What new parameters are drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from assay.contract import Array

# A generator to the first value of a variable.
Draw = Callable[[np.random.Generator], Array]


def glorot_uniform(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Draw a kernel [..., inputs, outputs] as Glorot and Bengio, 2010, do; a window counts with its area."""
    area = math.prod(shape[:-2])
    limit = math.sqrt(6 / (area * (shape[-2] + shape[-1])))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


def orthogonal(shape: tuple[int, int], generator: np.random.Generator) -> Array:
    """Draw a wide kernel whose rows are orthogonal and of length 1 (Saxe and others, 2014), evenly from all of them."""
    q, r = np.linalg.qr(generator.standard_normal(shape[::-1]))
    return (q * np.sign(np.diag(r))).T.astype(np.float32)


def zeros(shape: tuple[int, ...], _generator: np.random.Generator | None = None) -> Array:
    """Begin with nothing."""
    return np.zeros(shape, np.float32)


def forget_gate_open(units: int, _generator: np.random.Generator) -> Array:
    """Begin the biases of a cell with nothing, but for 1 at the forget gate (Jozefowicz and others, 2015)."""
    return np.repeat(np.array([0, 1, 0, 0], np.float32), units)


def dense(input_dim: int, units: int, kernel: Callable[..., Array] = glorot_uniform) -> dict[str, Draw]:
    """Return what the variables of a Dense layer are drawn from."""
    return {"kernel": partial(kernel, (input_dim, units)), "bias": partial(zeros, (units,))}


def convolution(size: int, channels: int, filters: int) -> dict[str, Draw]:
    """Return what those of a convolution with a square window are drawn from."""
    return {"kernel": partial(glorot_uniform, (size, size, channels, filters)), "bias": partial(zeros, (filters,))}


def lstm(input_dim: int, units: int) -> dict[str, Draw]:
    """Return what those of an LSTM cell are drawn from."""
    return {
        "kernel": partial(glorot_uniform, (input_dim, 4 * units)),
        "recurrent_kernel": partial(orthogonal, (units, 4 * units)),
        "bias": partial(forget_gate_open, units),
    }


def drawn(layers: Mapping[str, Mapping[str, Draw]], generator: np.random.Generator) -> dict[str, Array]:
    """Draw the parameters of all layers, by canonical name."""
    return {
        f"{layer}/{variable}": draw(generator)
        for layer, variables in layers.items()
        for variable, draw in variables.items()
    }
