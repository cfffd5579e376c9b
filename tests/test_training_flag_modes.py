"""The argument `training` of layers and models: lines 358 to 365 of the document."""

import numpy as np
import pytest

from assay.adapters.proxy import NonConformanceError
from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.spec.semantics.normalization import Statistics
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.normalization_cases import NormalizationCase, changes_statistics, solve

CLASSES = read("flowers")["classes"]


@claim("training_flag.normalization-defaults")
def test_normalization_defaults(keras):
    layer = keras.namespace.layers.BatchNormalization()
    assert (layer.momentum, layer.epsilon) == (normalization.MOMENTUM, normalization.EPSILON)


INPUTS = np.arange(12, dtype=np.float32).reshape(4, 3)


def assert_follows_training_argument(keras, model, layer):
    """Check that a layer is in training mode only during calls of the model with training=True."""
    model(keras.to_tensor(INPUTS))
    modes = {}, {"training": False}, {"training": True}, {}, {"training": True}, {"training": False}
    found = [changes_statistics(keras, model, layer, INPUTS, **options) for options in modes]
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
    assert not changes_statistics(keras, layer, layer, INPUTS, training=True)


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
    assert not changes_statistics(keras, model, layer, INPUTS), "a call after fit is in training mode"


@claim("training_flag.evaluate-infers")
def test_evaluate_infers(keras):
    model, layer = compile_normalization(keras)
    model.evaluate(INPUTS, INPUTS, verbose=0)
    predicted = model.predict(INPUTS, verbose=0)
    new = NormalizationCase(INPUTS, *(np.full(3, value, np.float32) for value in (1, 0, 0, 1)))
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
