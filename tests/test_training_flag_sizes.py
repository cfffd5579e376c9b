"""Batch normalisation of any size and of any numbers: lines 358 to 365 of the document."""

from functools import partial

import numpy as np
import pytest

from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.normalization import Statistics
from assay.testing.assertions import assert_equal, assert_rejected, assert_within, claim
from assay.testing.image_cases import LONG, reverse_inside
from assay.testing.normalization_cases import NormalizationCase, definition_of, draw_case, normalize, solve
from assay.testing.stored_arrays import assert_results_stay, memory_orders, swap_elements

# The number of channels or of positions exceeds the block sizes of kernels, or is near one of the smaller block sizes.
SIZES = (
    *((5, 33), (33, 5), (LONG, 3), (3, LONG), (130, 65)),
    *((2, 3, 5, 17), (33, 5, 7, 5), (1, 33, 35, 3), (3, 2, 2, LONG), (LONG, 1, 2, 2)),
    # Equal axes, which could be confused; a single channel.
    *((5, 5), (3, 3, 3, 3), (7, 1), (2, 3, 4, 1)),
)

EVERY_SIZE = pytest.mark.parametrize("shape", SIZES, ids=str)
BOTH_RANKS = pytest.mark.parametrize("shape", [(6, 33), (2, 3, 5, 33)], ids=str)
BOTH_MODES = pytest.mark.parametrize("training", [True, False])


def assert_all_but_variance(ops, case, what, *, training):
    """Compare everything but the moving variance in training mode, which the document does not specify."""
    outputs, found = normalize(ops, case, training=training)
    assert_within(f"the output, {what}", outputs, *solve(case, training=training))
    if training:
        exact = to_float64(case.inputs), Statistics(*map(to_float64, case.moving))
        expected, _ = normalization.update_moving_statistics(*exact)
        bound = image_rounding.update_moving_statistics(*exact).mean
        assert_within(f"the moving mean, {what}", found.mean, expected.mean, bound)
    else:
        assert_equal(f"the moving mean, {what}", found.mean, case.moving_mean)
        assert_equal(f"the moving variance, {what}", found.variance, case.moving_variance)


@claim("training_flag.every-size")
@EVERY_SIZE
@BOTH_MODES
def test_every_size(ops, seed, shape, training):
    assert_all_but_variance(ops, draw_case(seed, shape), f"shape {list(shape)}", training=training)


def assert_each_gradient(ops, case, upstream, what, *, training):
    """Compare each gradient with the definition, element by element."""
    exact = NormalizationCase(*map(to_float64, case))
    found = ops.batch_normalization_gradients(*case, upstream, training=training)
    expected = vjp(definition_of(exact.moving, training=training), to_float64(upstream), *exact[:3])
    arguments = (*exact[:3], exact.moving, to_float64(upstream))
    bounds = image_rounding.batch_normalization_gradients(*arguments, training=training)
    for name, *compared in zip(("inputs", "gamma", "beta"), found, expected, bounds, strict=True):
        assert_within(f"the gradient for {name}, {what}, training={training}", *compared)


@claim("training_flag.every-size-gradients")
@EVERY_SIZE
@BOTH_MODES
def test_every_size_gradients(ops, seed, shape, training):
    upstream = draw_case(seed + 1, shape).inputs
    case = draw_case(seed, shape)
    # With a gamma of 0, the normalised inputs cannot be recovered from the output.
    case.gamma[::2] = 0
    assert_each_gradient(ops, case, upstream, f"shape {list(shape)}", training=training)


@claim("training_flag.one-moving-variance")
def test_one_moving_variance(ops, permitted, seed):
    # With few positions, the two variances differ most.
    drawn = [draw_case(seed, shape) for shape in ((3, 2), (2, 2, 1, 2), *SIZES)]
    found = [normalize(ops, case, training=True)[1].variance for case in drawn]

    def check(which):
        for case, variance in zip(drawn, found, strict=True):
            exact = to_float64(case.inputs), Statistics(*map(to_float64, case.moving))
            expected = normalization.update_moving_statistics(*exact)[which].variance
            bound = image_rounding.update_moving_statistics(*exact).variance
            assert_within(f"the moving variance, shape {list(case.inputs.shape)}", variance, expected, bound)

    permitted({"over-n": partial(check, 0), "over-n-1": partial(check, 1)})


def is_refused(call):
    """Whether a call raises an error of a variance that is undefined."""
    try:
        assert_rejected("the call", call, ValueError, ZeroDivisionError)
    except AssertionError:
        return False
    return True


@claim("training_flag.one-position")
@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 1, 3)], ids=str)
def test_one_position(ops, permitted, seed, shape):
    case = draw_case(seed, shape)

    refused = is_refused(partial(ops.batch_normalization, *case, training=True))

    def answer():
        assert not refused, "a single position is refused"
        assert_all_but_variance(ops, case, "a single position", training=True)
        variance = normalize(ops, case, training=True)[1].variance
        exact = to_float64(case.inputs), Statistics(*map(to_float64, case.moving))
        expected, _ = normalization.update_moving_statistics(*exact)
        bound = image_rounding.update_moving_statistics(*exact).variance
        assert_within("the moving variance of a single position", variance, expected.variance, bound)

    def refuse():
        assert refused, "a single position is accepted"

    permitted({"variance-0": answer, "refused": refuse})


def draw_case_around(seed, shape, means, spread):
    """Draw arguments whose channels have about these means, with moving means near them."""
    case = draw_case(seed, shape)
    means = np.asarray(means, np.float32)
    inputs = (means + np.float32(spread) * case.inputs).astype(np.float32)
    return case._replace(inputs=inputs, moving_mean=means + case.moving_mean)


# From 0.03 to 30,000, with both signs. A variance by E[x^2] - E[x]^2 suffers from cancellation there.
MEANS = np.geomspace(0.03, 3e4, 33) * np.resize([1, -1], 33)
MEANS[16] = 300.1


@claim("training_flag.constant-channels")
@BOTH_RANKS
def test_constant_channels(ops, seed, shape):
    case = draw_case_around(seed, shape, MEANS, 0)
    outputs, _ = normalize(ops, case, training=True)
    _, bound = solve(case, training=True)
    assert_within("the output of constant channels", outputs, np.broadcast_to(case.beta, shape), bound)


@claim("training_flag.constant-gradients")
@BOTH_RANKS
def test_constant_gradients(ops, seed, shape):
    # The variance is 0, so the divisor is the root of epsilon.
    case = draw_case_around(seed, shape, np.concatenate([[0], np.geomspace(1e-6, 1e-2, 32)]), 0)
    upstream = draw_case(seed + 1, shape).inputs
    assert_each_gradient(ops, case, upstream, "constant channels", training=True)


@claim("training_flag.far-from-zero")
@BOTH_RANKS
@BOTH_MODES
@pytest.mark.parametrize("spread", [1e-3, 1, 1e3])
def test_far_from_zero(ops, seed, shape, training, spread):
    case = draw_case_around(seed, shape, MEANS, spread)
    assert_all_but_variance(
        ops, case, f"channels that vary by {spread:g} around {MEANS[0]:g} to {MEANS[-1]:g}", training=training
    )


@claim("training_flag.momentum-and-epsilon")
@BOTH_RANKS
@BOTH_MODES
def test_momentum_and_epsilon(ops, shape, training):
    # Some variances are far below epsilon, and the moving statistics are far above those of the batch.
    variances = np.concatenate([[0], np.geomspace(1e-8, 1e8, 32)]).astype(np.float32)
    signs = np.resize(np.repeat([1, -1], shape[-1]), shape)
    ones = np.ones(shape[-1], np.float32)
    inputs = (np.sqrt(variances) * signs).astype(np.float32) if training else signs.astype(np.float32)
    case = NormalizationCase(inputs, ones, 0 * ones, 1e6 * ones, variances + 1e6 * training * ones)
    assert_all_but_variance(ops, case, f"variances {variances[0]:g} to {variances[-1]:g}", training=training)


def normalization_calls(seed):
    """Yield arguments that reveal results or statistics that are kept from an earlier call."""
    case = draw_case(seed, (3, 4, 5, 3))
    yield "the first call", case
    yield "the elements in another order", case._replace(inputs=reverse_inside(case.inputs))
    yield "the same statistics", case._replace(inputs=case.inputs[::-1].copy())
    yield "other moving statistics", case._replace(moving_mean=case.moving_mean + 1, moving_variance=case.gamma**2)
    yield "other gamma and beta", case._replace(gamma=case.beta, beta=case.gamma)
    for swapped in swap_elements(case):
        yield "two elements of one argument swapped", swapped
    yield "smaller images after larger ones", case._replace(inputs=case.inputs[:, 1:, 2:].copy())
    yield "rank 2 after rank 4", case._replace(inputs=case.inputs[0, 0].copy())
    yield "the first call once more", case


@claim("training_flag.no-memory")
def test_no_memory(ops, seed):
    for what, case in normalization_calls(seed):
        for training in (True, False):
            assert_all_but_variance(ops, case, f"{what}, training={training}", training=training)


@claim("training_flag.gradients-have-no-memory")
def test_gradients_have_no_memory(ops, seed):
    for what, case in normalization_calls(seed):
        upstream = draw_case(seed + 1, case.inputs.shape).inputs
        for training, of_output in ((True, upstream), (False, upstream), (True, reverse_inside(upstream))):
            # The statistics of an earlier forward pass must not be used.
            normalize(ops, case._replace(inputs=case.inputs + 1), training=training)
            assert_each_gradient(ops, case, of_output, what, training=training)
    case, upstream = (draw_case(number, (3, 4, 5, 3)) for number in (seed, seed + 1))
    calls = [(*case, one) for one in (upstream.inputs, reverse_inside(upstream.inputs))]
    for training in (True, False):
        gradients = partial(ops.batch_normalization_gradients, training=training)
        assert_results_stay(f"batch_normalization_gradients, training={training}", gradients, *calls)


@claim("training_flag.memory-order")
@BOTH_RANKS
@BOTH_MODES
def test_memory_order(ops, seed, shape, training):
    arrays = *draw_case(seed, shape), draw_case(seed + 1, shape).inputs
    for order, (*case, upstream), _ in memory_orders(*arrays):
        viewed = NormalizationCase(*case)
        assert_all_but_variance(ops, viewed, f"arrays {order}", training=training)
        assert_each_gradient(ops, viewed, upstream, f"arrays {order}", training=training)
