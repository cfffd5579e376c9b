"""Training mode and inference mode: lines 358 to 365 of the document."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import image_rounding, measured_bounds
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.normalization import Statistics
from assay.spec.vectors import read
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, few_examples
from assay.testing.image_cases import LONG, reverse_inside
from assay.testing.strategies import arrays, seeds

CLASSES = read("flowers")["classes"]


class Case(NamedTuple):
    """Arguments of batch normalisation, float32.

    Attributes:
        inputs: [..., channels].
        gamma: [channels].
        beta: [channels].
        moving_mean: Moving mean before the call, [channels].
        moving_variance: Moving variance before the call, [channels].

    """

    inputs: Array
    gamma: Array
    beta: Array
    moving_mean: Array
    moving_variance: Array

    @property
    def moving(self):
        """Moving statistics before the call."""
        return Statistics(self.moving_mean, self.moving_variance)


RANK_2, RANK_4, ONE_IMAGE = (4, 3), (2, 2, 3, 2), (1, 2, 3, 2)


def cases(*shapes):
    """Draw arguments of batch normalisation, so small that epsilon is not negligible."""
    return st.sampled_from(shapes).flatmap(
        lambda shape: st.builds(
            Case, arrays(shape, 1.0), *[arrays(shape[-1:], 1.0)] * 3, arrays(shape[-1:], 1.0).map(np.abs)
        )
    )


def draw_case(seed, shape):
    """Draw arguments of batch normalisation from a seed."""
    generator = np.random.default_rng(seed)
    inputs, *vectors = (generator.uniform(-1, 1, one).astype(np.float32) for one in (shape, *[shape[-1:]] * 4))
    return Case(inputs, *vectors[:3], np.abs(vectors[3]))


def normalize(ops, case, *, training):
    """Run batch normalisation; return its output and the new moving statistics."""
    channels = case.gamma.shape
    outputs, *moving = ops.batch_normalization(*case, training=training)
    assert_form("the output", outputs, case.inputs.shape)
    mean, variance = (
        assert_form(f"the moving {what}", one, channels) for what, one in zip(Statistics._fields, moving, strict=True)
    )
    return outputs, Statistics(mean, variance)


def solve(case, *, training):
    """Return the output by the definition, and its bound."""
    exact = Case(*map(to_float64, case))
    arguments = exact.inputs, exact.gamma, exact.beta, exact.moving
    return (
        normalization.batch_normalization(*arguments, training=training),
        image_rounding.batch_normalization(*arguments, training=training),
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
    exact = Case(*map(to_float64, case))
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
    exact = Case(*map(to_float64, case))
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
    exact = Case(*map(to_float64, case))
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

    case: Case
    upstream: Array
    expected: dict[str, Array]
    bounds: dict[str, float]


def definition_of(moving, *, training):
    """Return the definition as a function of inputs, gamma and beta."""
    return lambda *arguments: normalization.batch_normalization(*arguments, moving, training=training)


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


# The number of channels or of positions exceeds the block sizes of kernels, or is near one of the smaller block sizes.
SIZES = (
    *((5, 33), (33, 5), (LONG, 3), (3, LONG), (130, 65)),
    *((2, 3, 5, 17), (33, 5, 7, 5), (1, 33, 35, 3), (3, 2, 2, LONG), (LONG, 1, 2, 2)),
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
    exact = Case(*map(to_float64, case))
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
    cases = [draw_case(seed, shape) for shape in ((3, 2), (2, 2, 1, 2), *SIZES)]
    found = [normalize(ops, case, training=True)[1].variance for case in cases]

    def check(which):
        for case, variance in zip(cases, found, strict=True):
            exact = to_float64(case.inputs), Statistics(*map(to_float64, case.moving))
            expected = normalization.update_moving_statistics(*exact)[which].variance
            bound = image_rounding.update_moving_statistics(*exact).variance
            assert_within(f"the moving variance, shape {list(case.inputs.shape)}", variance, expected, bound)

    permitted({"over-n": partial(check, 0), "over-n-1": partial(check, 1)})


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
    case = Case(inputs, ones, 0 * ones, 1e6 * ones, variances + 1e6 * training * ones)
    assert_all_but_variance(ops, case, f"variances {variances[0]:g} to {variances[-1]:g}", training=training)


def normalization_calls(seed):
    """Yield arguments that reveal results or statistics that are kept from an earlier call."""
    case = draw_case(seed, (3, 4, 5, 3))
    yield "the first call", case
    yield "the elements in another order", case._replace(inputs=reverse_inside(case.inputs))
    yield "other moving statistics", case._replace(moving_mean=case.moving_mean + 1, moving_variance=case.gamma**2)
    yield "other gamma and beta", case._replace(gamma=case.beta, beta=case.gamma)
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


@claim("training_flag.normalization-defaults")
def test_normalization_defaults(keras):
    layer = keras.namespace.layers.BatchNormalization()
    assert (layer.momentum, layer.epsilon) == (normalization.MOMENTUM, normalization.EPSILON)


INPUTS = np.arange(12, dtype=np.float32).reshape(4, 3)


def changes_statistics(keras, model, layer, **options):
    """Whether a call of a model changes the moving mean of a BatchNormalization inside it."""
    before = np.array(keras.to_numpy(layer.moving_mean))
    model(keras.to_tensor(INPUTS), **options)
    return bool((keras.to_numpy(layer.moving_mean) != before).any())


def assert_follows_training_argument(keras, model, layer):
    """Check that a layer is in training mode only during calls of the model with training=True."""
    model(keras.to_tensor(INPUTS))
    modes = {}, {"training": False}, {"training": True}, {}, {"training": True}, {"training": False}
    found = [changes_statistics(keras, model, layer, **options) for options in modes]
    assert found == [False, False, True, False, True, False], (
        f"after calls with {modes}, the moving mean has changed: {found}"
    )


@claim("training_flag.training-argument")
def test_training_argument(keras):
    layer = keras.namespace.layers.BatchNormalization()
    assert_follows_training_argument(keras, layer, layer)


@claim("training_flag.training-in-subclass")
def test_training_in_subclass(keras):
    class WithArgument(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.normalization = keras.namespace.layers.BatchNormalization()

        def call(self, inputs, training=False):  # noqa: FBT002 - the signature of Keras
            return self.normalization(inputs, training=training)

    class WithoutArgument(WithArgument):
        def call(self, inputs):
            return self.normalization(inputs)

    for model in (WithArgument(), WithoutArgument()):
        assert_follows_training_argument(keras, model, model.normalization)


@claim("training_flag.training-in-sequential")
def test_training_in_sequential(keras):
    layer = keras.namespace.layers.BatchNormalization()
    sequential = keras.namespace.Sequential
    assert_follows_training_argument(keras, sequential([sequential([layer])]), layer)


@claim("training_flag.training-in-functional")
def test_training_in_functional(keras):
    layer = keras.namespace.layers.BatchNormalization()
    inner, outer = (keras.namespace.Input((3,)) for _ in range(2))
    nested = keras.namespace.Model(inner, layer(inner))
    assert_follows_training_argument(keras, keras.namespace.Model(outer, nested(outer)), layer)


@claim("training_flag.training-reaches-dropout")
def test_training_reaches_dropout(keras):
    sequential = keras.namespace.Sequential
    model = sequential([sequential([keras.namespace.layers.Dropout(0.5)])])
    ones = np.ones((10, 10), np.float32)
    silent, off, on = (
        keras.to_numpy(model(keras.to_tensor(ones), **options))
        for options in ({}, {"training": False}, {"training": True})
    )
    assert_equal("the output without an argument", silent, ones)
    assert_equal("the output with training=False", off, ones)
    # Dropout keeps all of 100 elements with a probability of 2^-100.
    assert (on == 0).any(), "with training=True no element is dropped"


@claim("training_flag.frozen-layer")
def test_frozen_layer(keras):
    layer = keras.namespace.layers.BatchNormalization(trainable=False)
    layer(keras.to_tensor(INPUTS))
    assert not changes_statistics(keras, layer, layer, training=True)


def compile_normalization(keras):
    """Return a compiled model of one BatchNormalization, and the layer."""
    layer = keras.namespace.layers.BatchNormalization()
    model = keras.namespace.Sequential([layer])
    model(keras.to_tensor(INPUTS))
    # A learning rate of 0 leaves gamma and beta unchanged.
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=0.0), loss="mean_squared_error")
    return model, layer


@claim("training_flag.fit-trains")
def test_fit_trains(keras):
    model, layer = compile_normalization(keras)
    model.fit(INPUTS, INPUTS, batch_size=len(INPUTS), epochs=1, verbose=0)
    new = to_float64(INPUTS), Statistics(np.zeros(3), np.ones(3))
    expected, _ = normalization.update_moving_statistics(*new)
    assert_within(
        "the moving mean",
        keras.to_numpy(layer.moving_mean),
        expected.mean,
        image_rounding.update_moving_statistics(*new).mean,
    )
    assert not changes_statistics(keras, model, layer), "a call after fit is in training mode"


@claim("training_flag.evaluate-infers")
def test_evaluate_infers(keras):
    model, layer = compile_normalization(keras)
    model.evaluate(INPUTS, INPUTS, verbose=0)
    predicted = model.predict(INPUTS, verbose=0)
    new = Case(INPUTS, *(np.full(3, value, np.float32) for value in (1, 0, 0, 1)))
    assert_within("predict", predicted, *solve(new, training=False))
    assert_equal("the moving mean", keras.to_numpy(layer.moving_mean), new.moving_mean)


@claim("training_flag.no-learning-phase")
def test_no_learning_phase(keras):
    with pytest.raises(NonConformanceError):
        _ = keras.namespace.backend.set_learning_phase


@claim("training_flag.network-modes")
def test_network_modes(predict):
    assert (predict(training=True) != predict(training=False)).any(), "the predictions are the same in both modes"


@claim("training_flag.network-statistics")
def test_network_statistics(keras, batch):
    network = keras.namespace.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), classes=CLASSES)

    moving = [any(variable is one for one in network.non_trainable_variables) for variable in network.variables]

    def changed_variables(*, training):
        before = [np.array(keras.to_numpy(variable)) for variable in network.variables]
        network(keras.to_tensor(batch.images), training=training)
        after = map(keras.to_numpy, network.variables)
        return [bool((old != new).any()) for old, new in zip(before, after, strict=True)]

    assert changed_variables(training=False) == [False] * len(moving)
    assert changed_variables(training=True) == moving
