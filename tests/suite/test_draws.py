"""Bounds on the probability of random draws: they hold for correct draws, and faulty ones fall below them."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.spec.semantics import layers
from assay.testing import chances, draws
from assay.testing.thresholds import FALSE_ALARM

CHARACTERS = layers.softmax(1.5 * draws.normal_quantiles(57))
LEVELS = 256
SEEDS = 1_000


def generator(seed):
    """Return the generator of a correct implementation."""
    return np.random.default_rng(seed)


def characters(seed, count, probabilities=CHARACTERS):
    """Draw characters by where points fall among the probabilities laid end to end."""
    points = generator(seed).random(count)
    return np.searchsorted(np.cumsum(probabilities), points).clip(max=len(probabilities) - 1)


def count_each(drawn):
    """Count characters."""
    return np.bincount(drawn, minlength=len(CHARACTERS))


def rows(seed):
    """Draw from even probabilities by two seeds."""
    return [generator(one).integers(0, LEVELS, 4_200) for one in (seed, 2**32 + seed)]


def lags_of_rows(seed):
    """Return the less probable of the two seeds."""
    return draws.chance_of_lags(rows(seed)[0], LEVELS, [*range(1, 65), *(2**power for power in range(7, 12))])


def kernel_levels(seed):
    """Draw two small kernels by seeds that follow each other, and tell 256 levels apart."""
    return [generator(one).integers(0, LEVELS, (28, 10)) for one in (2 * seed, 2 * seed + 1)]


def repeats_of_lines(seed):
    """Look for words in rows and columns, forwards and mirrored."""
    lines = [
        one.ravel()
        for level in kernel_levels(seed)
        for one in (level, level.T, LEVELS - 1 - level, LEVELS - 1 - level.T)
    ]
    # Words of two occur twice by chance, those of 8 hardly ever do.
    return draws.chance_of_repeats(*lines, classes=LEVELS, length=2)


# For each statistical claim, the chance that it computes, of correct draws by a seed.
CHANCES = {
    "generation.frequencies": lambda seed: draws.chance_of_categories(count_each(characters(seed, 20_000)), CHARACTERS),
    "generation.rows-are-independent": lags_of_rows,
    "generation.every-class": lambda seed: draws.chance_of_categories(
        np.bincount(np.concatenate(rows(seed)), minlength=LEVELS), np.full(LEVELS, 1 / LEVELS)
    ),
    "generation.every-class, evenness": lambda seed: draws.chance_of_evenness(
        np.bincount(np.concatenate(rows(seed)), minlength=LEVELS)
    ),
    "generation.sample-resolution": lambda seed: draws.chance_of_coarseness(
        generator(seed).integers(0, 2**17, 2), 2**17
    ),
    "dense.glorot-distribution": lambda seed: chances.chance_of_independent_draws(
        generator(seed).uniform(-1, 1, 78_400), -1.0, 1.0
    ),
    "dense.glorot-resolution": lambda seed: draws.chance_of_collisions(
        generator(seed).integers(0, 2**23, 78_400), 2**23
    ),
    "dense.glorot-independent": repeats_of_lines,
}
SLOW = {"generation.rows-are-independent", "generation.sample-resolution", "dense.glorot-distribution"}


@pytest.mark.parametrize("claim", CHANCES)
def test_correct_draws_look_unlikely_no_more_often_than_stated(claim):
    seeds = SEEDS // (20 if claim in SLOW else 4)
    chances = np.array([CHANCES[claim](seed) for seed in range(seeds)])
    for level in (0.1, 0.01, 0.001):
        seen = int((chances <= level).sum())
        assert stats.binomtest(seen, seeds, level, alternative="greater").pvalue > FALSE_ALARM, (level, seen)


def test_the_probability_of_a_word_that_occurs_twice_is_that_of_a_pair_times_the_pairs():
    found = [
        draws.chance_of_repeats(generator(seed).integers(0, 10, 20), classes=10, length=4) for seed in range(SEEDS)
    ]
    pairs = math.comb(17, 2)
    assert set(found) == {1.0, pairs * 1e-4}
    repeated = sum(one < 1 for one in found)
    assert stats.binomtest(repeated, SEEDS, pairs * 1e-4, alternative="greater").pvalue > FALSE_ALARM


def test_the_largest_draw_stays_below_the_share_as_often_as_stated():
    level, count = 0.1, 50
    share = draws.share_reached(count, level)
    drawn = generator(0).uniform(-1, 1, (SEEDS, count))
    short = int(((drawn.max(axis=1) < share) | (-drawn.min(axis=1) < share)).sum())
    assert stats.binomtest(short, SEEDS, level).pvalue > FALSE_ALARM


def test_a_temperature_that_is_off_by_as_much_as_stated_is_found():
    for count in (1_200, 20_000):
        off = draws.detectable_temperature(count, CHARACTERS)
        # Powers of probabilities are what they become at other temperatures.
        sharper = CHARACTERS ** (1 + off) / (CHARACTERS ** (1 + off)).sum()
        samples = generator(0).multinomial(count, sharper, 200)
        found = sum(draws.chance_of_categories(one, CHARACTERS) <= FALSE_ALARM for one in samples)
        assert found / 200 > 0.95


def without(places):
    """Return the probabilities of characters where some are never drawn."""
    kept = CHARACTERS.copy()
    kept[places] = 0
    return kept / kept.sum()


@pytest.mark.parametrize(
    "probabilities",
    [
        pytest.param(0.95 * CHARACTERS + 0.05 * (CHARACTERS.max() == CHARACTERS), id="argmax in one of 20 draws"),
        pytest.param(without(CHARACTERS.argsort()[:11]), id="the rarest are never drawn"),
        pytest.param(without([28]), id="one is never drawn"),
        pytest.param(0.95 * CHARACTERS + 0.05 / len(CHARACTERS), id="a share is drawn evenly"),
    ],
)
def test_categories_drawn_by_other_probabilities_are_found(probabilities):
    counts = count_each(characters(0, 20_000, probabilities))
    assert draws.chance_of_categories(counts, CHARACTERS) <= FALSE_ALARM


def test_an_impossible_category_is_found():
    assert draws.chance_of_categories(np.array([1, 100_000]), np.array([0.0, 1.0])) == 0


def test_too_even_counts_are_found():
    assert draws.chance_of_evenness(np.full(256, 32) + np.arange(256) % 2) <= FALSE_ALARM


@pytest.mark.parametrize("numbers", [2**8, 2**12 - 1, 2**16, 2**16 - 1, 10**4])
def test_coarse_numbers_are_found(numbers):
    points = generator(0).integers(0, numbers, 28) / numbers
    assert draws.chance_of_coarseness((points * 2**17).astype(int), 2**17) <= FALSE_ALARM


@pytest.mark.parametrize("order", [np.repeat, np.resize], ids=["pairs", "recycled"])
def test_shared_numbers_are_found(order):
    some = generator(0).integers(0, LEVELS, 2_000)
    drawn = order(some, 2) if order is np.repeat else order(some, 4_000)
    lags = draws.chance_of_lags(drawn, LEVELS, range(1, 65))
    words = draws.chance_of_repeats(drawn, classes=LEVELS, length=6)
    assert min(lags, words) <= FALSE_ALARM


def test_mirrored_counts_are_found():
    some = generator(0).integers(0, LEVELS, 4_000)
    mirrored = np.concatenate([some, LEVELS - 1 - some])
    assert draws.chance_of_mirrored_counts(np.bincount(mirrored, minlength=LEVELS)) <= FALSE_ALARM
    even = generator(1).integers(0, LEVELS, 8_000)
    assert draws.chance_of_mirrored_counts(np.bincount(even, minlength=LEVELS)) > FALSE_ALARM
