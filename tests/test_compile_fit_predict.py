"""Predictions of a model that is not compiled: line 836 of the document."""

import numpy as np

from assay.testing.assertions import assert_equal, claim

NUMBERS = np.array([[1], [2], [3]], np.float32)


@claim("compile_fit.weights-as-they-are")
def test_predictions_without_compile(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    for weight in (1, 2, 4):
        layer.set_weights([np.full((1, 1), weight, np.float32)])
        actual = model.predict(NUMBERS, verbose=0)
        assert_equal(f"predict with a weight of {weight}", actual, weight * NUMBERS)
