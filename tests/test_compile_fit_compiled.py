"""compile, fit, evaluate and predict, compiled to a graph as in the document: lines 800 to 839."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.thresholds import FALSE_ALARM

# Of a model of one weight with inputs of 1, a step of 1/4 against the gradient, 2 (weight - mean of targets), goes half
# way to that mean. The targets fill two batches of four and one of two, which have different sums.
BATCH_SIZE = 4
TARGETS = np.array([0, 1, 2, 5, 8, 0, 4, 4, 16, 32], np.float32)
VALIDATION = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256], np.float32)
EPOCHS = 2
# From here, the weight never equals a target, where the absolute error has no gradient.
RECOMPILED_START = 0.5


def column(numbers):
    return np.asarray(numbers, np.float32).reshape(-1, 1).copy()


def batches(numbers):
    return [numbers[start : start + BATCH_SIZE] for start in range(0, len(numbers), BATCH_SIZE)]


def train_by_hand(weight, rate=0.25, epochs=EPOCHS):
    """Train the weight on the targets by hand.

    Returns:
        Last weight, and three lists with a value for each epoch: the mean squared error and the mean absolute error
        before each step, and the mean squared error of the validation after the epoch.

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
    """Compare means of `count` numbers."""
    expected = np.asarray(expected, np.float64)
    bound = rounding.gamma(2 * count + 4 + rounding.DIVIDE) * expected
    assert_within(what, np.asarray(actual, np.float32), expected, bound)


def compile_model(keras, model, loss, rate):
    optimizer = keras.namespace.optimizers.SGD(learning_rate=rate)
    model.compile(optimizer=optimizer, loss=loss, metrics=["mean_absolute_error"])


def fit(model, **options):
    defaults = {"batch_size": BATCH_SIZE, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
    return model.fit(np.ones((len(TARGETS), 1), np.float32), column(TARGETS), **defaults | options).history


class GraphRun(NamedTuple):
    """Results of a model of one weight that is compiled to a graph.

    Attributes:
        history: History of a fit with validation.
        weight: Weight after this fit.
        steps: Number of steps of the optimizer in this fit.
        evaluated: Result of evaluate on the validation data after this fit, in batches of four.
        predicted: Predictions for the inputs 0 to 9, in batches of four.
        predicted_two: Predictions for the inputs 1 and 2.
        half_rate_history: History of a fit of one epoch from 0, after the learning rate of the optimizer was halved.
        half_rate_weight: Weight after this fit.
        recompiled_history: History of a fit after compiling again, with the mean absolute error and another rate.
        recompiled_weight: Weight after this fit.
        recompiled_predicted: Predictions for the inputs 0 to 9 with this weight.

    """

    history: dict[str, Any]
    weight: float
    steps: int
    evaluated: list[float]
    predicted: Any
    predicted_two: Any
    half_rate_history: dict[str, Any]
    half_rate_weight: float
    recompiled_history: dict[str, Any]
    recompiled_weight: float
    recompiled_predicted: Any


@pytest.fixture(scope="module")
def graph_run(keras):
    """Return the results that several tests share, since compiling takes longer than the computations."""
    namespace = keras.namespace
    layer = namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = namespace.Sequential([namespace.Input(shape=(1,)), layer])

    def weight():
        return float(keras.to_numpy(layer.kernel).item())

    compile_model(keras, model, "mean_squared_error", 0.25)
    validation = np.ones((len(VALIDATION), 1), np.float32), column(VALIDATION)
    history = fit(model, validation_data=validation)
    first = history, weight(), int(keras.to_numpy(model.optimizer.iterations))
    evaluated = model.evaluate(*validation, batch_size=BATCH_SIZE, verbose=0)
    predicted = model.predict(column(range(10)), batch_size=BATCH_SIZE, verbose=0)
    predicted_two = model.predict(column([1, 2]), batch_size=BATCH_SIZE, verbose=0)
    layer.set_weights([np.zeros((1, 1), np.float32)])
    model.optimizer.learning_rate = 0.125
    half_rate = fit(model, epochs=1), weight()
    compile_model(keras, model, "mean_absolute_error", 0.5)
    layer.set_weights([np.full((1, 1), RECOMPILED_START, np.float32)])
    recompiled_history = fit(model, epochs=1)
    recompiled_predicted = model.predict(column(range(10)), batch_size=BATCH_SIZE, verbose=0)
    return GraphRun(
        *first, evaluated, predicted, predicted_two, *half_rate, recompiled_history, weight(), recompiled_predicted
    )


@claim("compile_fit.compiled-trajectory")
def test_compiled_trajectory(graph_run):
    weight, squares, distances, _ = train_by_hand(0.0)
    assert graph_run.steps == EPOCHS * 3, f"fit took {graph_run.steps} steps, expected {EPOCHS * 3}"
    assert_equal("the weight", graph_run.weight, np.array(weight))
    assert_means("the losses", graph_run.history["loss"], squares, len(TARGETS))
    assert_means("the metrics", graph_run.history["mean_absolute_error"], distances, len(TARGETS))


@claim("compile_fit.compiled-validation")
def test_compiled_validation(graph_run):
    *_, validation = train_by_hand(0.0)
    assert_means("val_loss", graph_run.history["val_loss"], validation, len(VALIDATION))


@claim("compile_fit.compiled-evaluate")
def test_compiled_evaluate(graph_run):
    distances = np.abs(graph_run.weight - VALIDATION)
    assert_means("the loss", graph_run.evaluated[0], np.mean(distances**2), len(VALIDATION))
    assert_means("the metric", graph_run.evaluated[1], np.mean(distances), len(VALIDATION))


@claim("compile_fit.predict-in-order")
def test_predict_in_order(graph_run):
    # A product of two numbers does not depend on the batch.
    assert_equal("predict of ten examples", graph_run.predicted, column(range(10)) * np.float32(graph_run.weight))
    assert_equal("predict of two examples", graph_run.predicted_two, column([1, 2]) * np.float32(graph_run.weight))
    expected = column(range(10)) * np.float32(graph_run.recompiled_weight)
    assert_equal("predict after further training", graph_run.recompiled_predicted, expected)


@claim("compile_fit.learning-rate-between-fits")
def test_learning_rate_between_fits(graph_run):
    weight, squares, *_ = train_by_hand(0.0, rate=0.125, epochs=1)
    assert_equal("the weight", graph_run.half_rate_weight, np.array(weight))
    assert_means("the loss", graph_run.half_rate_history["loss"], squares, len(TARGETS))


@claim("compile_fit.compiled-again")
def test_compiled_again(graph_run):
    weight, losses = RECOMPILED_START, []
    for batch in batches(TARGETS.astype(np.float64)):
        assert weight not in batch
        losses.extend(np.abs(weight - batch))
        weight -= 0.5 * np.mean(np.sign(weight - batch))
    assert_equal("the weight", graph_run.recompiled_weight, np.array(weight))
    assert_means("the losses", graph_run.recompiled_history["loss"], [np.mean(losses)], len(TARGETS))


# Dropout drops or doubles eight outputs, which are powers of 4. So the mean absolute error over two steps has one digit
# for each output in base 4: the number of steps that kept it.
OUTPUTS = 8


@pytest.fixture(scope="module")
def kept_counts(keras):
    """Return how often each output was kept in each of four epochs of two steps, and the validation losses."""
    namespace = keras.namespace
    layer = namespace.layers.Dense(OUTPUTS, use_bias=False)
    model = namespace.Sequential([namespace.Input(shape=(1,)), layer, namespace.layers.Dropout(0.5)])
    layer.set_weights([4.0 ** np.arange(OUTPUTS, dtype=np.float32)[None]])
    compile_model(keras, model, "mean_absolute_error", 0.0)
    data = np.ones((2, 1), np.float32), np.zeros((2, OUTPUTS), np.float32)
    history = model.fit(*data, batch_size=1, epochs=4, validation_data=data, verbose=0).history
    numbers = [round(loss * OUTPUTS) for loss in history["loss"]]
    digits = [[number >> 2 * place & 3 for place in range(OUTPUTS)] for number in numbers]
    return digits, history["val_loss"]


@claim("compile_fit.compiled-dropout")
def test_compiled_dropout(kept_counts):
    digits, _ = kept_counts
    assert {digit for epoch in digits for digit in epoch} <= {0, 1, 2}, (
        f"expected each output to be kept 0 to 2 times: {digits}"
    )
    # Two steps keep an output 0, 1 or 2 times with probabilities 1/4, 1/2 and 1/4.
    assert (1 / 4**4 + 1 / 2**4 + 1 / 4**4) ** OUTPUTS < FALSE_ALARM
    assert len({tuple(epoch) for epoch in digits}) > 1, f"every epoch has the same masks: {digits[0]}"
    assert (1 / 2) ** (4 * OUTPUTS) < FALSE_ALARM
    assert any(digit == 1 for epoch in digits for digit in epoch), f"both steps have the same mask: {digits}"


@claim("compile_fit.compiled-validation-infers")
def test_compiled_validation_infers(kept_counts):
    _, losses = kept_counts
    assert_equal("val_loss", np.float32(losses), np.full(4, (4**OUTPUTS - 1) / 3 / OUTPUTS))
