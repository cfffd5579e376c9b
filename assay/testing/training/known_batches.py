"""Trainings on texts of one or two windows: a loss at learning rate 0 shows which windows its batch contains."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses, models
from assay.spec.semantics import text as definition
from assay.testing.assertions import assert_form
from assay.testing.chances import chance_of_share
from assay.testing.draws import disjoint_pairs
from assay.testing.problems import Problem

Tensors = dict[str, Array]


class Recipe(NamedTuple):
    """Arguments of `text.fit`, except the learning rate and the seed.

    Attributes:
        indices: Text, int32 [length], with one or two windows.
        num_chars: Number of characters, some of which do not occur.
        num_batches: Number of steps.
        batch_size: Number of windows in a step.
        seq_length: Length of a window.

    """

    indices: Array
    num_chars: int
    num_batches: int
    batch_size: int
    seq_length: int

    @property
    def windows(self) -> tuple[Array, Array]:
        """Windows of the text, [positions, seq_length], and the character after each, [positions]."""
        places = np.arange(len(self.indices) - self.seq_length)
        return definition.windows(self.indices, places, self.seq_length)


# As many windows as in a batch of the document (line 571). Both windows are half of a batch with a probability of 0.11.
TWO_WINDOWS = Recipe(np.array([3, 0, 2, 4], np.int32), num_chars=60, num_batches=8, batch_size=50, seq_length=2)
# As many windows as in a batch, by turns of two kinds: if a batch is drawn without replacement, it holds half of each.
BY_TURNS = Recipe(np.resize(np.array([3, 0], np.int32), 67), num_chars=60, num_batches=32, batch_size=66, seq_length=1)
# More characters than a byte can number, also for the character after the window; a window longer than any usual block.
# There is only one window.
ONE_WINDOW = Recipe(
    (np.arange(68, dtype=np.int32) * 71) % 300, num_chars=300, num_batches=2, batch_size=1, seq_length=67
)


def fit(text: Any, recipe: Recipe, learning_rate: float, seed: int) -> tuple[Array, Tensors]:  # noqa: ANN401 - the group of an implementation
    """Train by a recipe, and return losses and parameters of the expected form.

    Raises:
        NonConformanceError: The shape or dtype differs.

    """
    indices, num_chars, *sizes = recipe
    options = dict(zip(Recipe._fields[2:], sizes, strict=True))
    curve, found = text.fit(indices, num_chars, learning_rate=learning_rate, seed=seed, **options)
    shapes = models.rnn_shapes(num_chars)
    if sorted(found) != sorted(shapes):
        msg = f"fit returns the parameters {sorted(found)}, expected {sorted(shapes)}"
        raise NonConformanceError(msg)
    curve = assert_form(f"the losses of {recipe.num_batches} batches", curve, (recipe.num_batches,))
    return curve, {name: assert_form(name, found[name], shape) for name, shape in shapes.items()}


def fit_two_windows(text: Any, seed: int) -> tuple[Recipe, Array, Tensors]:  # noqa: ANN401 - as above
    """Train with learning rate 0 on a text whose two windows have very different losses; also return the recipe.

    Initial parameters depend only on the seed. So a first training shows which of many texts is such a text.

    """
    _, initial = fit(text, TWO_WINDOWS, 0.0, seed)
    recipe = distinguish_windows(TWO_WINDOWS, initial)
    return recipe, *fit(text, recipe, 0.0, seed)


def distinguish_windows(recipe: Recipe, initial: Tensors) -> Recipe:
    """Return a recipe with other characters, so that the losses of its two kinds of windows differ as much as possible.

    Args:
        recipe: Recipe whose text has two kinds of windows.
        initial: Initial parameters of the training.

    """
    generator = np.random.default_rng(0)
    names = [generator.permutation(recipe.num_chars).astype(np.int32) for _ in range(200)]

    def distance(indices: Array) -> float:
        windows, targets = recipe._replace(indices=indices).windows
        first, second = _evaluate(to_float64(initial), windows[:2], targets[:2])["losses"]
        return float(abs(first - second))

    return recipe._replace(indices=max((name[recipe.indices] for name in names), key=distance))


def characters_apart(initial: Tensors) -> Array:
    """Return the two characters whose losses after themselves, in a window of two, differ most: int32 [2].

    Args:
        initial: Initial parameters of the training.

    """
    every = np.arange(len(initial["dense/bias"]), dtype=np.int32)
    each = _evaluate(to_float64(initial), np.stack([every, every], axis=1), every)["losses"]
    return every[[each.argmin(), each.argmax()]]


def count_windows(recipe: Recipe, curve: Array, initial: Tensors) -> Array:
    """Return how many windows of each batch are the second one, from the losses at learning rate 0.

    Args:
        recipe: Recipe of the training.
        curve: Losses, [num_batches].
        initial: Parameters, which a learning rate of 0 does not change.

    Raises:
        NonConformanceError: A loss is not the mean over any batch of the text's windows.

    """
    windows, targets = recipe.windows
    each = _evaluate(to_float64(initial), windows, targets)["losses"]
    bound = measured_bounds.bounds(_evaluate, "rnn", initial, windows, targets)["losses"]
    bound += rounding.gamma(recipe.batch_size) * each.max()
    shares = np.arange(recipe.batch_size + 1) / recipe.batch_size if len(each) > 1 else np.zeros(1)
    possible = each[0] + shares * (each[-1] - each[0])
    apart = np.abs(curve[:, None] - possible)
    counts = apart.argmin(axis=1)
    if outside := np.flatnonzero(apart.min(axis=1) > bound).tolist():
        first = outside[0]
        msg = (
            f"loss {first} of a training with learning rate 0 is {curve[first]:.9g}, which is not the mean over"
            f" {recipe.batch_size} windows of the text: those windows have losses of {each.tolist()}, so the nearest is"
            f" {possible[counts[first]]:.9g} (off by {apart[first].min():.3g}, allowed {bound:.3g})"
        )
        raise NonConformanceError(msg)
    return counts


def _evaluate(parameters: Tensors, windows: Array, targets: Array) -> Tensors:
    probabilities = models.layer_outputs("rnn", parameters, windows)["softmax"]
    return {"losses": losses.sparse_categorical_crossentropy(targets, probabilities)}


def count_second(curve: Array, initial: Tensors, windows: Array, targets: Array, batch_size: int) -> Array:
    """Return the most probable number of windows of the second of two kinds in each batch, from its loss.

    Args:
        curve: Losses at learning rate 0, [num_batches].
        initial: Parameters, which a learning rate of 0 does not change.
        windows: One window of each kind, [2, seq_length].
        targets: Character after each window, [2].
        batch_size: Number of windows in a batch.

    """
    first, second = _evaluate(to_float64(initial), windows, targets)["losses"]
    return np.clip(np.rint((to_float64(curve) - first) / (second - first) * batch_size), 0, batch_size).astype(int)


def known_problem(recipe: Recipe, initial: Tensors, counts: Array) -> Problem:
    """Return the training as a problem: each batch has the second window `counts` times, and otherwise the first."""
    windows, targets = recipe.windows
    places = (np.arange(recipe.batch_size) < counts[:, None]).astype(int)
    return Problem("rnn", initial, windows[places], targets[places])


def chance_of_batches(counts: Array, batch_size: int) -> float:
    """Return the p-value for two equally probable windows to be drawn as unevenly, or as evenly, as in these batches.

    It is three times the smallest p-value of three exact binomial tests (Bonferroni). The first counts the draws of the
    second window. The second counts the batches of which each window is half, as in all batches that are read in order
    or drawn without replacement. The third counts the batches of which one window is three quarters, as if a batch
    repeats its draws.

    Args:
        counts: Number of draws of the second window in each batch, [num_batches].
        batch_size: Number of windows in a batch, even.

    """
    draws, half = len(counts) * batch_size, batch_size // 2
    number = np.arange(batch_size + 1)
    chances = np.array([math.comb(batch_size, one) for one in number]) / 2.0**batch_size
    far = np.abs(number - half) >= batch_size / 4
    tests = [
        (int(counts.sum()), draws, 0.5),
        (int((counts == half).sum()), len(counts), float(chances[half])),
        (int(far[counts].sum()), len(counts), float(chances[far].sum())),
    ]
    return min(1.0, len(tests) * min(chance_of_share(*test) for test in tests))


def chance_of_equals(recipe: Recipe) -> float:
    """Return the probability that two batches have the second of two windows equally often."""
    return math.comb(2 * recipe.batch_size, recipe.batch_size) / 4**recipe.batch_size


def count_equals(counts: Array, lag: int) -> tuple[int, int]:
    """Return how many of several pairs of batches are equal, and how many pairs there are.

    Args:
        counts: Number of draws of the second window in each batch, [num_batches].
        lag: Distance of the batches of a pair.

    """
    first = disjoint_pairs(len(counts), lag)
    return int((counts[first] == counts[first + lag]).sum()), len(first)


def chance_of_periods(recipe: Recipe, lags: Iterable[int]) -> float:
    """Bound the probability that uniform draws give a sequence of batches with one of these periods.

    With a given period, the batches form as many chains as the period is long, and all batches of a chain are equal.

    Args:
        recipe: Recipe of the training.
        lags: Periods, in batches.

    """
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else, and few processes need it

    chances = stats.binom.pmf(np.arange(recipe.batch_size + 1), recipe.batch_size, 0.5)
    chains = ([len(range(first, recipe.num_batches, lag)) for first in range(lag)] for lag in lags)
    return sum(math.prod(float(np.sum(chances**length)) for length in each) for each in chains)
