"""Faults of initializers: Glorot's uniform one, and zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array
from doubles.dependent_draws import opposite_from_the_end, shuffled_grid
from doubles.faulty import Fault
from doubles.kept_results import returned_again

FLOAT = np.float32
Function = Callable[..., Any]


def columns_drawn_too_wide(glorot_uniform, shape, seed):
    """Leave the only output out of the fans of a column."""
    kernel = glorot_uniform(shape, seed)
    return kernel * np.float32(np.sqrt((shape[0] + 1) / shape[0])) if shape[1] == 1 else kernel


def kernel_within_less(glorot, shape, seed):
    """Draw from an interval that is 0.1% too small."""
    return glorot(shape, seed) * FLOAT(0.999)


def normal_instead_of_uniform(glorot_uniform, shape, seed):
    """Draw Glorot-normal: the same deviation, another distribution."""
    deviation = np.sqrt(2 / sum(shape))
    return np.random.default_rng(seed).normal(0, deviation, shape).astype(np.float32)


def draw_last_row_above_0(right: Function, shape: tuple[int, int], seed: int) -> Array:
    """Draw the last row of a kernel from 0 on."""
    kernel = right(shape, seed).copy()
    kernel[-1] = np.abs(kernel[-1])
    return kernel


def draw_last_column_near_0(right: Function, shape: tuple[int, int], seed: int) -> Array:
    """Draw the last column of a kernel from half of the range."""
    kernel = right(shape, seed).copy()
    kernel[:, -1] /= 2
    return kernel


def kernel_of_16_bits(_glorot, shape, seed):
    """Draw 65,536 different numbers at most."""
    drawn = np.random.default_rng(seed).integers(0, 2**16, shape) / (2**16 - 1)
    return ((2 * drawn - 1) * np.sqrt(6 / sum(shape))).astype(FLOAT)


def last_weights_repeat(glorot_uniform, shape, seed):
    """Fill what blocks of eight weights leave over with the first ones."""
    kernel = np.array(glorot_uniform(shape, seed))
    weights, whole = kernel.reshape(-1), kernel.size // 8 * 8
    weights[whole:] = weights[: kernel.size - whole]
    return kernel


def glorot_in_opposite_pairs(glorot_uniform, shape, seed):
    """Draw half of a kernel."""
    return opposite_from_the_end(glorot_uniform(shape, seed))


def glorot_repeats_2048_columns(glorot_uniform, shape, seed):
    """Repeat the first 2,048 columns of a wider kernel."""
    kernel = glorot_uniform(shape, seed)
    return kernel[:, np.arange(shape[1]) % 2048]


def even(shape, seed):
    """Draw numbers from -1 to 1 in the size of a Glorot-uniform kernel."""
    return np.random.default_rng(seed).uniform(-1, 1, shape) * np.sqrt(6 / sum(shape))


def kernel_with_one_column_twice(_glorot, shape, seed):
    """Begin two units alike."""
    kernel = even(shape, seed)
    kernel[:, -1] = kernel[:, 0]
    return kernel.astype(FLOAT)


def kernel_mirrored(_glorot, shape, seed):
    """Draw half of the rows, and take them with the other sign for the rest."""
    half = even((-(-shape[0] // 2), shape[1]), seed) * np.sqrt((-(-shape[0] // 2) + shape[1]) / sum(shape))
    return np.concatenate([half, -half])[: shape[0]].astype(FLOAT)


def row_by_row_seeds(_glorot, shape, seed):
    """Draw every row by a seed of its own, the next one for the next."""
    rows = [np.random.default_rng(seed + row).uniform(-1, 1, shape[1]) for row in range(shape[0])]
    return (np.stack(rows) * np.sqrt(6 / sum(shape))).astype(FLOAT)


def one_memory_of_zeros():
    """Return a fault that hands the same zeros to everybody."""
    known = {}

    def wrong(zeros, shape):
        if tuple(shape) not in known:
            known[tuple(shape)] = np.array(zeros(shape))
        return known[tuple(shape)]

    return wrong


FAULTS = {
    "columns_drawn_too_wide": Fault(
        "ops.glorot_uniform", "dense.glorot-reaches-limit", "the kernels", columns_drawn_too_wide
    ),
    "kernel_within_less": Fault("ops.glorot_uniform", "dense.glorot-reaches-limit", "0.99", kernel_within_less),
    "normal_instead_of_uniform": Fault(
        "ops.glorot_uniform", "dense.glorot-distribution", "as uneven, or as even", normal_instead_of_uniform
    ),
    "glorot_last_row_above_0": Fault(
        "ops.glorot_uniform", "dense.glorot-distribution", "positive weights of rows", draw_last_row_above_0
    ),
    "glorot_last_column_near_0": Fault(
        "ops.glorot_uniform", "dense.glorot-distribution", "large weights of columns", draw_last_column_near_0
    ),
    "kernel_from_a_shuffled_grid": Fault(
        "ops.glorot_uniform",
        "dense.glorot-distribution",
        "as uneven, or as even",
        lambda _glorot_uniform, shape, seed: shuffled_grid(shape, seed),
    ),
    "kernel_of_16_bits": Fault("ops.glorot_uniform", "dense.glorot-resolution", "values", kernel_of_16_bits),
    "last_weights_repeat": Fault(
        "ops.glorot_uniform", "dense.glorot-resolution", "3 of 35 weights", last_weights_repeat
    ),
    "glorot_in_opposite_pairs": Fault(
        "ops.glorot_uniform", "dense.glorot-independent", "repeat others", glorot_in_opposite_pairs
    ),
    "glorot_repeats_2048_columns": Fault(
        "ops.glorot_uniform", "dense.glorot-independent", "repeat others", glorot_repeats_2048_columns
    ),
    "kernel_with_one_column_twice": Fault(
        "ops.glorot_uniform", "dense.glorot-independent", "repeat others", kernel_with_one_column_twice
    ),
    "kernel_mirrored": Fault("ops.glorot_uniform", "dense.glorot-independent", "repeat others", kernel_mirrored),
    "row_by_row_seeds": Fault("ops.glorot_uniform", "dense.glorot-independent", "repeat others", row_by_row_seeds),
    "glorot_kernels_returned_again": Fault(
        "ops.glorot_uniform", "dense.glorot-seed", "after its result was changed", returned_again
    ),
    "one_memory_of_zeros": Fault("ops.zeros", "dense.zeros-of-any-shape", "has changed", one_memory_of_zeros()),
}
