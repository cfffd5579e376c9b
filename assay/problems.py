"""Problems for the document's models: parameters and batches made from a seed, as a drawn number each would be slow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.contract import Array
from spec.semantics.initializers import glorot_limit
from spec.semantics.models import MODELS, Parameters


class Problem(NamedTuple):
    """A model's parameters, and one batch or several.

    Attributes:
        model: its name.
        parameters: float32, by canonical name.
        inputs: float32 [batch, ...], or [steps, batch, ...] where steps were asked for.
        targets: likewise.

    """

    model: str
    parameters: Parameters
    inputs: Array
    targets: Array


def mlp(seed: int, *, batch: int = 8, steps: int | None = None) -> Problem:
    """Make a problem for the MLP: images whose border is black, as that of MNIST's is, and labels at random."""
    generator = np.random.default_rng(seed)
    leading = (batch,) if steps is None else (steps, batch)
    images = np.zeros((*leading, 28, 28, 1), np.float32)
    images[..., 4:24, 4:24, :] = generator.random((*leading, 20, 20, 1), np.float32)
    labels = generator.integers(0, 10, leading, np.int32)
    return Problem("mlp", parameters("mlp", generator), images, labels)


def linear(seed: int, *, batch: int = 8, steps: int | None = None) -> Problem:
    """Make a problem for the linear model: inputs and targets between -1 and 1."""
    generator = np.random.default_rng(seed)
    leading = (batch,) if steps is None else (steps, batch)
    inputs = generator.uniform(-1, 1, (*leading, 3)).astype(np.float32)
    targets = generator.uniform(-1, 1, (*leading, 1)).astype(np.float32)
    return Problem("linear", parameters("linear", generator), inputs, targets)


def parameters(model: str, generator: np.random.Generator) -> Parameters:
    """Draw kernels as Glorot does, and biases that are not 0 and not small, so that a lost one shows."""
    return {
        name: generator.uniform(*_range(shape), shape).astype(np.float32)
        for name, shape in MODELS[model].shapes.items()
    }


def _range(shape: tuple[int, ...]) -> tuple[float, float]:
    limit = glorot_limit(*shape) if len(shape) > 1 else 0.5
    return -limit, limit
