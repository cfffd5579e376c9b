"""The Keras layers Dropout and BatchNormalization: lines 358 to 365 of the document."""

from functools import partial

import numpy as np
import pytest

from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.spec.semantics.normalization import Statistics
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.chances import chance_of_share
from assay.testing.normalization_cases import changes_statistics
from assay.testing.thresholds import FALSE_ALARM

INPUTS = np.arange(1, 13, dtype=np.float32).reshape(4, 3)


RATES = (0.2, 0.75)
# Rows so long that two of them hardly ever have the same mask, and none is kept or dropped entirely.
MATRIX, IMAGES = (20, 100), (4, 5, 5, 20)


def drop_elements(keras, layer, shape):
    """Call Dropout in training mode, and check the kept elements; return which elements are dropped."""
    inputs = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    outputs = assert_form("the output", keras.to_numpy(layer(keras.to_tensor(inputs), training=True)), shape)
    expected = normalization.dropout(to_float64(inputs), outputs != 0, layer.rate)
    assert_within(
        f"the elements that a rate of {layer.rate} keeps", outputs, expected, image_rounding.dropout(expected)
    )
    return outputs == 0


@pytest.fixture(scope="module")
def masks(keras):
    """Return the dropped elements for each rate and shape, in two calls of one layer."""

    def drop(rate, shape):
        layer = keras.namespace.layers.Dropout(rate)
        return [drop_elements(keras, layer, shape) for _ in range(2)]

    return {(rate, shape): drop(rate, shape) for rate in RATES for shape in (MATRIX, IMAGES)}


def assert_frequencies(draws):
    """Check numbers of successes in independent trials with binomial tests that share a false-alarm rate.

    Args:
        draws: Name, successes and probability of a success, one triple for each test.

    """
    for what, hits, probability in draws:
        count, total = int(hits.sum()), hits.size
        chance = chance_of_share(count, total, probability)
        message = f"{what}: {count} of {total}, expected {probability:.3g} of them (p = {chance:.2g})"
        assert chance > FALSE_ALARM / len(draws), message


def agreement_probability(rate):
    """Return the probability that two elements are both kept or both dropped."""
    return rate**2 + (1 - rate) ** 2


@claim("training_flag.dropout-rate")
def test_dropout_rate(masks):
    every = [(rate, shape, mask) for (rate, shape), both in masks.items() for mask in both]
    assert_frequencies(
        [(f"dropped elements of {list(shape)} at a rate of {rate}", mask, rate) for rate, shape, mask in every]
    )
    exact = [int(mask.sum()) == round(rate * mask.size) for rate, _, mask in every]
    # Of 2,000 elements, any given number is dropped with a probability below 1 / 40.
    assert 40.0 ** -len(exact) < FALSE_ALARM
    assert not all(exact), "Dropout drops exactly the same number of elements in each call"


@claim("training_flag.dropout-elements")
def test_dropout_elements(masks):
    draws = []
    for (rate, _), both in masks.items():
        for mask in both:
            for axis in range(mask.ndim):
                pairs = mask.swapaxes(0, axis)[: mask.shape[axis] // 2 * 2]
                what = f"neighbours along axis {axis} of {mask.ndim} both kept or both dropped at a rate of {rate}"
                draws.append((what, pairs[::2] == pairs[1::2], agreement_probability(rate)))
    assert_frequencies(draws)


@claim("training_flag.dropout-elements")
def test_dropout_halves(masks):
    # An element may depend on one half of an axis away, or as far from the other end.
    draws = []
    for (rate, _), both in masks.items():
        for mask in both:
            for axis in range(mask.ndim):
                first, last = np.split(mask.swapaxes(0, axis)[: mask.shape[axis] // 2 * 2], 2)
                for which, other in (("half the axis away", last), ("as far from the other end", last[::-1])):
                    what = f"elements along axis {axis} of {mask.ndim} like those {which}, at a rate of {rate}"
                    draws.append((what, first == other, agreement_probability(rate)))
    assert_frequencies(draws)


@claim("training_flag.dropout-anew")
def test_dropout_anew(masks):
    calls = [
        (
            f"elements that two calls both keep or both drop at a rate of {rate}",
            first == second,
            agreement_probability(rate),
        )
        for (rate, _), (first, second) in masks.items()
    ]
    layers = [
        (
            f"elements that two layers both keep or both drop at a rate of {rate}",
            masks[rate, MATRIX][0].ravel() == masks[rate, IMAGES][0].ravel(),
            agreement_probability(rate),
        )
        for rate in RATES
    ]
    assert_frequencies(calls + layers)


@claim("training_flag.dropout-rate-0")
def test_dropout_rate_0(keras):
    found = keras.namespace.layers.Dropout(0.0)(keras.to_tensor(INPUTS), training=True)
    assert_equal("the output", keras.to_numpy(found), INPUTS)


def create_normalization(keras, channels):
    """Create a layer with given parameters; return it, its gamma and beta, and its initial moving statistics."""
    layer = keras.namespace.layers.BatchNormalization()
    layer.build((None, *[None] * (2 if channels == 2 else 0), channels))
    start = np.arange(1, channels + 1, dtype=np.float32)
    parameters = start / 2, start - 3, start / 4, start + 1
    layer.set_weights(list(parameters))
    return layer, *map(to_float64, parameters)


@claim("training_flag.normalization-layer")
@pytest.mark.parametrize("shape", [(6, 3), (2, 4, 3, 2)], ids=str)
def test_normalization_layer(keras, permitted, shape):
    layer, gamma, beta, *moving = create_normalization(keras, shape[-1])
    inputs = (np.arange(np.prod(shape), dtype=np.float32).reshape(shape) % 7) - 2
    exact, statistics = to_float64(inputs), Statistics(*moving)

    def assert_output(what, *, training):
        found = keras.to_numpy(layer(keras.to_tensor(inputs), training=training))
        arguments = exact, gamma, beta, statistics
        expected = normalization.batch_normalization(*arguments, training=training)
        bound = image_rounding.batch_normalization(*arguments, training=training)
        assert_within(what, found, expected, bound)

    assert_output("in inference mode", training=False)
    assert_output("in training mode", training=True)
    mean, variance = map(keras.to_numpy, (layer.moving_mean, layer.moving_variance))
    over_n, unbiased = normalization.update_moving_statistics(exact, statistics)
    bound = image_rounding.update_moving_statistics(exact, statistics)
    assert_within("the moving mean", mean, over_n.mean, bound.mean)
    compare = partial(assert_within, "the moving variance", variance, bound=bound.variance)
    permitted(
        {"over-n": partial(compare, over_n.variance), "over-n-1": partial(compare, unbiased.variance)}, alike=True
    )
    # The next call starts from the rounded statistics.
    statistics = Statistics(to_float64(mean), to_float64(variance))
    assert_output("in inference mode, with updated statistics", training=False)
    assert_output("in training mode again", training=True)


@claim("training_flag.normalization-variables")
def test_normalization_variables(keras):
    layer = keras.namespace.layers.BatchNormalization()
    layer.build((None, 3))
    shapes = [[tuple(one.shape) for one in many] for many in (layer.trainable_variables, layer.non_trainable_variables)]
    assert shapes == [[(3,), (3,)]] * 2
    for what, variable, value in (
        ("gamma", layer.gamma, 1),
        ("beta", layer.beta, 0),
        ("the moving mean", layer.moving_mean, 0),
        ("the moving variance", layer.moving_variance, 1),
    ):
        assert_equal(what, keras.to_numpy(variable), np.full(3, value))


@claim("training_flag.normalization-options")
def test_normalization_options(keras):
    layer = keras.namespace.layers.BatchNormalization(momentum=0.5, epsilon=3.0)
    # The mean is 4 and the variance 1, so the root of the variance plus epsilon is 2.
    inputs = np.array([[3], [5], [3], [5]], np.float32)
    found = keras.to_numpy(layer(keras.to_tensor(inputs), training=True))
    root = image_rounding.gamma(image_rounding.SQRT + image_rounding.DIVIDE + 4)
    assert_within("the output", found, (inputs - 4) / 2, 4 * root)
    assert_equal("the moving mean", keras.to_numpy(layer.moving_mean), np.array([2]))


@claim("training_flag.frozen-model")
def test_frozen_model(keras):
    layer, sequential = keras.namespace.layers.BatchNormalization(), keras.namespace.Sequential
    inner = sequential([layer])
    model = sequential([inner])
    model(keras.to_tensor(INPUTS))
    for outside in (model, inner, layer):
        outside.trainable = False
        assert not changes_statistics(keras, model, layer, INPUTS, training=True), (
            "the statistics of a frozen layer change"
        )
        training, inference = (keras.to_numpy(model(keras.to_tensor(INPUTS), training=mode)) for mode in (True, False))
        assert_equal("the output in training mode", training, inference)
        outside.trainable = True
        assert changes_statistics(keras, model, layer, INPUTS, training=True), (
            "the statistics do not change after the layer is trainable again"
        )


@claim("training_flag.explicit-argument")
def test_explicit_argument(keras):
    class FixedMode(keras.namespace.Model):
        def __init__(self, mode):
            super().__init__()
            self.mode = mode
            self.normalization = keras.namespace.layers.BatchNormalization()

        def call(self, inputs):
            return self.normalization(inputs, training=self.mode)

    for mode in (False, True):
        inner = FixedMode(mode)
        model = keras.namespace.Sequential([inner])
        model(keras.to_tensor(INPUTS))
        found = [
            changes_statistics(keras, model, inner.normalization, INPUTS, training=outer) for outer in (False, True)
        ]
        assert found == [mode, mode], f"with training={mode} in the inner call, the moving mean has changed: {found}"


@claim("training_flag.training-reaches-every-depth")
def test_training_reaches_every_depth(keras):
    modes = []

    class Recording(keras.namespace.layers.Layer):
        def call(self, inputs, training=None):
            modes.append(bool(training))
            return inputs * 1

    class WithoutArgument(keras.namespace.Model):
        """Call the parts of a list without the argument `training`."""

        def __init__(self, *parts):
            super().__init__()
            self.parts = list(parts)

        def call(self, inputs):
            for part in self.parts:
                inputs = part(inputs)
            return inputs

    model = WithoutArgument(Recording())
    for depth in range(1, 4):
        model = WithoutArgument(model, keras.namespace.Sequential([Recording()]))
        # The first call may call layers more than once, to build them.
        model(keras.to_tensor(INPUTS))
        for options, expected in (({"training": True}, True), ({}, False), ({"training": False}, False)):
            modes.clear()
            model(keras.to_tensor(INPUTS), **options)
            assert modes == [expected] * (depth + 1), (
                f"in {depth} nested models called with {options}, the layers get {modes}"
            )


@claim("training_flag.statistics-in-fit")
def test_statistics_in_fit(keras):
    layer = keras.namespace.layers.BatchNormalization(momentum=0.5)
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    # Compiled to a graph, whose every step must update the statistics.
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=0.0), loss="mean_squared_error")
    inputs = np.array([[2], [6], [4], [8], [16]], np.float32)
    validation = 1024 * inputs, inputs
    model.fit(inputs, inputs, batch_size=2, epochs=2, shuffle=False, validation_data=validation, verbose=0)
    mean = 0.0
    for batch in (4, 6, 16) * 2:
        mean = (mean + batch) / 2
    assert_equal("the moving mean", keras.to_numpy(layer.moving_mean), np.array([mean]))
