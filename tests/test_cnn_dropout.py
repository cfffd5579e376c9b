"""Dropout: line 336 of the document."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.testing.assertions import (
    assert_equal,
    assert_form,
    assert_within,
    claim,
)
from assay.testing.chances import chance_of_share
from assay.testing.draws import chance_of_shares
from assay.testing.masks import (
    WORD,
    chance_of_agreement,
    chance_of_all,
    chance_of_neighbours,
    chance_of_spread,
    count_repetitions,
)
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.stored_arrays import memory_orders
from assay.testing.strategies import matrices, seeds
from assay.testing.thresholds import FALSE_ALARM

rates = st.sampled_from([0.25, 0.5, 0.75])
some_rates = pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
ONES = np.ones((100, 100), np.float32)


def drop_elements(ops, inputs, rate, number):
    """Drop elements as in training, and check the form of the result."""
    return assert_form("dropout in training", ops.dropout(inputs, rate, number, training=True), inputs.shape)


@claim("cnn.dropout-inference")
@given(inputs=matrices(), rate=rates, number=seeds())
def test_dropout_inference(ops, inputs, rate, number):
    assert_equal("dropout in inference", ops.dropout(inputs, rate, number, training=False), inputs)


@claim("cnn.dropout-training")
@given(inputs=matrices(), rate=rates, number=seeds())
def test_dropout_training(ops, inputs, rate, number):
    result = drop_elements(ops, inputs, rate, number)
    expected = normalization.dropout(to_float64(inputs), result != 0, rate)
    assert_within("what dropout left", result, expected, image_rounding.dropout(expected))


@claim("cnn.dropout-rate")
@some_rates
def test_dropout_rate(ops, seed, rate):
    zeros = int((drop_elements(ops, ONES, rate, seed) == 0).sum())
    probability = chance_of_share(zeros, ONES.size, rate)
    assert probability > FALSE_ALARM, f"{zeros} of {ONES.size} are 0, which has a probability of {probability:.3g}"


@claim("cnn.dropout-elements")
@pytest.mark.parametrize("axis", [0, 1])
def test_dropout_elements(ops, seed, axis):
    counts = (drop_elements(ops, ONES, 0.5, seed) == 0).sum(axis=axis)
    chance = chance_of_spread(counts, ONES.shape[axis], 0.5)
    assert chance > FALSE_ALARM, f"as many zeros as {counts.tolist()} have a probability of {chance:.3g}"


# With this number of masks, an element is never or always dropped with a probability of 2^-47.
MANY_MASKS = 48


@claim("cnn.dropout-elements")
@pytest.mark.parametrize("shape", [(7,), (13, 11)], ids=str)
def test_dropout_each_element(ops, seed, shape):
    # With few elements, each is tested: those that do not fill a block, and the last of all.
    counts = np.sum([mask_of(ops, shape, (seed + each) % 2**31) for each in range(MANY_MASKS)], axis=0)
    assert_chance(f"{counts.tolist()} zeros of {MANY_MASKS}", chance_of_shares(counts.ravel(), MANY_MASKS, 0.5))


@claim("cnn.dropout-mean")
@some_rates
def test_dropout_mean(ops, seed, rate):
    inputs = np.random.default_rng(seed).random((100, 100), np.float32)
    before, after = (to_float64(array).mean() for array in (inputs, drop_elements(ops, inputs, rate, seed)))
    # Hoeffding's inequality, as every element of the result is between 0 and x / (1 - rate).
    widths = to_float64(inputs) / (1 - rate)
    off = math.sqrt(math.log(2 / FALSE_ALARM) / 2 * np.sum(widths**2)) / inputs.size
    assert abs(after - before) < off, (
        f"the mean goes from {before:.4f} to {after:.4f}, and chance moves it by {off:.4f}"
    )


@claim("cnn.dropout-rate-0")
@given(inputs=matrices(), number=seeds())
def test_dropout_rate_0(ops, inputs, number):
    assert_equal("dropout at rate 0", ops.dropout(inputs, 0.0, number, training=True), inputs)


@claim("cnn.dropout-seed")
def test_dropout_seed(ops, seed):
    one, other = (drop_elements(ops, ONES, 0.5, number) for number in (seed, seed + 1))
    assert ((one == 0) != (other == 0)).any(), f"the seeds {seed} and {seed + 1} drop the same elements"


# Shapes of every rank, not multiples of a power of two. The second ones are large enough for statistics.
RANKS = ((7,), (5, 33), (3, 7, 11), (3, 5, 7, 9))
MASKS = ((40_001,), (331, 453), (33, 35, 37), (17, 19, 11, 13))
every_rank = pytest.mark.parametrize("shape", RANKS, ids=str)


def mask_of(ops, shape, number, rate=0.5):
    """Return which elements are dropped."""
    return drop_elements(ops, np.ones(shape, np.float32), rate, number) == 0


def assert_chance(what, chance):
    """Check that the probability of an observation is not too small."""
    assert chance > FALSE_ALARM, f"{what} have a probability of {chance:.3g}"


@claim("cnn.dropout-every-rank")
@every_rank
@some_rates
def test_dropout_every_rank(ops, seed, shape, rate):
    # No element is 0, so that dropped elements can be recognized.
    inputs = np.random.default_rng(seed).permutation(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype(np.float32)
    for order, viewed in [("as usual", inputs), *((order, one) for order, (one,), _ in memory_orders(inputs))]:
        result = drop_elements(ops, viewed, rate, seed)
        expected = normalization.dropout(to_float64(viewed), result != 0, rate)
        what = f"what dropout at {rate} left, arrays {order}"
        assert_within(what, result, expected, image_rounding.dropout(expected))
    assert_equal("dropout at rate 0", ops.dropout(inputs, 0.0, seed, training=True), inputs)
    assert_equal("dropout in inference", ops.dropout(inputs, rate, seed, training=False), inputs)


@claim("cnn.dropout-repeats")
@every_rank
def test_dropout_repeats(ops, seed, shape):
    first = mask_of(ops, shape, seed)
    # Earlier draws, and those in between, must not matter.
    mask_of(ops, shape, seed + 1)
    assert np.array_equal(mask_of(ops, shape, seed), first), f"with the seed {seed} two masks are drawn"


@claim("cnn.dropout-independent")
@pytest.mark.parametrize("shape", MASKS, ids=str)
def test_dropout_independent(ops, seed, shape):
    mask = mask_of(ops, shape, seed)
    assert_chance("neighbours that are dropped alike as often", chance_of_neighbours(mask))
    assert not (count := count_repetitions(mask)), f"{count} times are {WORD} elements in a row dropped as before"


@claim("cnn.dropout-parts")
@pytest.mark.parametrize("shape", MASKS[1:], ids=str)
def test_dropout_parts(ops, seed, shape):
    mask = mask_of(ops, shape, seed)
    axes = range(len(shape))
    counts = [mask.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes]
    chances = [chance_of_spread(of_axis, mask.size // len(of_axis), 0.5) for of_axis in counts]
    least, most = [*map(min, counts)], [*map(max, counts)]
    assert_chance(f"{least} to {most} zeros in each part along the axes", chance_of_all(*chances))


@claim("cnn.dropout-groups")
def test_dropout_groups(ops, seed):
    # All elements of a row of three are dropped nearly half of the time.
    rate, shape = 0.9, (2_003, 3)
    rows = np.bincount(mask_of(ops, shape, seed, rate).sum(axis=-1), minlength=4)
    chances = [math.comb(3, lost) * rate**lost * (1 - rate) ** (3 - lost) for lost in range(4)]
    found = [chance_of_share(int(count), shape[0], chance) for count, chance in zip(rows, chances, strict=True)]
    assert_chance(f"{rows.tolist()} rows that lose 0 to 3 elements", chance_of_all(*found))


@claim("cnn.dropout-resolution")
@pytest.mark.parametrize("rare", [False, True])
def test_dropout_resolution(ops, seed, rare):
    # Half way between two rates that random numbers of 12 bits can give.
    step, shape = 1.5 / 2**12, (1031, 1301)
    dropped_ones = int(mask_of(ops, shape, seed, step if rare else 1 - step).sum())
    count = dropped_ones if rare else math.prod(shape) - dropped_ones
    what = "dropped" if rare else "kept"
    assert_chance(f"{count} {what} elements of {math.prod(shape)}", chance_of_share(count, math.prod(shape), step))


@claim("cnn.dropout-values")
def test_dropout_values(ops, seed):
    inputs = np.random.default_rng(seed).standard_normal((101, 103), np.float32)
    zeros = drop_elements(ops, inputs, 0.5, seed) == 0
    parts = {
        "positive": inputs > 0,
        "negative": inputs < 0,
        "large": np.abs(inputs) > 1,
        "small": np.abs(inputs) < 0.5,
        "above the next": inputs[:, :-1] > inputs[:, 1:],
    }
    shares = {
        what: (int((zeros[:, : which.shape[1]] & which).sum()), int(which.sum())) for what, which in parts.items()
    }
    chances = [chance_of_share(*share, 0.5) for share in shares.values()]
    assert_chance(f"zeros among elements that are {shares}", chance_of_all(*chances))


# Seeds that differ in one bit, high or low, are different seeds. As float32, the last two would be equal.
BITS = (0, 1, 2, 3, 8, 10, 16, 24, 30)
SEEDS = (*(2**bit for bit in BITS), 1000, 2**30 + 1, 0, 3, 5, 6, 7)


@claim("cnn.dropout-seeds")
def test_dropout_seeds(ops, seed):
    numbers = sorted({(seed + number) % 2**31 for number in SEEDS})
    masks = [mask_of(ops, (13, 11), number) for number in numbers]
    alike = [
        (one, other)
        for (one, first), (other, second) in combinations(zip(numbers, masks, strict=True), 2)
        if np.array_equal(first, second)
    ]
    assert not alike, f"the seeds {alike[0]} drop the same elements"
    assert_chance(
        "masks of different seeds that agree as often",
        chance_of_agreement(np.array(masks[1:]), np.array(masks[:-1])),
    )
    counts = np.array([mask.sum() for mask in masks])
    chance = chance_of_spread(counts, masks[0].size, 0.5)
    assert_chance(f"{counts.tolist()} zeros of {masks[0].size}, with as many seeds,", chance)


@claim("cnn.dropout-seeds")
def test_dropout_next_seed(ops, seed):
    # If an element is drawn by the sum or XOR of seed and index, masks of other seeds are shifted or permuted.
    one, other = (mask_of(ops, MASKS[0], (seed + each) % 2**31) for each in (0, 1))
    count = 2**15
    places = np.arange(count)
    agreements = [chance_of_agreement(one[places], other[places ^ bits]) for bits in range(8)]
    for lag in range(1, 8):
        agreements += [chance_of_agreement(*pair) for pair in ((one[lag:], other[:-lag]), (other[lag:], one[:-lag]))]
    assert_chance("masks of a seed and of the next that agree as often", chance_of_all(*agreements))


@claim("cnn.dropout-trains-nothing")
def test_dropout_trains_nothing(keras):
    layers = keras.namespace.layers
    model = keras.namespace.Sequential([layers.Dropout(0.5), layers.Dense(2)])
    model(keras.to_tensor(np.ones((1, 3), np.float32)))
    assert [tuple(variable.shape) for variable in model.trainable_variables] == [(3, 2), (2,)]


@claim("cnn.dropout-default-mode")
@given(inputs=matrices())
def test_dropout_default_mode(keras, inputs):
    layer = keras.namespace.layers.Dropout(rate=0.5)
    assert_equal("Dropout without a mode", keras.to_numpy(layer(keras.to_tensor(inputs))), inputs)


@claim("cnn.dropout-repeats")
def test_dropout_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("ops.dropout", implementation, results_elsewhere, seed)
