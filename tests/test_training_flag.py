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
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, fewer
from assay.testing.strategies import arrays, seeds

CLASSES = read("flowers")["classes"]


class Case(NamedTuple):
    """Arguments of batch normalisation, float32.

    Attributes:
        inputs: [..., channels].
        gamma: [channels], as the others.
        beta: what is added.
        moving_mean: before the call.
        moving_variance: before the call.

    """

    inputs: Array
    gamma: Array
    beta: Array
    moving_mean: Array
    moving_variance: Array

    @property
    def moving(self):
        """The moving statistics."""
        return Statistics(self.moving_mean, self.moving_variance)


RANK_2, RANK_4, ONE_IMAGE = (4, 3), (2, 2, 3, 2), (1, 2, 3, 2)


def cases(*shapes):
    """Draw the arguments of batch normalisation: small numbers, beside which epsilon is not."""
    return st.sampled_from(shapes).flatmap(
        lambda shape: st.builds(
            Case, arrays(shape, 1.0), *[arrays(shape[-1:], 1.0)] * 3, arrays(shape[-1:], 1.0).map(np.abs)
        )
    )


def case_of(seed, shape):
    """Make arguments of batch normalisation from a seed."""
    generator = np.random.default_rng(seed)
    inputs, *vectors = (generator.uniform(-1, 1, one).astype(np.float32) for one in (shape, *[shape[-1:]] * 4))
    return Case(inputs, *vectors[:3], np.abs(vectors[3]))


def normalize(ops, case, *, training):
    """Run batch normalisation; return its output and the moving statistics after it."""
    channels = case.gamma.shape
    outputs, *moving = ops.batch_normalization(*case, training=training)
    assert_form("the output", outputs, case.inputs.shape)
    mean, variance = (
        assert_form(f"the moving {what}", one, channels) for what, one in zip(Statistics._fields, moving, strict=True)
    )
    return outputs, Statistics(mean, variance)


def defined(case, *, training):
    """Return the definition's output, and its bound."""
    exact = Case(*map(to_float64, case))
    arguments = exact.inputs, exact.gamma, exact.beta, exact.moving
    return (
        normalization.batch_normalization(*arguments, training=training),
        image_rounding.batch_normalization(*arguments, training=training),
    )


def assert_normalized(ops, case, *, training):
    """Compare the output of batch normalisation with its definition."""
    outputs, _ = normalize(ops, case, training=training)
    assert_within("the output", outputs, *defined(case, training=training))


@claim("training_flag.inference-normalizes")
@given(case=cases(RANK_2, RANK_4))
def test_inference_normalizes(ops, case):
    assert_normalized(ops, case, training=False)


@claim("training_flag.training-normalizes")
@given(case=cases(RANK_2, RANK_4))
def test_training_normalizes(ops, case):
    assert_normalized(ops, case, training=True)


def reordered(array, order):
    """Put the places of [..., channels] into another order, over all axes but the last at once."""
    return array.reshape(-1, array.shape[-1])[order].reshape(array.shape)


@claim("training_flag.statistics-of-channels")
@fewer
@given(seed=seeds())
def test_statistics_of_channels(ops, seed):
    case = case_of(seed, RANK_4)
    order = np.random.default_rng(seed).permutation(case.inputs[..., 0].size)
    outputs, _ = normalize(ops, case._replace(inputs=reordered(case.inputs, order)), training=True)
    expected, bound = (reordered(array, order) for array in defined(case, training=True))
    assert_within("the output for pixels in another order", outputs, expected, bound)


@claim("training_flag.training-needs-no-history")
@fewer
@given(case=cases(RANK_2, RANK_4))
def test_training_needs_no_history(ops, case):
    other = case._replace(moving_mean=case.moving_mean + 1, moving_variance=case.moving_variance + 1)
    first, second = (normalize(ops, one, training=True)[0] for one in (case, other))
    assert_equal("the output for other moving statistics", second, first)


@claim("training_flag.inference-needs-no-batch")
@fewer
@given(case=cases(RANK_2, RANK_4))
def test_inference_needs_no_batch(ops, case):
    alone, _ = normalize(ops, case._replace(inputs=case.inputs[:1]), training=False)
    expected, bound = (array[:1] for array in defined(case, training=False))
    assert_within("the output of the first example alone", alone, expected, bound)


@claim("training_flag.modes-differ")
@fewer
@given(seed=seeds())
def test_modes_differ(ops, seed):
    case = case_of(seed, RANK_4)
    inference, training = (normalize(ops, case, training=mode)[0] for mode in (False, True))
    assert (inference != training).any(), "the output is the same in both modes"


@claim("training_flag.constant-channel")
@fewer
@given(case=cases(RANK_2, RANK_4))
def test_constant_channel(ops, case):
    constant = case._replace(inputs=np.broadcast_to(case.moving_mean, case.inputs.shape).copy())
    outputs, _ = normalize(ops, constant, training=True)
    _, bound = defined(constant, training=True)
    assert_within("the output", outputs, np.broadcast_to(case.beta, outputs.shape), bound)


@claim("training_flag.one-image")
@fewer
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
@example(case=case_of(0, RANK_2))
@example(case=case_of(0, RANK_4))
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


@claim("training_flag.moving-statistics-approach")
@fewer
@given(seed=seeds())
def test_moving_statistics_approach(ops, seed):
    case = case_of(seed, RANK_4)
    batch = normalization.statistics(to_float64(case.inputs))
    # Far away, so that it does not matter which of the two variances of the batch they approach.
    case = case._replace(moving_mean=case.moving_mean + 10, moving_variance=case.moving_variance + 10)
    distances = []
    for _ in range(5):
        distances.append([*(case.moving_mean - batch.mean), *(case.moving_variance - batch.variance)])
        _, moving = normalize(ops, case, training=True)
        case = case._replace(moving_mean=moving.mean, moving_variance=moving.variance)
    assert (np.diff(distances, axis=0) < 0).all(), f"the distances after each step are {distances}"


@claim("training_flag.inference-keeps-statistics")
@fewer
@given(case=cases(RANK_2, RANK_4))
def test_inference_keeps_statistics(ops, case):
    _, moving = normalize(ops, case, training=False)
    assert_equal("the moving mean", moving.mean, case.moving_mean)
    assert_equal("the moving variance", moving.variance, case.moving_variance)


# With more channels, their root mean square says more.
GRADIENT_SHAPES = st.sampled_from([(6, 8), (2, 2, 3, 8)])


class Gradients(NamedTuple):
    """A problem of batch normalisation whose gradients are asked for, and the definition's answer.

    Attributes:
        case: the arguments.
        upstream: the gradient of the output.
        expected: the gradients, by name.
        bounds: of their root mean square deviation, by name.

    """

    case: Case
    upstream: Array
    expected: dict[str, Array]
    bounds: dict[str, float]


def gradients_case(seed, shape, *, training):
    """Make a problem, and measure how far float32 takes its gradients, over other orders of the batch."""

    def evaluate(inputs, gamma, beta, moving_mean, moving_variance, upstream):
        def output(*arguments):
            moving = Statistics(moving_mean, moving_variance)
            return normalization.batch_normalization(*arguments, moving, training=training)

        return named(vjp(output, upstream, inputs, gamma, beta))

    case = case_of(seed, shape)
    generator = np.random.default_rng(seed)
    upstream = generator.uniform(-1, 1, shape).astype(np.float32)
    orders = [generator.permutation(case.inputs[..., 0].size) for _ in range(measured_bounds.PERMUTATIONS)]
    problems = [(reordered(case.inputs, order), *case[1:], reordered(upstream, order)) for order in orders]
    return Gradients(
        case, upstream, evaluate(*map(to_float64, (*case, upstream))), measured_bounds.bounds_over(evaluate, problems)
    )


def named(gradients):
    """Return the gradients by name."""
    return dict(zip(("inputs", "gamma", "beta"), gradients, strict=True))


def assert_gradients(ops, seed, shape, *, training):
    """Compare the gradients of batch normalisation with those of its definition."""
    problem = gradients_case(seed, shape, training=training)
    found = named(ops.batch_normalization_gradients(*problem.case, problem.upstream, training=training))
    assert_close("batch_normalization_gradients", found, problem.expected, problem.bounds)


@claim("training_flag.inference-gradients")
@fewer
@given(seed=seeds(), shape=GRADIENT_SHAPES)
def test_inference_gradients(ops, seed, shape):
    assert_gradients(ops, seed, shape, training=False)


@claim("training_flag.training-gradients")
@fewer
@given(seed=seeds(), shape=GRADIENT_SHAPES)
def test_training_gradients(ops, seed, shape):
    assert_gradients(ops, seed, shape, training=True)


@claim("training_flag.gradients-cancel")
@fewer
@given(seed=seeds(), shape=GRADIENT_SHAPES)
def test_gradients_cancel(ops, seed, shape):
    problem = gradients_case(seed, shape, training=True)
    found, *_ = ops.batch_normalization_gradients(*problem.case, problem.upstream, training=True)
    sums = to_float64(assert_form("the gradient of the inputs", found, shape)).reshape(-1, shape[-1]).sum(axis=0)
    # What n elements of N are off by adds up to at most sqrt(n N) times the root mean square of all (Cauchy, Schwarz).
    bound = math.sqrt(math.prod(shape[:-1]) * found.size) * problem.bounds["inputs"]
    assert_within("the sum over the batch", sums, np.zeros(shape[-1]), bound, np.dtype(np.float64))


@claim("training_flag.normalization-defaults")
def test_normalization_defaults(keras):
    layer = keras.namespace.layers.BatchNormalization()
    assert (layer.momentum, layer.epsilon) == (normalization.MOMENTUM, normalization.EPSILON)


INPUTS = np.arange(12, dtype=np.float32).reshape(4, 3)


def moves(keras, model, layer, **options):
    """Whether a call of a model moves the moving mean of a BatchNormalization somewhere inside."""
    before = np.array(keras.to_numpy(layer.moving_mean))
    model(keras.to_tensor(INPUTS), **options)
    return bool((keras.to_numpy(layer.moving_mean) != before).any())


def assert_told(keras, model, layer):
    """Check that the layer is in training mode if the call of the model says so, and not otherwise, nor afterwards."""
    model(keras.to_tensor(INPUTS))
    modes = {}, {"training": False}, {"training": True}, {}, {"training": True}, {"training": False}
    found = [moves(keras, model, layer, **options) for options in modes]
    assert found == [False, False, True, False, True, False], f"called with {modes}, it moved: {found}"


@claim("training_flag.training-argument")
def test_training_argument(keras):
    layer = keras.namespace.layers.BatchNormalization()
    assert_told(keras, layer, layer)


@claim("training_flag.training-in-subclass")
def test_training_in_subclass(keras):
    class Telling(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.normalization = keras.namespace.layers.BatchNormalization()

        def call(self, inputs, training=False):  # noqa: FBT002 - as Keras has it
            return self.normalization(inputs, training=training)

    class Silent(Telling):
        def call(self, inputs):
            return self.normalization(inputs)

    for model in (Telling(), Silent()):
        assert_told(keras, model, model.normalization)


@claim("training_flag.training-in-sequential")
def test_training_in_sequential(keras):
    layer = keras.namespace.layers.BatchNormalization()
    sequential = keras.namespace.Sequential
    assert_told(keras, sequential([sequential([layer])]), layer)


@claim("training_flag.training-in-functional")
def test_training_in_functional(keras):
    layer = keras.namespace.layers.BatchNormalization()
    inner, outer = (keras.namespace.Input((3,)) for _ in range(2))
    nested = keras.namespace.Model(inner, layer(inner))
    assert_told(keras, keras.namespace.Model(outer, nested(outer)), layer)


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
    # All of a hundred elements are kept with a probability of 2^-100.
    assert (on == 0).any(), "with training=True nothing is dropped"


@claim("training_flag.frozen-layer")
def test_frozen_layer(keras):
    layer = keras.namespace.layers.BatchNormalization(trainable=False)
    layer(keras.to_tensor(INPUTS))
    assert not moves(keras, layer, layer, training=True)


def compiled(keras):
    """Return a model of one BatchNormalization, ready for fit, and the layer."""
    layer = keras.namespace.layers.BatchNormalization()
    model = keras.namespace.Sequential([layer])
    model(keras.to_tensor(INPUTS))
    # Steps of length 0 leave gamma and beta alone.
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=0.0), loss="mean_squared_error")
    return model, layer


@claim("training_flag.fit-trains")
def test_fit_trains(keras):
    model, layer = compiled(keras)
    model.fit(INPUTS, INPUTS, batch_size=len(INPUTS), epochs=1, verbose=0)
    new = to_float64(INPUTS), Statistics(np.zeros(3), np.ones(3))
    expected, _ = normalization.update_moving_statistics(*new)
    assert_within(
        "the moving mean",
        keras.to_numpy(layer.moving_mean),
        expected.mean,
        image_rounding.update_moving_statistics(*new).mean,
    )
    assert not moves(keras, model, layer), "a call after fit is in training mode"


@claim("training_flag.evaluate-infers")
def test_evaluate_infers(keras):
    model, layer = compiled(keras)
    model.evaluate(INPUTS, INPUTS, verbose=0)
    predicted = model.predict(INPUTS, verbose=0)
    new = Case(INPUTS, *(np.full(3, value, np.float32) for value in (1, 0, 0, 1)))
    assert_within("predict", predicted, *defined(new, training=False))
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

    def changed(*, training):
        before = [np.array(keras.to_numpy(variable)) for variable in network.variables]
        network(keras.to_tensor(batch.images), training=training)
        after = map(keras.to_numpy, network.variables)
        return [bool((old != new).any()) for old, new in zip(before, after, strict=True)]

    assert changed(training=False) == [False] * len(moving)
    assert changed(training=True) == moving
