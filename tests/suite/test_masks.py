"""The tests of masks fail correct draws no more often than they say, and see what is not drawn by itself."""

from __future__ import annotations

import numpy as np
import pytest

from assay.testing.masks import (
    WORD,
    chance_of_agreement,
    chance_of_neighbours,
    chance_of_spread,
    count_repetitions,
)
from assay.testing.thresholds import FALSE_ALARM

GENERATOR = np.random.default_rng(0)
SHAPE = (17, 19, 11)
# As many correct masks, and the share of them that may come out as unlikely as that, five deviations added.
RUNS, LEVEL = 300, 0.05
MOST = RUNS * LEVEL + 5 * np.sqrt(RUNS * LEVEL)


def draw(rate=0.5, shape=SHAPE):
    """Draw a mask as it should be."""
    return GENERATOR.random(shape) < rate


def spread_of(mask, rate=0.5):
    """Look at the parts along the first axis."""
    return chance_of_spread(mask.reshape(len(mask), -1).sum(axis=1), mask[0].size, rate)


@pytest.mark.parametrize(
    "chance",
    [
        pytest.param(lambda: spread_of(draw()), id="parts"),
        pytest.param(lambda: spread_of(draw(0.1), 0.1), id="parts at another rate"),
        pytest.param(lambda: chance_of_agreement(draw(), draw()), id="two masks"),
        pytest.param(lambda: chance_of_neighbours(draw(shape=(7, 9, 5))), id="neighbours"),
    ],
)
def test_correct_masks_are_as_rarely_unlikely_as_is_said(chance):
    assert sum(chance() <= LEVEL for _ in range(RUNS)) <= MOST


def test_no_word_of_a_correct_mask_is_repeated():
    assert count_repetitions(draw(shape=(331, 453))) == 0


def test_a_word_that_is_repeated_is_counted():
    mask = draw(shape=(1000,))
    assert count_repetitions(np.concatenate([mask, mask[:WORD]])) == 1


def exact_parts():
    """Drop half of each part, but for the odd element."""
    return np.stack([GENERATOR.permutation(np.arange(209) % 2 == 0).reshape(SHAPE[1:]) for _ in range(SHAPE[0])])


def whole_parts():
    """Drop parts as a whole."""
    return np.broadcast_to(draw(shape=(SHAPE[0], 1, 1)), SHAPE)


@pytest.mark.parametrize("mask", [exact_parts, whole_parts])
def test_parts_that_vary_too_little_or_too_much_are_seen(mask):
    assert spread_of(mask()) < FALSE_ALARM


def mirror():
    """Lay the second half of a mask on the first, turned around."""
    half = draw(shape=(2000,))
    return np.concatenate([half, half[::-1]])


def alternating():
    """Drop the one or the other of two neighbours."""
    first = draw(shape=(2000, 1))
    return np.concatenate([first, ~first], axis=1)


@pytest.mark.parametrize("mask", [whole_parts, mirror, alternating])
def test_elements_that_go_with_others_are_seen(mask):
    assert chance_of_neighbours(mask()) < FALSE_ALARM
