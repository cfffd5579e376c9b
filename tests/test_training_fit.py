"""Batches and initial parameters of trainings with a learning rate of 0: lines 195 to 228 of the document."""

import math

import numpy as np
import pytest

from assay.spec.error_bounds.measured_bounds import to_float64
from assay.testing import initial_parameters
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.counts import assert_share
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import memory_orders
from assay.testing.thresholds import FALSE_ALARM, NORMAL
from assay.testing.training import designed_training
from assay.testing.training.designed_training import (
    OF_THE_DOCUMENT,
    SMALL,
    WHOLE,
    decode,
    frozen_training,
    label_apart,
    losses_of_examples,
)
from assay.testing.training.mnist_training import Examples


@claim("training.epoch-is-no-pass")
def test_epoch_is_no_pass(datasets, seed):
    # Each image is its own number, so the distinct ones among n draws from n can be counted. This count is
    # asymptotically normal with this mean and variance (Feller, "An introduction to probability theory", IV.2).
    n = 60_000
    numbers = np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1)
    drawn, _ = datasets.sample_batch(numbers, np.zeros(n, np.int32), n, seed)
    mean, deviation = n * (1 - math.exp(-1)), math.sqrt(n * (math.exp(-1) - 2 * math.exp(-2)))
    distinct = len(np.unique(drawn))
    chance = NORMAL.inv_cdf(1 - FALSE_ALARM / 2) * deviation
    assert abs(distinct - mean) < chance, (
        f"{n} draws from {n} images include {distinct}, {distinct / n:.2%}: expected {mean:.0f}, {mean / n:.2%},"
        f" give or take {chance:.0f}"
    )


@claim("training.random-batches")
def test_random_batches(trainings_of_seven, seed):
    first, second = (run.losses for run in trainings_of_seven[:2])
    assert (first != second).any(), f"the seeds {seed} and {seed + 1} both have the losses {first}"


# Number of trainings on two examples.
SEEDS_OF_TWO = 6


def two_examples(seed):
    """Return two examples."""
    return Examples(*(values[:2] for values in designed_training.seven_examples(seed)))


@pytest.fixture(scope="session")
def trainings_of_two(training, seed, compute_once):
    """Return trainings on 60 examples in batches of 50, in which two examples alternate."""
    examples = designed_training.alternate(two_examples(seed), OF_THE_DOCUMENT)
    return compute_once(
        "frozen-of-two",
        lambda: [frozen_training(training, OF_THE_DOCUMENT, examples, seed + each) for each in range(SEEDS_OF_TWO)],
    )


def decode_each(runs, examples, batch_size):
    """Infer the batches of trainings with a learning rate of 0 from their losses, even where this is ambiguous."""
    return [decode(run.losses, losses_of_examples(run.parameters, examples, batch_size), batch_size) for run in runs]


def decode_certain(runs, examples, batch_size):
    """Infer the batches of those trainings in which the losses determine them."""
    return designed_training.certain(decode_each(runs, examples, batch_size))


@pytest.fixture(scope="session")
def batches_of_seven(trainings_of_seven, seed):
    """Return how often each batch of 3 contains each of seven examples: counts [12, 7] of each training."""
    return decode_certain(trainings_of_seven, designed_training.seven_examples(seed), SMALL.batch_size)


@pytest.fixture(scope="session")
def batches_of_two(trainings_of_two, seed):
    """Return how often each batch of 50 contains each of two examples: counts [20, 2] of each training."""
    return decode_certain(trainings_of_two, two_examples(seed), OF_THE_DOCUMENT.batch_size)


@claim("training.fit-batches")
def test_fit_batches(batches_of_seven, batches_of_two):
    for sizes, runs in ((SMALL, batches_of_seven), (OF_THE_DOCUMENT, batches_of_two)):
        for run in runs:
            off = int((run.distances > run.tolerance).sum())
            worst = int(run.distances.argmax())
            assert not off, (
                f"{off} of {sizes.num_batches} losses are not the mean loss of any {sizes.batch_size} examples of the"
                f" training set: that of batch {worst} is off by {run.distances[worst]:.3g}, allowed"
                f" {run.tolerance:.3g}"
            )


# Batches of more examples than the training set has.
MORE = designed_training.Sizes(num_examples=2, num_batches=SMALL.num_batches, batch_size=SMALL.batch_size)


@claim("training.fit-batches")
def test_fit_batches_of_more(training, trainings_of_seven, seed):
    assert_batches_of_two(training, trainings_of_seven, seed, two_examples(seed).images)


@claim("training.fit-batches")
def test_fit_batches_of_other_pixels(training, trainings_of_seven, seed):
    # Pixels below 0 and above 1, which no loader would have to scale again.
    images = two_examples(seed).images
    assert_batches_of_two(training, trainings_of_seven, seed, np.float32(3) * images - np.float32(0.5))


def assert_batches_of_two(training, trainings_of_seven, seed, images):
    """Check that the losses of a training are means of those of two images, in batches of three."""
    # Initial parameters depend only on the seed.
    examples = label_apart(trainings_of_seven[0].parameters, images)
    runs = decode_certain([frozen_training(training, MORE, examples, seed)], examples, MORE.batch_size)
    off = sum(int((run.distances > run.tolerance).sum()) for run in runs)
    assert not off, (
        f"{off} of {MORE.num_batches} losses are not the mean loss of any {MORE.batch_size} examples of a training set"
        f" of {MORE.num_examples}"
    )


@claim("training.fit-even-draws")
def test_fit_even_draws(batches_of_seven, batches_of_two):
    for sizes, runs in ((SMALL, batches_of_seven), (OF_THE_DOCUMENT, batches_of_two)):
        counts = np.concatenate([run.counts for run in runs]).sum(axis=0)
        for example_, count in enumerate(counts):
            what = f"draws of example {example_} of {len(counts)}, in batches of {sizes.batch_size}"
            assert_share(what, int(count), int(counts.sum()), 1 / len(counts), decisions=9)


@claim("training.fit-repeated-draws")
def test_fit_repeated_draws(batches_of_seven, batches_of_two):
    counts = np.concatenate([run.counts for run in batches_of_seven])
    all_different = int((counts.max(axis=1) == 1).sum())
    assert_share("batches of 3 of 7 without a repetition", all_different, len(counts), 6 / 7 * 5 / 7, decisions=3)
    # 50 draws from two kinds of examples, 30 of each. Without replacement, the counts would be more even.
    counts = np.concatenate([run.counts for run in batches_of_two])[:, 0]
    possible = np.array([math.comb(50, k) for k in range(51)]) / 2**50
    even, odd = np.abs(np.arange(51) - 25) <= 2, np.arange(51) % 2 == 1
    share, total = float(possible[even].sum()), len(counts)
    assert_share("batches of 50 with 23 to 27 of one kind", int(even[counts].sum()), total, share, decisions=3)
    assert_share("batches of 50 with an odd number of one kind", int(odd[counts].sum()), total, 1 / 2, decisions=3)


# Probability of each batch of three draws from seven: with three equal draws, with two, and with none.
THREE_OF_SEVEN = np.repeat([1 / 343, 3 / 343, 6 / 343], [7, 42, 35])


@claim("training.fit-new-draws")
def test_fit_new_draws(batches_of_seven, batches_of_two):
    two = np.array([math.comb(50, k) for k in range(51)]) / 2**50
    lags = range(1, SMALL.num_batches // 2 + 1)
    for sizes, runs, probabilities in (
        (SMALL, batches_of_seven, THREE_OF_SEVEN),
        (OF_THE_DOCUMENT, batches_of_two, two),
    ):
        for lag in lags:
            pairs = [pair for run in runs for pair in disjoint_pairs(run.counts, lag)]
            for kind, order in (("the same", 1), ("the same with the examples in reverse", -1)):
                equal = sum(bool((one == other[::order]).all()) for one, other in pairs)
                what = f"batches of {sizes.batch_size} that are {kind} {lag} batches later"
                assert_share(what, equal, len(pairs), float((probabilities**2).sum()), decisions=4 * len(lags))


@claim("training.fit-new-draws")
def test_fit_new_draws_by_the_next_seed(trainings_of_seven, seed):
    each = decode_each(trainings_of_seven, designed_training.seven_examples(seed), SMALL.batch_size)
    # Each training has one partner, so that no batch is in two pairs.
    pairs = [
        (one, next_) for one, next_ in zip(each[::2], each[1::2], strict=True) if one.is_certain & next_.is_certain
    ]
    lags = range(-2, 3)
    for lag in lags:
        ahead, behind = max(lag, 0), max(-lag, 0)
        end = SMALL.num_batches - abs(lag)
        same = [
            (one.counts[ahead : ahead + end] == next_.counts[behind : behind + end]).all(axis=1) for one, next_ in pairs
        ]
        equal = np.concatenate([np.zeros(0, bool), *same])
        what = f"batches that are the same with the next seed, {lag} batches before"
        share = float((THREE_OF_SEVEN**2).sum())
        assert_share(what, int(equal.sum()), len(equal), share, decisions=len(lags))


def disjoint_pairs(batches, lag):
    """Pair batches at a distance of `lag`, each batch at most once, so that equal pairs are independent."""
    firsts = [first for first in range(len(batches) - lag) if first // lag % 2 == 0]
    return [(batches[first], batches[first + lag]) for first in firsts]


# Number of examples of one kind, a twelfth of the training set.
PART = 5_000


@claim("training.fit-whole-set")
@pytest.mark.parametrize("part", ["first", "last"])
def test_fit_whole_set(training, trainings_of_seven, seed, part):
    # Both kinds are the same image with different labels, so the losses show how often each kind is drawn. In batches
    # this large, only labels whose losses are far apart show that with any initial parameters.
    two = label_apart(trainings_of_seven[0].parameters, two_examples(seed).images[[0, 0]])
    kinds = np.repeat(two.labels, (WHOLE.num_examples - PART, PART))
    kinds = kinds[::-1].copy() if part == "first" else kinds
    examples = Examples(np.broadcast_to(two.images[0], (WHOLE.num_examples, 28, 28, 1)), kinds)
    run = frozen_training(training, WHOLE, examples, seed)
    (found,) = decode_certain([run], two, WHOLE.batch_size)
    assert (found.distances <= found.tolerance).all(), "the losses are not means of the two kinds' losses"
    total = WHOLE.num_batches * WHOLE.batch_size
    drawn = int(found.counts[:, 1].sum())
    assert_share(f"draws of the {part} 5,000 of 60,000 examples", drawn, total, PART / WHOLE.num_examples)


@claim("training.fit-initial-parameters")
def test_fit_initial_parameters(trainings_of_seven):
    parameters = trainings_of_seven[0].parameters
    initial_parameters.assert_new("mlp", parameters)
    initial_parameters.assert_fine(parameters)
    initial_parameters.assert_distinct(parameters)
    initial_parameters.assert_unrelated(parameters)
    initial_parameters.assert_unrelated_to(parameters, trainings_of_seven[1].parameters)


@claim("training.fit-start")
def test_fit_start(trainings_of_seven, trainings_of_two, seed):
    for one, (first, second) in enumerate(zip(trainings_of_seven, trainings_of_two, strict=False)):
        for name, value in first.parameters.items():
            what = f"{name} after a training with a learning rate of 0 and seed {seed + one} on other data"
            assert_equal(what, second.parameters[name], to_float64(value))


def is_readable(run, examples, batch_size):
    """Whether the losses of a training with a learning rate of 0 determine the examples of its batches."""
    known = losses_of_examples(run.parameters, examples, batch_size)
    return decode(run.losses, known, batch_size).is_certain


@claim("training.fit-seed")
def test_fit_seed(training, trainings_of_seven, batches_of_seven, seed):
    examples = designed_training.seven_examples(seed)
    # With some initial parameters, float32 cannot distinguish the losses of different batches.
    first = next(each for each, run in enumerate(trainings_of_seven) if is_readable(run, examples, SMALL.batch_size))
    again = frozen_training(training, SMALL, examples, seed + first)
    for name, value in trainings_of_seven[first].parameters.items():
        assert_equal(f"{name}, drawn again with the seed {seed + first}", again.parameters[name], to_float64(value))
    (batches,) = decode_certain([again], examples, SMALL.batch_size)
    same = (batches.counts == batches_of_seven[0].counts).all()
    assert same, f"the seed {seed + first} draws other batches in a second training"
    for each in range(1, len(trainings_of_seven)):
        seed_pair = (seed, seed + each)
        initial_parameters.assert_all_differ(
            trainings_of_seven[0].parameters, trainings_of_seven[each].parameters, seed_pair
        )
    for each, other in enumerate(batches_of_seven[1:], start=1):
        same = (other.counts == batches_of_seven[0].counts).all()
        assert not same, f"trainings 0 and {each} draw the same batches with different seeds"


@claim("training.fit-seed")
def test_fit_confusable_seeds(training, seed):
    examples, confusable = designed_training.seven_examples(seed), confusable_seeds(seed)
    runs = [frozen_training(training, SMALL, examples, one) for one in confusable]
    kernels = [run.parameters["dense1/kernel"] for run in runs]
    assert_told_apart("initial parameters", confusable, dict(zip(confusable, kernels, strict=True)).__getitem__)
    # With some initial parameters, float32 cannot distinguish the losses of different batches.
    batches = {
        one: decode(run.losses, losses_of_examples(run.parameters, examples, SMALL.batch_size), SMALL.batch_size)
        for one, run in zip(confusable, runs, strict=True)
    }
    readable = [one for one, found in batches.items() if found.is_certain]
    assert_told_apart("batches", readable, lambda one: batches[one].counts)


@claim("training.fit-memory-order")
def test_fit_memory_order(training, trainings_of_seven, seed):
    examples = designed_training.seven_examples(seed)
    tolerance = losses_of_examples(trainings_of_seven[0].parameters, examples, SMALL.batch_size).tolerance
    for order, views, plain in memory_orders(*examples):
        found, expected = (
            frozen_training(training, SMALL, Examples(*values), seed).losses for values in (views, plain)
        )
        assert_within(f"the losses, arrays {order}", found, to_float64(expected), 2 * tolerance)


@claim("training.fit-seed")
def test_fit_mlp_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("training.fit", implementation, results_elsewhere, seed)
