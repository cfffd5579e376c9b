"""The training of the MLP: lines 191 to 229 of the document."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses, optimizers
from assay.spec.semantics import models as definition
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.testing import cases, initial_parameters, problems, silent_networks
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, few_examples
from assay.testing.cases import ANY_SHAPE, ODD
from assay.testing.counts import assert_share
from assay.testing.networks import (
    assert_solved_in_any_order,
    case,
    either_adam,
    gradients_of,
    loss_and_gradients,
    solve_training,
    solved,
    trained,
    trajectory,
)
from assay.testing.operations import (
    adam_step,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    one_by_one,
)
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.silent_networks import CONFIDENT, extreme_probabilities
from assay.testing.stored_arrays import memory_orders
from assay.testing.strategies import arrays, same_shape, seeds
from assay.testing.thresholds import FALSE_ALARM, NORMAL, quarters, threshold
from assay.testing.training import designed_training
from assay.testing.training.assertions import assert_goes_on, assert_last_parameters, assert_losses_not_above
from assay.testing.training.designed_training import OF_THE_DOCUMENT, SMALL, WHOLE, decode, fit, losses_of_examples
from assay.testing.training.label_training import HIGH_RATES, assert_learns_labels, black_examples
from assay.testing.training.mnist_training import Examples

LEARNING_RATE = 0.001
STEPS = 5
# A prime number above the usual lengths of unrolled loops.
MANY_STEPS = 131
# Not a multiple of usual block sizes up to 256.
LARGE_BATCH = 259
steps = st.sampled_from([1, 2, 10, 1000])


def gradients_case(seed):
    """Return a problem, its loss and gradients by the definition, and their bounds."""
    return case(problems.mlp, loss_and_gradients, seed)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of several batches, losses and final parameters by the definition, and their bounds."""
    problem = problems.mlp(seed, steps=STEPS, adam=adam)
    return solved(problem, trajectory, adam=adam)


def adam_case():
    """Draw parameter, gradient and both moments of one shape, with non-negative second moments."""
    return same_shape(4, limit=1.0).map(lambda four: (*four[:3], np.abs(four[3])))


# A gradient as small as epsilon, with which the step shows where epsilon is added.
CASE_NEAR_EPSILON = (
    np.zeros((1, 1), np.float32),
    np.full((1, 1), optimizers.EPSILON, np.float32),
    np.zeros((1, 1), np.float32),
    np.zeros((1, 1), np.float32),
)


def assert_adam(ops, case, step, result, learning_rate=LEARNING_RATE, *, adam=Adam.BEFORE_CORRECTION):
    """Compare one of the three results of a step of Adam with its definition."""
    arguments = (*map(to_float64, case), step, learning_rate)
    position = ("parameter", "first_moment", "second_moment").index(result)
    actual = ops.adam_step(*case, step, learning_rate)[position]
    assert_within(
        f"the {result} after step {step}",
        actual,
        optimizers.adam_step(*arguments, adam=adam)[position],
        rounding.adam_step(*arguments, adam=adam)[position],
    )


@claim("training.num-epochs")
def test_num_epochs(mnist):
    assert len(mnist.x_train) // 50 * 5 == threshold("mlp_five_epochs").recipe["num_batches"] == 6_000


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


@claim("training.batch-size")
def test_batch_size(models, seed):
    problem = problems.mlp(seed, batch=50, steps=2)
    assert_form("the losses of two batches of 50", trained(models, problem)["losses"], (2,))


# Each of the two steps rounds the learning rate, a product and quotients; all else is the same in both.
RATE_ERROR = 2 * rounding.gamma(rounding.SQRT + 2 * rounding.DIVIDE + 4)


@claim("training.learning-rate")
@pytest.mark.parametrize("learning_rate", [1e-5, 1e-3, 0.02, 0.1, 10.0])
@pytest.mark.parametrize("step", [1, 7, 2000])
def test_learning_rate(ops, seed, step, learning_rate):
    # The parameter is 0, so the step is not rounded by a subtraction.
    _, *others = adam_arrays(seed, (2, 3))
    parameter = np.zeros((2, 3), np.float32)
    once, scaled = (to_float64(ops.adam_step(parameter, *others, step, rate)[0]) for rate in (0.01, learning_rate))
    expected = once * (learning_rate / 0.01)
    found = scaled.astype(np.float32)
    assert_within(
        f"the step with a learning rate of {learning_rate}, scaled from that with 0.01,",
        found,
        expected,
        RATE_ERROR * np.abs(expected),
    )


@claim("training.optimizers-module")
def test_optimizers_module(keras):
    assert callable(keras.namespace.optimizers.Adam)


@claim("training.adam-learning-rate")
def test_adam_learning_rate(keras):
    optimizer = keras.namespace.optimizers.Adam(learning_rate=0.25)
    assert float(keras.to_numpy(optimizer.learning_rate)) == 0.25


@claim("training.adam-default-rate")
def test_adam_default_rate(keras):
    rate = float(keras.to_numpy(keras.namespace.optimizers.Adam().learning_rate))
    assert rate == np.float32(LEARNING_RATE), f"the learning rate is {rate}"


@claim("training.adam-defaults")
def test_adam_defaults(keras):
    configuration = keras.namespace.optimizers.Adam().get_config()
    found = [configuration[name] for name in ("beta_1", "beta_2", "epsilon")]
    assert found == [optimizers.BETA_1, optimizers.BETA_2, optimizers.EPSILON]


@claim("training.adam-parameter")
@given(case=adam_case(), step=steps)
@example(case=CASE_NEAR_EPSILON, step=1)
def test_adam_parameter(ops, permitted, case, step):
    permitted(either_adam(partial(assert_adam, ops, case, step, "parameter")), alike=True)


def adam_arrays(seed, shape, scale=1.0):
    """Draw parameter, gradient and both moments; `scale` is the magnitude of gradients."""
    parameter, gradient, first, root = cases.normal(seed, shape, shape, shape, shape)
    return parameter, np.float32(scale) * gradient, np.float32(scale) * first, np.square(np.float32(scale) * root)


def assert_adam_steps(ops, permitted, calls):
    """Compare steps with the definition, with the same place of epsilon in all of them."""

    def check(adam):
        for arguments in calls:
            assert_correct(adam_step(adam=adam), ops.adam_step, *arguments)

    permitted(either_adam(check), alike=True)


@claim("training.adam-any-shape")
@pytest.mark.parametrize("shape", ANY_SHAPE, ids=str)
def test_adam_any_shape(ops, permitted, seed, shape):
    assert_adam_steps(ops, permitted, [(*adam_arrays(seed, shape), 3, LEARNING_RATE)])


@claim("training.adam-any-step")
def test_adam_any_step(ops, permitted, seed):
    numbers = (1, 2, 3, 9, 10, 11, 64, 99, 100, 101, 255, 256, 500, 999, 1000, 1001, 1024, 2000, 5000, 10_001, 100_000)
    arrays = adam_arrays(seed, (5, 7))
    assert_adam_steps(ops, permitted, [(*arrays, step, 0.1) for step in numbers])


@claim("training.adam-any-rate")
def test_adam_any_rate(ops, permitted, seed):
    arrays = adam_arrays(seed, (5, 7))
    assert_adam_steps(ops, permitted, [(*arrays, 3, rate) for rate in (0.0, 1e-6, 1e-4, 2e-3, 0.03, 0.5, 1.0, 10.0)])


@claim("training.adam-any-gradient")
@pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e4, 1e15])
def test_adam_any_gradient(ops, permitted, seed, scale):
    parameter, gradient, *moments = adam_arrays(seed, (5, 7), scale)
    zeros = np.zeros_like(gradient)
    calls = [(parameter, gradient, *moments), (parameter, gradient, zeros, zeros), (parameter, zeros, *moments)]
    assert_adam_steps(ops, permitted, [(*arrays, step, 0.1) for arrays in calls for step in (1, 50)])


@claim("training.adam-epsilon-place")
def test_adam_epsilon_place(ops, permitted, seed):
    # With gradients near epsilon, the step depends on the place of epsilon.
    calls = [
        (*adam_arrays(seed, shape, scale), step, rate)
        for shape in ((5, 7), (ODD,))
        for scale in (1e-8, 1e-7, 1e-6)
        for step, rate in ((1, 0.1), (2, 0.001), (10, 0.1), (100, 0.001), (1000, 0.1), (1001, 0.1), (5000, 0.001))
    ]
    assert_adam_steps(ops, permitted, calls)


@claim("training.adam-calls-are-independent")
def test_adam_calls_are_independent(ops, permitted, seed):
    first = *adam_arrays(seed, (5, 7)), 1, 0.1
    second = *adam_arrays(seed + 1, (5, 7)), 2, 0.02
    calls = *one_by_one(first, second), (*adam_arrays(seed, (ODD,)), 7, 0.1)

    def check(adam):
        assert_calls_are_independent(adam_step(adam=adam), ops.adam_step, *calls)

    permitted(either_adam(check), alike=True)


@claim("training.adam-memory-order")
def test_adam_memory_order(ops, permitted, seed):
    def check(adam):
        for shape in ((3, 5, 7), (5, 5)):
            assert_any_memory_order(adam_step(adam=adam), ops.adam_step, *adam_arrays(seed, shape), 3, 0.1)

    permitted(either_adam(check), alike=True)


@claim("training.adam-first-moment")
@given(case=adam_case(), step=steps)
def test_adam_first_moment(ops, case, step):
    assert_adam(ops, case, step, "first_moment")


@claim("training.adam-second-moment")
@given(case=adam_case(), step=steps)
def test_adam_second_moment(ops, case, step):
    assert_adam(ops, case, step, "second_moment")


def first_step(ops, gradient):
    """Return the first step of Adam from parameters of 0."""
    zeros = np.zeros_like(gradient)
    return ops.adam_step(zeros, gradient, zeros, zeros, 1, LEARNING_RATE)[0]


def first_step_bound(gradient):
    """Bound the rounding errors of the first step, and the effect of epsilon on its length."""
    zeros = np.zeros(gradient.shape)
    bound, *_ = rounding.adam_step(zeros, to_float64(gradient), zeros, zeros, 1, LEARNING_RATE)
    root = np.abs(to_float64(gradient)) * math.sqrt(1 - optimizers.BETA_2)
    return bound + LEARNING_RATE * optimizers.EPSILON / (root + optimizers.EPSILON)


# Gradients far above epsilon, so that epsilon hardly shortens the step.
gradients = arrays((2, 3)).map(lambda values: np.where(np.abs(values) < 1, np.float32(1), values))


@claim("training.adam-bias-correction")
@given(gradient=gradients)
def test_adam_bias_correction(ops, gradient):
    length = np.abs(assert_form("the first step", first_step(ops, gradient), gradient.shape))
    expected = np.full(gradient.shape, LEARNING_RATE)
    assert_within("the length of the first step", length, expected, first_step_bound(gradient))


@claim("training.adam-gradient-scale")
@given(gradient=gradients)
def test_adam_gradient_scale(ops, gradient):
    step, larger = first_step(ops, gradient), first_step(ops, np.float32(1000) * gradient)
    bound = first_step_bound(gradient) + first_step_bound(np.float32(1000) * gradient)
    assert_within("the first step for 1,000 times the gradient", larger, to_float64(step), bound)


@claim("training.adam-against-gradient")
@given(gradient=gradients)
def test_adam_against_gradient(ops, gradient):
    signs = np.sign(first_step(ops, gradient))
    assert (signs == -np.sign(gradient)).all(), f"for gradients {gradient} the steps have the signs {signs}"


@claim("training.adam-zero-gradient")
@given(parameter=arrays((2, 3)), step=steps)
def test_adam_zero_gradient(ops, parameter, step):
    zeros = np.zeros_like(parameter)
    moved, *_ = ops.adam_step(parameter, zeros, zeros, zeros, step, LEARNING_RATE)
    assert_equal("the parameter", moved, parameter)


@claim("training.random-batches")
def test_random_batches(trainings_of_seven, seed):
    first, second = (run.losses for run in trainings_of_seven[:2])
    assert (first != second).any(), f"the seeds {seed} and {seed + 1} both have the losses {first}"


# Number of trainings, enough to detect a shuffling of each epoch. With it, one in ten batches of 3 repeats an example,
# and with independent draws four in ten.
SEEDS_OF_SEVEN = 10
SEEDS_OF_TWO = 6


def frozen_training(training, sizes, examples, seed):
    """Train with a learning rate of 0."""
    return fit(training, "mlp", sizes, examples, learning_rate=0.0, seed=seed)


@pytest.fixture(scope="session")
def trainings_of_seven(training, seed, compute_once):
    """Return trainings with different seeds and a learning rate of 0, on seven examples in batches of 3."""
    examples = designed_training.seven_examples(seed)
    return compute_once(
        "frozen-of-seven",
        lambda: [frozen_training(training, SMALL, examples, seed + each) for each in range(SEEDS_OF_SEVEN)],
    )


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
def test_fit_batches_of_more(training, seed):
    examples = two_examples(seed)
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
def test_fit_whole_set(training, seed, part):
    # Both kinds are the same image with different labels, so the losses show how often each kind is drawn.
    images, labels = two_examples(seed)
    two = Examples(images[[0, 0]], labels)
    kinds = np.repeat(labels, (WHOLE.num_examples - PART, PART))
    kinds = kinds[::-1].copy() if part == "first" else kinds
    examples = Examples(np.broadcast_to(images[0], (WHOLE.num_examples, 28, 28, 1)), kinds)
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
    for each in range(1, SEEDS_OF_SEVEN):
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


@claim("training.fit-labels")
def test_fit_labels(training, trainings_of_seven, seed):
    labels = tuple(np.random.default_rng(seed).permutation(10)[:2].tolist())
    run = fit(training, "mlp", SMALL, black_examples(SMALL, *labels), learning_rate=HIGH_RATES["mlp"], seed=seed)
    assert_learns_labels("mlp", run, SMALL, labels, HIGH_RATES["mlp"])
    for name, value in trainings_of_seven[0].parameters.items():
        if name.endswith("kernel"):
            assert_equal(f"{name} after a training on black images", run.parameters[name], to_float64(value))


@claim("training.fit-labels")
def test_fit_labels_of_many_steps(training, seed):
    sizes, label = OF_THE_DOCUMENT._replace(num_batches=MANY_STEPS), seed % 10
    run = fit(training, "mlp", sizes, black_examples(sizes, label, label), learning_rate=0.01, seed=seed)
    assert_learns_labels("mlp", run, sizes, (label, label), 0.01)


# Number of batches of a training. Their losses hardly ever fall from each batch to the next.
FALLING = 12


@claim("training.fit-last-parameters")
def test_fit_last_parameters(training, seed):
    examples = designed_training.seven_examples(seed)

    def train(num_batches):
        sizes = SMALL._replace(num_batches=num_batches)
        return fit(training, "mlp", sizes, examples, learning_rate=LEARNING_RATE, seed=seed)

    assert_last_parameters("batches", train(FALLING).losses, lambda number: train(number).parameters)


# Sizes and learning rates of trainings that are compared with the definition.
TRAININGS_OF_COPIES = [(SMALL, 0.001), (SMALL, 0.01), (OF_THE_DOCUMENT, 0.0003)]


@pytest.fixture(scope="session")
def trainings_of_copies(training, trainings_of_seven, seed, compute_once):
    """Return trainings on copies of one example, each as a problem and the result of `fit`."""

    def train():
        for sizes, learning_rate in TRAININGS_OF_COPIES:
            problem = designed_training.copies_of_one(
                "mlp", trainings_of_seven[0].parameters, sizes, learning_rate, seed
            )
            examples = designed_training.examples_of(problem, sizes)
            yield problem, fit(training, "mlp", sizes, examples, learning_rate=learning_rate, seed=seed)

    return compute_once("followed", lambda: [*train()])


@pytest.fixture(scope="session")
def assert_trainings_of_copies(trainings_of_copies, compute_once):
    """Return a function that compares losses or parameters of these trainings with the definition."""

    def check(names, *, adam):
        for number, ((sizes, learning_rate), (problem, found)) in enumerate(
            zip(TRAININGS_OF_COPIES, trainings_of_copies, strict=True)
        ):
            solve = partial(solve_training, problem, learning_rate, adam=adam)
            _, expected, bounds = compute_once(f"followed-{number}-{adam.value}", solve)
            what = f"fit, {sizes.num_batches} batches of {sizes.batch_size}, learning rate {learning_rate}"
            actual = {"losses": found.losses, **found.parameters}
            assert_close(what, actual, {name: expected[name] for name in names}, bounds)

    return check


@claim("training.fit-trajectory")
def test_fit_trajectory(assert_trainings_of_copies, permitted):
    permitted(either_adam(partial(assert_trainings_of_copies, [*definition.MODELS["mlp"].shapes])))


@claim("training.fit-moves-every-parameter")
def test_fit_moves_every_parameter(trainings_of_copies):
    for problem, found in trainings_of_copies:
        unchanged = [name for name, value in problem.parameters.items() if (found.parameters[name] == value).all()]
        assert not unchanged, f"the training does not change {', '.join(unchanged)}"


@claim("training.fit-losses")
def test_fit_losses(assert_trainings_of_copies, permitted):
    permitted(either_adam(partial(assert_trainings_of_copies, ["losses"])))


# Numbers of trainings and of steps. Other batches fit all of them with a probability below 10^-6.
SEEDS_OF_STEPS, FIRST_STEPS = 3, 4


@claim("training.fit-losses")
def test_fit_losses_of_the_batches_trained_on(training, seed):
    # Each example has pixels of its own, so the weights that change show which examples a step uses.
    examples = designed_training.separate_examples(seed)
    own = examples.images.reshape(SMALL.num_examples, -1) > 0
    for each in range(SEEDS_OF_STEPS):
        runs = [
            fit(
                training,
                "mlp",
                SMALL._replace(num_batches=number or 1),
                examples,
                learning_rate=LEARNING_RATE if number else 0.0,
                seed=seed + each,
            )
            for number in range(FIRST_STEPS + 1)
        ]
        initial, drawn = runs[0].parameters["dense1/kernel"], np.zeros(SMALL.num_examples, bool)
        for number, (before, run) in enumerate(pairwise(runs), start=1):
            known = losses_of_examples(before.parameters, examples, SMALL.batch_size)
            batch = decode(run.losses[-1:], known, SMALL.batch_size)
            if not batch.is_certain:
                break
            drawn |= batch.counts[0] > 0
            changed = (run.parameters["dense1/kernel"] != initial).any(axis=-1)
            trained_on = (own & changed).any(axis=-1)
            assert (trained_on == drawn).all(), (
                f"the losses of {number} batches are those of the examples {np.flatnonzero(drawn).tolist()}, but the"
                f" steps use {np.flatnonzero(trained_on).tolist()}"
            )


@claim("training.fit-losses")
def test_fit_goes_on(training, seed):
    # All examples are equal. With this learning rate the loss falls to the smallest numbers of float32.
    one = designed_training.separate_examples(seed)
    examples = Examples(*(np.broadcast_to(values[0], (SMALL.num_examples, *values.shape[1:])) for values in one))
    curve = fit(training, "mlp", SMALL, examples, learning_rate=0.005, seed=seed).losses
    assert_goes_on(curve)


@claim("training.loss-is-mean")
@few_examples(8)
@given(seed=seeds())
def test_loss_is_mean(models, seed):
    problem, _, bounds = gradients_case(seed)
    outputs = definition.layer_outputs("mlp", to_float64(problem.parameters), to_float64(problem.inputs))
    per_example = losses.sparse_categorical_crossentropy(problem.targets, outputs["softmax"])
    actual, _ = models.loss_and_gradients(*problem)
    assert_within("the loss", actual, per_example.mean(), bounds["loss"])


@claim("training.loss-is-scalar")
@few_examples(8)
@given(seed=seeds())
def test_loss_is_scalar(models, seed):
    assert_form("the loss", models.loss_and_gradients(*problems.mlp(seed))[0], ())


@claim("training.all-zero-model")
@few_examples(8)
@given(seed=seeds())
def test_all_zero_model(models, seed):
    problem = problems.mlp(seed)
    zeros = {name: np.zeros_like(value) for name, value in problem.parameters.items()}
    actual, _ = models.loss_and_gradients(*problem._replace(parameters=zeros))
    # The bound covers the rounding of the probabilities of 1 / 10, and of the mean over 8 examples.
    even = np.full((1, 10), 0.1, np.float32).astype(np.float64)
    bound = rounding.crossentropy(np.ones((1, 1)), even)[0] + rounding.gamma(8 + rounding.DIVIDE) * math.log(10)
    assert_within("the loss", actual, math.log(10), bound + 10 * rounding.softmax(np.zeros((1, 10)))[0, 0])


@claim("training.gradients")
@few_examples(8)
@given(seed=seeds())
def test_gradients(models, seed):
    problem, expected, bounds = gradients_case(seed)
    assert_close("loss_and_gradients", gradients_of(models, problem), expected, bounds)


@claim("training.gradient-for-every-variable")
@few_examples(8)
@given(seed=seeds())
def test_gradient_for_every_variable(models, seed):
    _, found = models.loss_and_gradients(*problems.mlp(seed))
    shapes = {name: np.shape(gradient) for name, gradient in found.items()}
    assert shapes == definition.MODELS["mlp"].shapes


@claim("training.gradient-is-averaged")
@few_examples(8)
@given(seed=seeds())
def test_gradient_is_averaged(models, seed):
    problem, expected, bounds = gradients_case(seed)
    twice = problem._replace(inputs=np.tile(problem.inputs, (2, 1, 1, 1)), targets=np.tile(problem.targets, 2))
    assert_close("loss_and_gradients of every example twice", gradients_of(models, twice), expected, bounds)


@claim("training.unused-pixels")
@few_examples(8)
@given(seed=seeds())
def test_unused_pixels(models, seed):
    used = np.random.default_rng(seed).random((28, 28, 1)) < 1 / 2
    problem = problems.mlp(seed)
    _, found = models.loss_and_gradients(*problem._replace(inputs=problem.inputs * used.astype(np.float32)))
    unused = ~used.ravel()
    assert_equal("the gradient of their weights", found["dense1/kernel"][unused], np.zeros((unused.sum(), 100)))


@claim("training.trajectory")
@few_examples(8)
@given(seed=seeds())
def test_trajectory(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        parameters = {name: expected[name] for name in problem.parameters}
        assert_close(f"train, after {STEPS} steps", trained(models, problem), parameters, bounds)

    permitted(either_adam(check))


@claim("training.trajectory-losses")
@few_examples(8)
@given(seed=seeds())
def test_trajectory_losses(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("train", trained(models, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check))


@claim("training.loss-before-step")
@few_examples(8)
@given(seed=seeds())
def test_loss_before_step(models, seed):
    problem, expected, bounds = trajectory_case(seed)
    first = problem._replace(inputs=problem.inputs[:1], targets=problem.targets[:1])
    actual = assert_form("the losses", trained(models, first)["losses"], (1,))
    assert_within("the first loss", actual[0], expected["losses"][0], bounds["losses"])


@claim("training.order-of-batches")
@few_examples(8)
@given(seed=seeds())
def test_order_of_batches(models, permitted, seed):
    def check(adam):
        problem = trajectory_case(seed, adam=adam).problem
        reverse = problem._replace(inputs=problem.inputs[::-1].copy(), targets=problem.targets[::-1].copy())
        problem, expected, bounds = solved(reverse, trajectory, adam=adam)
        assert_close("train on the batches in reverse order", trained(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.new-optimizer")
@few_examples(8)
@given(seed=seeds())
def test_new_optimizer(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        trained(models, problem)
        assert_close("train, for the second time", trained(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.other-learning-rates")
@pytest.mark.parametrize(("learning_rate", "steps"), [(0.0001, STEPS), (0.003, STEPS), (0.03, 1)])
def test_other_learning_rates(models, permitted, seed, learning_rate, steps):
    def check(*, adam):
        options = {"learning_rate": learning_rate, "adam": adam}
        # Several large steps would lead to probabilities that some implementations clip.
        problem = problems.mlp(seed, steps=steps, **options)
        _, expected, bounds = solve_training(problem, **options)
        what = f"train, learning rate {learning_rate}"
        assert_close(what, trained(models, problem, learning_rate), expected, bounds)

    permitted(either_adam(check))


@claim("training.other-learning-rates")
def test_learning_rate_zero(models, seed):
    # With constant parameters, the losses show the order of the batches.
    problem = problems.mlp(seed, steps=STEPS, learning_rate=0.0)
    _, expected, bounds = solve_training(problem, 0.0)
    found = trained(models, problem, 0.0)
    assert_close("train, learning rate 0", found, {"losses": expected["losses"]}, bounds)
    for name, value in problem.parameters.items():
        assert_equal(f"{name} after training with learning rate 0", found[name], value)


@claim("training.document-batches")
def test_document_batches(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = solved(problems.mlp(seed, batch=50, steps=2, adam=adam), trajectory, adam=adam)
        assert_close("train on two batches of 50", trained(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.many-steps")
def test_many_steps(models, seed):
    silent_networks.assert_steps(models, "mlp", seed, MANY_STEPS)
    silent_networks.assert_steps(models, "mlp", seed, 3, confidence=CONFIDENT)


@claim("training.large-batches")
def test_large_batches(models, seed):
    silent_networks.assert_batch(models, "mlp", seed, LARGE_BATCH)
    silent_networks.assert_steps(models, "mlp", seed, 2, batch=LARGE_BATCH)


@claim("training.memory-order")
def test_memory_order(models, permitted, seed):
    assert_solved_in_any_order(gradients_case(seed), partial(gradients_of, models))
    permitted(
        either_adam(lambda adam: assert_solved_in_any_order(trajectory_case(seed, adam=adam), partial(trained, models)))
    )


@claim("training.confident-and-wrong")
@extreme_probabilities
def test_confident_and_wrong(models, seed, probability):
    silent_networks.assert_doubted(models, "mlp", seed, probability)


@claim("training.after-other-trainings")
def test_after_other_trainings(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        # Earlier trainings use another model, other parameters and batches, and a higher learning rate.
        trained(models, problems.linear(seed, steps=2), 0.1)
        trained(models, problems.mlp(seed, batch=50, steps=2), 0.01)
        trained(models, trajectory_case(seed + 1, adam=adam).problem)
        assert_close("train after other trainings", trained(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.every-parameter-moves")
@few_examples(8)
@given(seed=seeds())
def test_every_parameter_moves(models, seed):
    problem = problems.mlp(seed, steps=1)
    after = trained(models, problem)
    unchanged = [name for name, value in problem.parameters.items() if (after[name] == value).all()]
    assert not unchanged, f"the step does not change {unchanged}"


def apply_gradients(keras, pairs):
    """Apply gradients of 1 to a variable [1, 2] with SGD and a learning rate of 0.5; return its new value."""
    layer = keras.namespace.layers.Dense(1, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0], [2.0]], np.float32)])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.5)
    optimizer.apply_gradients(grads_and_vars=pairs([keras.to_tensor(np.ones((2, 1), np.float32))], layer.variables))
    return keras.to_numpy(layer.kernel)


@claim("training.apply-gradients")
def test_apply_gradients(keras):
    # Halves are exact in float32.
    changed = apply_gradients(keras, lambda gradients, variables: list(zip(gradients, variables, strict=True)))
    assert_equal("the variable", changed, np.array([[0.5], [1.5]]))


@claim("training.apply-gradients")
@pytest.mark.filterwarnings("ignore:.*radients do not exist")
def test_apply_missing_gradients(keras):
    # tape.gradient returns None for a variable that the loss does not depend on.
    one, other = (keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones") for _ in range(2))
    for layer in (one, other):
        layer.build((None, 1))
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.5)
    gradient = keras.to_tensor(np.ones((1, 1), np.float32))
    optimizer.apply_gradients([(None, one.kernel), (gradient, other.kernel)])
    assert_equal("the variable without a gradient", keras.to_numpy(one.kernel), np.array([[1.0]]))
    assert_equal("the other variable", keras.to_numpy(other.kernel), np.array([[0.5]]))


@claim("training.apply-gradients-zip")
def test_apply_gradients_zip(keras):
    assert_equal("the variable", apply_gradients(keras, zip), np.array([[0.5], [1.5]]))


@claim("training.number-of-losses")
def test_number_of_losses(one_epoch):
    curve = assert_form("the losses", one_epoch["losses"], (1_200,))
    assert np.isfinite(curve).all(), f"{int((~np.isfinite(curve)).sum())} losses are not finite"


@claim("training.loss-curve")
def test_loss_curve(one_epoch, evidence):
    assert_losses_not_above("mlp_one_epoch", one_epoch, evidence, classes=10)


@claim("training.loss-falls")
def test_loss_falls(one_epoch):
    means = quarters(np.asarray(one_epoch["losses"]))
    assert all(np.diff(means) < 0), f"the mean losses of the four quarters are {means}"


@claim("training.beats-guessing")
def test_beats_guessing(one_epoch):
    last = quarters(np.asarray(one_epoch["losses"]))[-1]
    assert last < math.log(10), f"the mean loss of the last quarter is {last:.3f}, that of guessing {math.log(10):.3f}"


@claim("training.fit-seed")
def test_fit_mlp_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("training.fit", implementation, results_elsewhere, seed)
