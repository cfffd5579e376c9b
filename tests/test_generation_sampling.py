"""Draws from distributions: lines 580 to 589 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.contract import INT
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import layers
from assay.spec.semantics.models import NUM_CHARS
from assay.testing import cases
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, claim
from assay.testing.cases import ODD
from assay.testing.counts import assert_few_in_common, assert_share
from assay.testing.draws import (
    chance_of_categories,
    chance_of_coarseness,
    chance_of_evenness,
    chance_of_lags,
    chance_of_repeats,
    mirrored_halves,
    normal_quantiles,
)
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import memory_orders
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM


def normal_logits(seed, deviation):
    """Return logits of all characters that are quantiles of a normal distribution, in random order."""
    return (deviation * np.random.default_rng(seed).permutation(normal_quantiles(NUM_CHARS))).astype(np.float32)


@claim("generation.certain")
@given(seed=seeds(), labels=st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_certain(ops, seed, labels):
    probabilities = layers.one_hot(labels, 10).astype(np.float32)
    assert_equal("sample", ops.sample(probabilities, seed), np.array(labels), INT)


@claim("generation.certain-any-size")
@pytest.mark.parametrize(("rows", "classes"), [(ODD, 10), (1, 10), (4, 1), (10, 10), (5, 300), (3, 70_000)])
def test_certain_any_size(ops, seed, rows, classes):
    expected = cases.labels(seed, rows, classes)
    expected[0] = 0 if rows > 1 else classes - 1
    probabilities = (expected[:, None] == np.arange(classes)).astype(np.float32)
    assert_equal("sample", ops.sample(probabilities, seed), expected, INT)


@claim("generation.certain-any-size")
def test_certain_in_any_memory_order(ops, seed):
    probabilities = layers.one_hot(cases.labels(seed, 7, 10), 10).astype(np.float32)
    for order, (viewed,), _ in memory_orders(probabilities):
        assert_equal(f"sample, arrays {order}", ops.sample(viewed, seed), viewed.argmax(axis=-1), INT)


@claim("generation.sample-seed")
def test_sample_seed(ops, seed):
    probabilities = np.full((40, 8), 1 / 8, np.float32)
    # Including 0 and the largest pair of seeds. Two seeds draw the same 40 classes with a probability of 8^-40.
    for one in (0, seed, 2**31 - 2):
        first, other, again = (ops.sample(probabilities, number) for number in (one, one + 1, one))
        assert_equal(f"the draws with the seed {one} after another seed", again, first, INT)
        assert not np.array_equal(other, first), f"the seeds {one} and {one + 1} draw the same classes"
    assert_told_apart("classes", confusable_seeds(seed), lambda one: ops.sample(probabilities, one))


@claim("generation.sample-seed")
def test_sample_classes_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("ops.sample", implementation, results_elsewhere, seed)


# Enough rows to show a period of 2^12. A class is never drawn with a probability of 10^-11.
ROWS, LEVELS, WORD = 2**12 + 104, 256, 8

# Distances between the rows that are compared: small ones, powers of 2, and half the number of rows.
LAGS = [*range(1, 65), *(2**power for power in range(7, 12)), ROWS // 2]


@pytest.fixture(scope="module")
def even_draws(ops, seed):
    """Return draws from uniform probabilities, one for each row, with two consecutive seeds."""
    probabilities = np.full((ROWS, LEVELS), 1 / LEVELS, np.float32)
    return [assert_form("sample", ops.sample(probabilities, one), (ROWS,), INT) for one in (seed, seed + 1)]


@claim("generation.rows-are-independent")
def test_rows_are_independent(even_draws):
    # The first half of the rows, the second half in reverse order, and the mirrored classes of both.
    halves = [half for draws in even_draws for half in mirrored_halves(draws)]
    mirrored = [LEVELS - 1 - half for half in halves]
    chances = [chance_of_repeats(*some, classes=LEVELS, length=WORD) for some in (even_draws, [*halves, *mirrored])]
    probability = len(chances) * min(chances)
    assert probability > FALSE_ALARM, (
        f"the draws of {WORD} consecutive rows repeat, with a probability of {probability:.3g}"
    )
    for draws in even_draws:
        probability = chance_of_lags(draws, LEVELS, LAGS)
        assert probability > FALSE_ALARM, (
            f"draws at a fixed distance are equal, or mirrored, this often with a probability of {probability:.3g}"
        )


# With so few rows and so many classes, two seeds hardly ever draw the same class.
FEW_ROWS, MANY_CLASSES = 64, 2**12


@claim("generation.rows-are-independent")
def test_next_seed_draws_by_other_numbers(ops, seed):
    probabilities = np.full((FEW_ROWS, MANY_CLASSES), 1 / MANY_CLASSES, np.float32)
    one, other = (assert_form("sample", ops.sample(probabilities, each), (FEW_ROWS,), INT) for each in (seed, seed + 1))
    assert_few_in_common("classes", one, other, MANY_CLASSES)


@claim("generation.every-class")
def test_every_class(even_draws):
    counts = np.bincount(np.concatenate(even_draws), minlength=LEVELS)
    absent = np.flatnonzero(counts == 0)
    assert not absent.size, f"{absent.size} of {LEVELS} equally probable classes are never drawn, such as {absent[0]}"
    for what, probability in (
        ("uneven", chance_of_categories(counts, np.full(LEVELS, 1 / LEVELS))),
        ("even", chance_of_evenness(counts)),
    ):
        assert probability > FALSE_ALARM, f"counts are as {what} as these with a probability of {probability:.3g}"


@claim("generation.sample-resolution")
def test_sample_resolution(ops, seed):
    # Random numbers of 16 bits reach at most half of so many classes.
    classes, rows = 2**17, 28
    drawn = ops.sample(np.full((rows, classes), 1 / classes, np.float32), seed)
    drawn = assert_form("sample", drawn, (rows,), INT)
    known = (drawn >= 0) & (drawn < classes)
    assert known.all(), f"class {drawn[~known][0]} of {classes} is drawn"
    probability = chance_of_coarseness(drawn, classes)
    assert probability > FALSE_ALARM, (
        f"all {rows} draws from {classes} classes are within reach of 16 random bits or fewer, or of four decimal"
        f" digits, such as {drawn[:4]}: a probability of {probability:.3g}"
    )


# Number of draws of a test of frequencies.
DRAWS = 20_000


def count_samples(ops, probabilities, seed):
    """Draw from one distribution in every row, and count the draws of each class."""
    drawn = ops.sample(np.tile(probabilities, (DRAWS, 1)), seed)
    drawn = assert_form("sample", drawn, (DRAWS,), INT)
    assert (drawn >= 0).all(), f"class {drawn.min()} is drawn"
    assert (drawn < len(probabilities)).all(), f"class {drawn.max()} of {len(probabilities)} is drawn"
    return np.bincount(drawn, minlength=len(probabilities))


@claim("generation.never-impossible")
@pytest.mark.parametrize("place", [0, 3, 6])
def test_never_impossible(ops, seed, place):
    probabilities = np.full(7, 1 / 6, np.float32)
    probabilities[place] = 0
    count = count_samples(ops, probabilities, seed)[place]
    assert count == 0, f"a class of probability 0 is drawn {count} times"


@claim("generation.frequencies")
def test_frequencies(ops, seed):
    probabilities = layers.softmax(normal_logits(seed, 1.5))
    counts = count_samples(ops, probabilities, seed)
    probability = chance_of_categories(counts, to_float64(probabilities))
    assert probability > FALSE_ALARM, (
        f"correct draws are as far off as {counts} with a probability of {probability:.3g}"
    )


@claim("generation.frequencies")
def test_frequency_of_the_other_class(ops, seed):
    # One class is nearly certain.
    probable = np.float32(0.97)
    count = int(count_samples(ops, np.array([probable, 1 - probable], np.float32), seed)[1])
    assert_share("draws of a class of probability 0.03", count, DRAWS, 1 - float(probable))


@claim("generation.frequencies")
def test_frequency_of_many_rare_classes(ops, seed):
    # One class has a probability of 1 / 2, and each of 5,000 others one of 1 / 10,000.
    rare, rows = 5_000, 200
    probabilities = np.full((rows, rare + 1), 0.5 / rare, np.float32)
    first = seed % (rare + 1)
    probabilities[:, first] = 0.5
    drawn = assert_form("sample", ops.sample(probabilities, seed), (rows,), INT)
    assert_share("draws of a class of probability 1/2 among rare ones", int((drawn == first).sum()), rows, 1 / 2)


@claim("generation.float32-sums")
def test_float32_sums(ops, seed):
    probabilities = layers.softmax(np.random.default_rng(seed).standard_normal((50, NUM_CHARS)).astype(np.float32))
    off = np.abs(to_float64(probabilities).sum(axis=-1) - 1)
    assert (off > 0).any()
    assert_form("sample", ops.sample(probabilities, seed), (50,), INT)


@claim("generation.nan")
@pytest.mark.parametrize("place", [(0, 0), (0, 3), (1, 2), (2, 3)], ids=str)
def test_nan(ops, place):
    probabilities = np.full((3, 4), 0.25, np.float32)
    probabilities[place] = np.nan
    even = np.full((40, 8), 1 / 8, np.float32)
    before = ops.sample(even, 0)
    assert_rejected(f"a probability of NaN at {list(place)}", lambda: ops.sample(probabilities, 0))
    assert_equal("the draws after refused probabilities", ops.sample(even, 0), before, INT)
