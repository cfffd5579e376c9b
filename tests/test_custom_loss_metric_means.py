"""Means of losses and metrics over elements and examples: lines 892 to 914 of the document."""

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_equal, assert_within, claim

# Their differences are small whole numbers, so that every mean of their squares is exact.
TARGETS = np.array([[1, 2, 3, 4], [3, 4, 5, 6]], np.float32)
PREDICTIONS = np.array([[1, 0, 3, 4], [3, 5, 6, 6]], np.float32)
SQUARES = np.square(PREDICTIONS - TARGETS)


def elementwise_loss(keras, **options):
    """Return a loss whose `call` returns one number per element."""

    class Squares(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.square(y_pred - y_true)

    return Squares(**options)


@claim("custom_loss_metric.loss-of-elements")
@pytest.mark.parametrize("shape", [(2, 4), (2, 2, 2), (1, 4, 1, 2)], ids=str)
def test_loss_of_elements(keras, shape):
    arguments = [keras.to_tensor(array.reshape(shape)) for array in (TARGETS, PREDICTIONS)]
    for options, expected in (
        ({}, SQUARES.mean()),
        ({"reduction": "sum"}, SQUARES.sum()),
        ({"reduction": "none"}, SQUARES.reshape(shape)),
    ):
        found = keras.to_numpy(elementwise_loss(keras, **options)(*arguments))
        assert_equal(f"the loss with {options}", found, expected)


@claim("custom_loss_metric.loss-of-elements")
@pytest.mark.parametrize("form", ["an object", "a function"])
def test_loss_of_elements_in_fit(keras, form):
    # The outputs are the biases, initially 0. With targets of 1, each has a gradient of -2, divided by four elements.
    namespace = keras.namespace
    loss = elementwise_loss(keras) if form == "an object" else lambda y_true, y_pred: (y_pred - y_true) ** 2
    layer = namespace.layers.Dense(4, kernel_initializer="zeros")
    model = namespace.Sequential([namespace.Input(shape=(1,)), layer])
    model.compile(optimizer=namespace.optimizers.SGD(learning_rate=0.5), loss=loss, run_eagerly=True)
    inputs, targets = np.zeros((2, 1), np.float32), np.ones((2, 4), np.float32)
    history = model.fit(inputs, targets, verbose=0).history
    assert_equal("the loss", np.float32(history["loss"][0]), np.ones(()))
    assert_equal("the biases", keras.to_numpy(layer.bias), np.full(4, 1 / 4))
    assert_equal("the loss of evaluate", np.float32(model.evaluate(inputs, targets, verbose=0)), np.array(9 / 16))


@claim("custom_loss_metric.loss-of-many-examples")
def test_loss_of_many_examples(keras):
    class SingleNumber(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_mean(keras.operations.square(y_pred - y_true))

    # Numbers of examples above usual batch sizes, and not multiples of them.
    for count in (1, 33, 128, 131):
        targets, predictions = np.zeros((count, 2), np.float32), np.full((count, 2), 4, np.float32)
        arguments = keras.to_tensor(targets), keras.to_tensor(predictions)
        expected, bound = np.float64(16), rounding.gamma(2 * count + rounding.DIVIDE) * 16
        for what, loss in (
            ("one number", SingleNumber()),
            ("one number per element", elementwise_loss(keras)),
        ):
            found = keras.to_numpy(loss(*arguments))
            assert_within(f"the loss of {count} examples ({what})", found, expected, bound)


# More examples than float16 or a byte can count one by one.
MANY = 4_099


@claim("custom_loss_metric.metric-of-many-examples")
def test_metric_of_many_examples(keras):
    scores = np.zeros((MANY, 2), np.float32)
    scores[:, 0] = 1
    labels = np.zeros(MANY, np.int32)
    labels[:3] = 1
    metric = keras.namespace.metrics.SparseCategoricalAccuracy()
    custom_metric = keras.sparse_categorical_accuracy()
    for rows in (slice(0, 1), slice(1, MANY - 1), slice(MANY - 1, MANY)):
        for one in (metric, custom_metric):
            one.update_state(keras.to_tensor(labels[rows]), keras.to_tensor(scores[rows]))
    expected = (MANY - 3) / MANY
    for what, one in (("the metric", metric), ("the custom metric", custom_metric)):
        assert_within(what, np.float32(keras.to_numpy(one.result())), expected, rounding.quotient(expected))
