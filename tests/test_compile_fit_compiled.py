"""compile, fit, evaluate and predict, compiled to a graph as the document runs them: lines 800 to 839."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.thresholds import FALSE_ALARM

# A model of one weight, whose inputs are 1: a step of 1/4 against the gradient 2 (weight - mean of targets) goes half
# way to that mean. Whole batches of four and a smaller one, of targets whose sums tell which of them are in it.
BATCH_SIZE = 4
TARGETS = np.array([0, 1, 2, 5, 8, 0, 4, 4, 16, 32], np.float32)
VALIDATION = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256], np.float32)
EPOCHS = 2
# No target, nor is any weight on the way from here by the sign of its distances, whose slope ends at 0.
AGAIN_FROM = 0.5


def column(numbers):
    return np.asarray(numbers, np.float32).reshape(-1, 1).copy()


def batches(numbers):
    return [numbers[start : start + BATCH_SIZE] for start in range(0, len(numbers), BATCH_SIZE)]


def by_hand(weight, rate=0.25, epochs=EPOCHS):
    """Train the weight on the targets.

    Returns:
        The last weight; for each epoch, the mean of squares and of distances before each step, and the mean of squares
        of the validation after the epoch.

    """
    squares, distances, validation = [], [], []
    for _ in range(epochs):
        errors: list[float] = []
        for batch in batches(TARGETS.astype(np.float64)):
            errors.extend(weight - batch)
            weight -= rate * 2 * (weight - batch.mean())
        squares.append(np.mean(np.square(errors)))
        distances.append(np.mean(np.abs(errors)))
        validation.append(np.mean((weight - VALIDATION) ** 2))
    return weight, squares, distances, validation


def assert_means(what, actual, expected, count):
    """Compare means of so many numbers."""
    expected = np.asarray(expected, np.float64)
    bound = rounding.gamma(2 * count + 4 + rounding.DIVIDE) * expected
    assert_within(what, np.asarray(actual, np.float32), expected, bound)


def compile_again(keras, model, loss, rate):
    optimizer = keras.namespace.optimizers.SGD(learning_rate=rate)
    model.compile(optimizer=optimizer, loss=loss, metrics=["mean_absolute_error"])


def fit(model, **options):
    usual = {"batch_size": BATCH_SIZE, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
    return model.fit(np.ones((len(TARGETS), 1), np.float32), column(TARGETS), **usual | options).history


class Compiled(NamedTuple):
    """What a model of one weight did, compiled.

    Attributes:
        history: History of a fit with validation.
        weight: after it.
        steps: Steps that the optimizer took in it.
        evaluated: Result on the validation data, in batches of four, afterwards.
        predicted: Predictions for the inputs 0 to 9, in batches of four.
        shorter: Predictions for the inputs 1 and 2.
        slower: the history of a fit of one epoch from 0, at half the learning rate, which is set on the optimizer.
        slower_weight: after it.
        again: the history of a fit after the model was compiled anew, with the mean of distances and another rate.
        again_weight: after it.
        again_predicted: Predictions for the inputs 0 to 9, with that weight.

    """

    history: dict[str, Any]
    weight: float
    steps: int
    evaluated: list[float]
    predicted: Any
    shorter: Any
    slower: dict[str, Any]
    slower_weight: float
    again: dict[str, Any]
    again_weight: float
    again_predicted: Any


@pytest.fixture(scope="module")
def compiled(keras):
    """Return what claims about the compiled loops look at; to compile takes longer than all that is computed."""
    namespace = keras.namespace
    layer = namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = namespace.Sequential([namespace.Input(shape=(1,)), layer])

    def weight():
        return float(keras.to_numpy(layer.kernel).item())

    compile_again(keras, model, "mean_squared_error", 0.25)
    validation = np.ones((len(VALIDATION), 1), np.float32), column(VALIDATION)
    history = fit(model, validation_data=validation)
    first = history, weight(), int(keras.to_numpy(model.optimizer.iterations))
    evaluated = model.evaluate(*validation, batch_size=BATCH_SIZE, verbose=0)
    predicted = model.predict(column(range(10)), batch_size=BATCH_SIZE, verbose=0)
    shorter = model.predict(column([1, 2]), batch_size=BATCH_SIZE, verbose=0)
    layer.set_weights([np.zeros((1, 1), np.float32)])
    model.optimizer.learning_rate = 0.125
    slower = fit(model, epochs=1), weight()
    compile_again(keras, model, "mean_absolute_error", 0.5)
    layer.set_weights([np.full((1, 1), AGAIN_FROM, np.float32)])
    again = fit(model, epochs=1)
    predicted_again = model.predict(column(range(10)), batch_size=BATCH_SIZE, verbose=0)
    return Compiled(*first, evaluated, predicted, shorter, *slower, again, weight(), predicted_again)


@claim("compile_fit.compiled-trajectory")
def test_compiled_trajectory(compiled):
    weight, squares, distances, _ = by_hand(0.0)
    assert compiled.steps == EPOCHS * 3, f"fit took {compiled.steps} steps"
    assert_equal("the weight", compiled.weight, np.array(weight))
    assert_means("the losses", compiled.history["loss"], squares, len(TARGETS))
    assert_means("the metrics", compiled.history["mean_absolute_error"], distances, len(TARGETS))


@claim("compile_fit.compiled-validation")
def test_compiled_validation(compiled):
    *_, validation = by_hand(0.0)
    assert_means("val_loss", compiled.history["val_loss"], validation, len(VALIDATION))


@claim("compile_fit.compiled-evaluate")
def test_compiled_evaluate(compiled):
    distances = np.abs(compiled.weight - VALIDATION)
    assert_means("the loss", compiled.evaluated[0], np.mean(distances**2), len(VALIDATION))
    assert_means("the metric", compiled.evaluated[1], np.mean(distances), len(VALIDATION))


@claim("compile_fit.predict-in-order")
def test_predict_in_order(compiled):
    # A product of two numbers is the same in whatever batch it is made.
    assert_equal("predict of ten examples", compiled.predicted, column(range(10)) * np.float32(compiled.weight))
    assert_equal("predict of two examples", compiled.shorter, column([1, 2]) * np.float32(compiled.weight))
    again = column(range(10)) * np.float32(compiled.again_weight)
    assert_equal("predict after further training", compiled.again_predicted, again)


@claim("compile_fit.learning-rate-between-fits")
def test_learning_rate_between_fits(compiled):
    weight, squares, *_ = by_hand(0.0, rate=0.125, epochs=1)
    assert_equal("the weight", compiled.slower_weight, np.array(weight))
    assert_means("the loss", compiled.slower["loss"], squares, len(TARGETS))


@claim("compile_fit.compiled-again")
def test_compiled_again(compiled):
    weight, losses = AGAIN_FROM, []
    for batch in batches(TARGETS.astype(np.float64)):
        assert weight not in batch
        losses.extend(np.abs(weight - batch))
        weight -= 0.5 * np.mean(np.sign(weight - batch))
    assert_equal("the weight", compiled.again_weight, np.array(weight))
    assert_means("the losses", compiled.again["loss"], [np.mean(losses)], len(TARGETS))


# Dropout. Each of eight outputs is a power of 4, which Dropout drops or doubles; the mean of distances from 0 over two
# steps then has a digit for each, to the base 4: how many of the two steps kept it.
OUTPUTS = 8


@pytest.fixture(scope="module")
def kept(keras):
    """Return for each of four epochs of two steps how often each output was kept, and what evaluate found."""
    namespace = keras.namespace
    layer = namespace.layers.Dense(OUTPUTS, use_bias=False)
    model = namespace.Sequential([namespace.Input(shape=(1,)), layer, namespace.layers.Dropout(0.5)])
    layer.set_weights([4.0 ** np.arange(OUTPUTS, dtype=np.float32)[None]])
    compile_again(keras, model, "mean_absolute_error", 0.0)
    data = np.ones((2, 1), np.float32), np.zeros((2, OUTPUTS), np.float32)
    history = model.fit(*data, batch_size=1, epochs=4, validation_data=data, verbose=0).history
    numbers = [round(loss * OUTPUTS) for loss in history["loss"]]
    digits = [[number >> 2 * place & 3 for place in range(OUTPUTS)] for number in numbers]
    return digits, history["val_loss"]


@claim("compile_fit.compiled-dropout")
def test_compiled_dropout(kept):
    digits, _ = kept
    assert {digit for epoch in digits for digit in epoch} <= {0, 1, 2}, f"how often each was kept: {digits}"
    # Of two draws with even chances, 0, 1 and 2 are kept with chances of 1/4, 1/2 and 1/4.
    assert (1 / 4**4 + 1 / 2**4 + 1 / 4**4) ** OUTPUTS < FALSE_ALARM
    assert len({tuple(epoch) for epoch in digits}) > 1, f"every epoch has the same masks: {digits[0]}"
    assert (1 / 2) ** (4 * OUTPUTS) < FALSE_ALARM
    assert any(digit == 1 for epoch in digits for digit in epoch), f"both steps have the same mask: {digits}"


@claim("compile_fit.compiled-validation-infers")
def test_compiled_validation_infers(kept):
    _, losses = kept
    assert_equal("val_loss", np.float32(losses), np.full(4, (4**OUTPUTS - 1) / 3 / OUTPUTS))
