"""Batch normalisation in training and inference mode: lines 358 to 365 of the document."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.contract import Array
from assay.spec.error_bounds import image_rounding, measured_bounds
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.normalization import Statistics
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, few_examples
from assay.testing.normalization_cases import (
    NormalizationCase,
    definition_of,
    draw_case,
    normalize,
    solve,
)
from assay.testing.strategies import arrays, seeds

RANK_2, RANK_4, ONE_IMAGE = (4, 3), (2, 2, 3, 2), (1, 2, 3, 2)


def cases(*shapes):
    """Draw arguments of batch normalisation, so small that epsilon is not negligible."""
    return st.sampled_from(shapes).flatmap(
        lambda shape: st.builds(
            NormalizationCase, arrays(shape, 1.0), *[arrays(shape[-1:], 1.0)] * 3, arrays(shape[-1:], 1.0).map(np.abs)
        )
    )


def assert_normalized(ops, case, *, training):
    """Compare the output of batch normalisation with its definition."""
    outputs, _ = normalize(ops, case, training=training)
    assert_within("the output", outputs, *solve(case, training=training))


@claim("training_flag.inference-normalizes")
@given(case=cases(RANK_2, RANK_4))
def test_inference_normalizes(ops, case):
    assert_normalized(ops, case, training=False)


@claim("training_flag.training-normalizes")
@given(case=cases(RANK_2, RANK_4))
def test_training_normalizes(ops, case):
    assert_normalized(ops, case, training=True)


@claim("training_flag.inference-normalizes", "training_flag.training-normalizes")
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_gamma_of_0(ops, training):
    # With a gamma of 0 the output is beta, whatever the normalised values are.
    inputs = np.arange(24, dtype=np.float32).reshape(6, 4) ** 2
    gamma, beta = np.array([0, 1, 0, -1], np.float32), np.array([0, 1, -2, 3], np.float32)
    moving = np.ones(4, np.float32), np.full(4, 2, np.float32)
    output, _, _ = ops.batch_normalization(inputs, gamma, beta, *moving, training=training)
    output = assert_form("the output", output, inputs.shape)
    assert_equal("the channels whose gamma is 0", output[:, ::2], np.broadcast_to(beta[::2], (6, 2)))


@claim("training_flag.moving-mean", "training_flag.moving-variance")
def test_moving_whatever_gamma(ops):
    inputs = np.arange(24, dtype=np.float32).reshape(6, 4) ** 2
    start = np.ones(4, np.float32), np.full(4, 2, np.float32)
    gammas = np.array([0, -1, 1, 3], np.float32), np.ones(4, np.float32)
    one, other = (
        ops.batch_normalization(inputs, gamma, np.zeros_like(gamma), *start, training=True) for gamma in gammas
    )
    for name, actual, expected in zip(("mean", "variance"), one[1:], other[1:], strict=True):
        assert_equal(f"the moving {name} with other values of gamma", actual, expected)


def permute_positions(array, order):
    """Permute the positions of [..., channels], over all axes except the last at once."""
    return array.reshape(-1, array.shape[-1])[order].reshape(array.shape)


@claim("training_flag.statistics-of-channels")
@few_examples(8)
@given(seed=seeds())
def test_statistics_of_channels(ops, seed):
    case = draw_case(seed, RANK_4)
    order = np.random.default_rng(seed).permutation(case.inputs[..., 0].size)
    outputs, _ = normalize(ops, case._replace(inputs=permute_positions(case.inputs, order)), training=True)
    expected, bound = (permute_positions(array, order) for array in solve(case, training=True))
    assert_within("the output for pixels in another order", outputs, expected, bound)


@claim("training_flag.training-needs-no-history")
@few_examples(8)
@given(case=cases(RANK_2, RANK_4))
def test_training_needs_no_history(ops, case):
    other = case._replace(moving_mean=case.moving_mean + 1, moving_variance=case.moving_variance + 1)
    first, second = (normalize(ops, one, training=True)[0] for one in (case, other))
    assert_equal("the output for other moving statistics", second, first)


@claim("training_flag.inference-needs-no-batch")
@few_examples(8)
@given(case=cases(RANK_2, RANK_4))
def test_inference_needs_no_batch(ops, case):
    alone, _ = normalize(ops, case._replace(inputs=case.inputs[:1]), training=False)
    expected, bound = (array[:1] for array in solve(case, training=False))
    assert_within("the output of the first example alone", alone, expected, bound)


@claim("training_flag.modes-differ")
@few_examples(8)
@given(seed=seeds())
def test_modes_differ(ops, seed):
    case = draw_case(seed, RANK_4)
    inference, training = (normalize(ops, case, training=mode)[0] for mode in (False, True))
    assert (inference != training).any(), "the output is the same in both modes"


@claim("training_flag.constant-channel")
@few_examples(8)
@given(case=cases(RANK_2, RANK_4))
def test_constant_channel(ops, case):
    constant = case._replace(inputs=np.broadcast_to(case.moving_mean, case.inputs.shape).copy())
    outputs, _ = normalize(ops, constant, training=True)
    _, bound = solve(constant, training=True)
    assert_within("the output", outputs, np.broadcast_to(case.beta, outputs.shape), bound)


@claim("training_flag.one-image")
@few_examples(8)
@given(case=cases(ONE_IMAGE))
def test_one_image(ops, case):
    assert_normalized(ops, case, training=True)


@claim("training_flag.moving-mean")
@given(case=cases(RANK_2, RANK_4))
def test_moving_mean(ops, case):
    exact = NormalizationCase(*map(to_float64, case))
    expected, _ = normalization.update_moving_statistics(exact.inputs, exact.moving)
    _, found = normalize(ops, case, training=True)
    assert_within(
        "the moving mean",
        found.mean,
        expected.mean,
        image_rounding.update_moving_statistics(exact.inputs, exact.moving).mean,
    )


@claim("training_flag.moving-variance")
@given(case=cases(RANK_2, RANK_4))
@example(case=draw_case(0, RANK_2))
@example(case=draw_case(0, RANK_4))
def test_moving_variance(ops, permitted, case):
    exact = NormalizationCase(*map(to_float64, case))
    _, found = normalize(ops, case, training=True)
    bound = image_rounding.update_moving_statistics(exact.inputs, exact.moving).variance
    over_n, unbiased = (
        statistics.variance for statistics in normalization.update_moving_statistics(exact.inputs, exact.moving)
    )
    permitted(
        {
            "over-n": partial(assert_within, "the moving variance", found.variance, over_n, bound),
            "over-n-1": partial(assert_within, "the moving variance", found.variance, unbiased, bound),
        },
        alike=True,
    )


@claim("training_flag.moving-variance")
@pytest.mark.parametrize("shape", [RANK_2, RANK_4], ids=str)
def test_moving_statistics_of_a_new_layer(ops, permitted, seed, shape):
    # The initial statistics of a layer must enter the moving average like any others.
    case = draw_case(seed, shape)
    case = case._replace(
        moving_mean=np.zeros_like(case.moving_mean), moving_variance=np.ones_like(case.moving_variance)
    )
    exact = NormalizationCase(*map(to_float64, case))
    _, found = normalize(ops, case, training=True)
    bound = image_rounding.update_moving_statistics(exact.inputs, exact.moving)
    over_n, unbiased = normalization.update_moving_statistics(exact.inputs, exact.moving)
    assert_within("the moving mean", found.mean, over_n.mean, bound.mean)
    which = {"over-n": over_n, "over-n-1": unbiased}
    permitted(
        {
            key: partial(assert_within, "the moving variance", found.variance, one.variance, bound.variance)
            for key, one in which.items()
        }
    )


@claim("training_flag.moving-statistics-approach")
@few_examples(8)
@given(seed=seeds())
def test_moving_statistics_approach(ops, seed):
    case = draw_case(seed, RANK_4)
    batch = normalization.statistics(to_float64(case.inputs))
    # The start is far away, so either variance of the batch is approached.
    case = case._replace(moving_mean=case.moving_mean + 10, moving_variance=case.moving_variance + 10)
    distances = []
    for _ in range(5):
        distances.append([*(case.moving_mean - batch.mean), *(case.moving_variance - batch.variance)])
        _, moving = normalize(ops, case, training=True)
        case = case._replace(moving_mean=moving.mean, moving_variance=moving.variance)
    assert (np.diff(distances, axis=0) < 0).all(), f"the distances after each step are {distances}"


@claim("training_flag.inference-keeps-statistics")
@few_examples(8)
@given(case=cases(RANK_2, RANK_4))
def test_inference_keeps_statistics(ops, case):
    _, moving = normalize(ops, case, training=False)
    assert_equal("the moving mean", moving.mean, case.moving_mean)
    assert_equal("the moving variance", moving.variance, case.moving_variance)


# With more channels, their root mean square is more informative.
GRADIENT_SHAPES = st.sampled_from([(6, 8), (2, 2, 3, 8)])


class Gradients(NamedTuple):
    """A problem for the gradients of batch normalisation, with its solution by the definition.

    Attributes:
        case: Arguments of the forward pass.
        upstream: Gradient of the loss with respect to the output.
        expected: Gradients, by name.
        bounds: Bounds of their root mean square deviation, by name.

    """

    case: NormalizationCase
    upstream: Array
    expected: dict[str, Array]
    bounds: dict[str, float]


def gradients_case(seed, shape, *, training):
    """Draw a problem, solve it, and measure the float32 errors of its gradients over permutations of the batch."""

    def evaluate(inputs, gamma, beta, moving_mean, moving_variance, upstream):
        moving = Statistics(moving_mean, moving_variance)
        return name_gradients(vjp(definition_of(moving, training=training), upstream, inputs, gamma, beta))

    case = draw_case(seed, shape)
    generator = np.random.default_rng(seed)
    upstream = generator.uniform(-1, 1, shape).astype(np.float32)
    orders = [generator.permutation(case.inputs[..., 0].size) for _ in range(measured_bounds.PERMUTATIONS)]
    problems = [
        (permute_positions(case.inputs, order), *case[1:], permute_positions(upstream, order)) for order in orders
    ]
    expected = evaluate(*map(to_float64, (*case, upstream)))
    return Gradients(case, upstream, expected, measured_bounds.bounds_over(evaluate, problems))


def name_gradients(gradients):
    """Return the gradients by name."""
    return dict(zip(("inputs", "gamma", "beta"), gradients, strict=True))


def assert_gradients(ops, seed, shape, *, training):
    """Compare the gradients of batch normalisation with those of its definition."""
    problem = gradients_case(seed, shape, training=training)
    found = name_gradients(ops.batch_normalization_gradients(*problem.case, problem.upstream, training=training))
    assert_close("batch_normalization_gradients", found, problem.expected, problem.bounds)


@claim("training_flag.inference-gradients")
@few_examples(8)
@given(seed=seeds(), shape=GRADIENT_SHAPES)
def test_inference_gradients(ops, seed, shape):
    assert_gradients(ops, seed, shape, training=False)


@claim("training_flag.training-gradients")
@few_examples(8)
@given(seed=seeds(), shape=GRADIENT_SHAPES)
def test_training_gradients(ops, seed, shape):
    assert_gradients(ops, seed, shape, training=True)


@claim("training_flag.gradients-cancel")
@few_examples(8)
@given(seed=seeds(), shape=GRADIENT_SHAPES)
def test_gradients_cancel(ops, seed, shape):
    problem = gradients_case(seed, shape, training=True)
    found, *_ = ops.batch_normalization_gradients(*problem.case, problem.upstream, training=True)
    sums = to_float64(assert_form("the gradient of the inputs", found, shape)).reshape(-1, shape[-1]).sum(axis=0)
    # The errors of n out of N elements add up to at most sqrt(n N) times the root mean square of all (Cauchy-Schwarz).
    bound = math.sqrt(math.prod(shape[:-1]) * found.size) * problem.bounds["inputs"]
    assert_within("the sum over the batch", sums, np.zeros(shape[-1]), bound, np.dtype(np.float64))
