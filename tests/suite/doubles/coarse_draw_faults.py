"""Deliberate faults in draws: random numbers of too few bits, and numbers that are too even."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array, Parameters
from assay.spec.semantics.initializers import fans, glorot_limit
from doubles.faulty import Fault
from doubles.independence_faults import writing


def shuffled_grid(shape: tuple[int, ...], seed: int) -> Array:
    """Return evenly spaced weights between Glorot's limits, in random order."""
    size = int(np.prod(shape))
    grid = (2 * (np.arange(size) + 0.5) / size - 1) * glorot_limit(*fans(shape))
    return np.random.default_rng(seed).permutation(grid).reshape(shape).astype(np.float32)


def grids(initial_parameters: Callable[..., Parameters], model: str, seed: int) -> Parameters:
    """Draw kernels as shuffled grids."""
    found = initial_parameters(model, seed)
    return {
        name: shuffled_grid(value.shape, seed + number) if name.endswith("kernel") and value.any() else value
        for number, (name, value) in enumerate(found.items())
    }


def training_from_grids(fit: Callable[..., Any], indices: Array, num_chars: int, **options: Any) -> Any:
    """Begin a training with kernels that are shuffled grids."""
    trained = fit(indices, num_chars, **options)
    if options["learning_rate"]:
        return trained
    changed = {
        name: shuffled_grid(trained.parameters[name].shape, options["seed"] + number)
        for number, name in enumerate(("cell/kernel", "dense/kernel"))
    }
    return trained._replace(parameters={**trained.parameters, **changed})


COARSE_DRAW_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, (function, claim, tells, wrong) in {
        "written_by_float16": (
            "text.generate",
            "generation.text-resolution",
            "within reach",
            writing(
                lambda generator, count: (
                    np.float16(0.99951171875) * generator.random(count).astype(np.float16)
                ).astype(np.float64)
            ),
        ),
        "written_by_10_bits": (
            "text.generate",
            "generation.text-resolution",
            "within reach",
            writing(lambda generator, count: generator.integers(0, 2**10, count) / 2**10),
        ),
        "written_by_bytes": (
            "text.generate",
            "generation.text-resolution",
            "within reach",
            writing(lambda generator, count: generator.integers(0, 2**8, count) / (2**8 - 1)),
        ),
        "kernel_from_a_shuffled_grid": (
            "ops.glorot_uniform",
            "dense.glorot-distribution",
            "as uneven, or as even",
            lambda _glorot_uniform, shape, seed: shuffled_grid(shape, seed),
        ),
        "parameters_from_shuffled_grids": (
            "models.initial_parameters",
            "mlp.initial-kernels",
            "as uneven, or as even",
            grids,
        ),
        "cnn_from_shuffled_grids": ("models.initial_parameters", "cnn.initial-kernels", "as uneven, or as even", grids),
        "rnn_training_from_shuffled_grids": (
            "text.fit",
            "rnn_training.initial-kernels",
            "as uneven, or as even",
            training_from_grids,
        ),
    }.items()
}
