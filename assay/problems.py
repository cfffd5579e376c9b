"""Problems for the document's models: parameters and batches made from a seed, as a drawn number each would be slow."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np

from assay.contract import Array
from spec.semantics.initializers import fans, glorot_limit
from spec.semantics.models import MODELS, NUM_CHARS, UNITS, Parameters
from spec.semantics.spread import decided

# Of the document's training programs (lines 201 and 374).
LEARNING_RATE = 0.001


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
    return _digits("mlp", seed, batch, steps, border=4)


def cnn(seed: int, *, batch: int = 4, steps: int | None = None) -> Problem:
    """Make a problem for the CNN: images without a border, where all of a pooling window would be equally large."""
    return _digits("cnn", seed, batch, steps, border=0)


def _digits(model: str, seed: int, batch: int, steps: int | None, border: int) -> Problem:
    """Draw until no decision of the network hangs on rounding, which one or two draws do."""
    leading = (batch,) if steps is None else (steps, batch)
    for attempt in count():
        generator = np.random.default_rng((seed, attempt))
        images = np.zeros((*leading, 28, 28, 1), np.float32)
        inner = slice(border, 28 - border)
        images[..., inner, inner, :] = generator.random(images[..., inner, inner, :].shape, np.float32)
        labels = generator.integers(0, 10, leading, np.int32)
        problem = Problem(model, parameters(model, generator), images, labels)
        if decided(*problem, learning_rate=None if steps is None else LEARNING_RATE):
            return problem
    raise AssertionError


# As many characters as the document's windows have (line 551).
SEQ_LENGTH = 40
# A forget gate that keeps 98 parts of 100: what the first character leaves in the state lasts to the end of a window.
KEEPING = 4.0


def rnn(seed: int, *, batch: int = 4, steps: int | None = None) -> Problem:
    """Make a problem for the RNN: characters at random, and a state that is kept."""
    generator = np.random.default_rng(seed)
    leading = (batch,) if steps is None else (steps, batch)
    windows = generator.integers(0, NUM_CHARS, (*leading, SEQ_LENGTH), np.int32)
    drawn = parameters("rnn", generator)
    drawn["cell/bias"][UNITS : 2 * UNITS] += np.float32(KEEPING)
    return Problem("rnn", drawn, windows, generator.integers(0, NUM_CHARS, leading, np.int32))


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
    limit = glorot_limit(*fans(shape)) if len(shape) > 1 else 0.5
    return -limit, limit
