"""Custom losses: lines 892 to 914 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses
from assay.testing.assertions import assert_close, assert_equal, assert_rejected, assert_within, claim
from assay.testing.keras_models import evaluate_identity
from assay.testing.strategies import MATRIX_SHAPES, arrays

# Their differences are small whole numbers, so that their mean squared errors are exact in float32.
TARGETS = np.array([[1, 2], [3, 4], [5, 7], [0, 0]], np.float32)
PREDICTIONS = np.array([[1, 0], [3, 5], [6, 7], [2, 2]], np.float32)
SQUARES = np.square(PREDICTIONS - TARGETS)
WEIGHTS = np.array([1, 0, 3, 2], np.float32)
COLUMN = np.array([1, 2, 4], np.float32)


def document_loss(keras, **options):
    """Return the document's MeanSquaredError."""

    class MeanSquaredError(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_mean(keras.operations.square(y_pred - y_true))

    return MeanSquaredError(**options)


def per_example_loss(keras, **options):
    """Return a MeanSquaredError whose `call` returns one value per example."""

    class MeanSquaredError(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_mean(keras.operations.square(y_pred - y_true), axis=-1)

    return MeanSquaredError(**options)


def loss_value(keras, loss, targets=TARGETS, predicted=PREDICTIONS, **options):
    tensors = {name: keras.to_tensor(array) for name, array in options.items()}
    return keras.to_numpy(loss(keras.to_tensor(targets), keras.to_tensor(predicted), **tensors))


def train(keras, loss):
    """Train a Dense layer for two steps from a kernel of zeros, and return its parameters by name."""
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(2, kernel_initializer="zeros")])
    model.compile(optimizer=keras.namespace.optimizers.SGD(0.5), loss=loss, run_eagerly=True)
    model.fit(TARGETS, PREDICTIONS, batch_size=2, shuffle=False, verbose=0)
    return dict(zip(("kernel", "bias"), map(keras.to_numpy, model.variables), strict=True))


@st.composite
def pairs(draw):
    """Draw targets and predictions of one shape."""
    shape = draw(st.sampled_from(MATRIX_SHAPES))
    return draw(arrays(shape)), draw(arrays(shape))


def assert_mean_squared_error(keras, loss, pair):
    assert_within(
        "the loss",
        loss_value(keras, loss, *pair),
        losses.mean_squared_error(*map(to_float64, pair)),
        rounding.mean_squared_error(*map(to_float64, pair)),
    )


# Custom losses in general


@claim("custom_loss_metric.loss-call-is-enough")
def test_loss_call_is_enough(keras):
    class Largest(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_sum(y_true - y_pred, axis=-1)

    assert_equal("the mean of sums", loss_value(keras, Largest()), np.mean((TARGETS - PREDICTIONS).sum(axis=-1)))


@claim("custom_loss_metric.loss-call-required")
def test_loss_call_required(keras):
    class WithoutCall(keras.namespace.losses.Loss):
        pass

    with pytest.raises(NotImplementedError):
        loss_value(keras, WithoutCall())


@claim("custom_loss_metric.loss-arguments")
@pytest.mark.parametrize("by_name", [False, True])
def test_loss_arguments(keras, by_name):
    class Targets(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_mean(y_true, axis=-1)

    tensors = {"y_true": keras.to_tensor(TARGETS), "y_pred": keras.to_tensor(PREDICTIONS)}
    result = Targets()(**tensors) if by_name else Targets()(*tensors.values())
    assert_equal("the mean of the targets", keras.to_numpy(result), TARGETS.mean())


@claim("custom_loss_metric.loss-options")
def test_loss_options(keras):
    loss = per_example_loss(keras, reduction="sum", name="mine")
    assert loss.name == "mine"
    restored = type(loss).from_config(loss.get_config())
    assert (restored.name, restored.reduction) == ("mine", "sum")


@claim("custom_loss_metric.unknown-reduction")
def test_unknown_reduction(keras):
    assert_rejected("reduction='most'", lambda: document_loss(keras, reduction="most"))


@claim("custom_loss_metric.loss-casts")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64"])
def test_loss_casts(keras, dtype):
    assert_equal("the loss", loss_value(keras, document_loss(keras), TARGETS.astype(dtype)), SQUARES.mean())


# The document's MeanSquaredError


@claim("custom_loss_metric.loss-computes")
@given(pair=pairs())
def test_loss_computes(keras, pair):
    assert_mean_squared_error(keras, document_loss(keras), pair)


@claim("custom_loss_metric.loss-is-built-in")
def test_loss_is_built_in(keras):
    built_in = keras.namespace.losses.MeanSquaredError()
    assert_equal("the loss", loss_value(keras, document_loss(keras)), loss_value(keras, built_in).astype(np.float64))


@claim("custom_loss_metric.loss-symmetric")
def test_loss_symmetric(keras):
    loss = document_loss(keras)
    assert_equal("the loss with exchanged arguments", loss_value(keras, loss, PREDICTIONS, TARGETS), SQUARES.mean())


@claim("custom_loss_metric.loss-trains")
def test_loss_trains(keras):
    expected = train(keras, keras.namespace.losses.MeanSquaredError())
    # With powers of 2 and small whole numbers, two steps do not round.
    assert_close("the parameters", train(keras, document_loss(keras)), expected, {"kernel": 0.0, "bias": 0.0})


@claim("custom_loss_metric.loss-evaluates")
def test_loss_evaluates(keras):
    results = evaluate_identity(keras.namespace, PREDICTIONS, TARGETS, loss=document_loss(keras))
    # The batches have 3 examples and 1 example, so that the first mean is one of 6 squares.
    assert_within("the loss", results["loss"], SQUARES.mean(), rounding.gamma(8) * SQUARES.mean())


@claim("custom_loss_metric.loss-without-examples")
def test_loss_without_examples(keras):
    actual = loss_value(keras, document_loss(keras), TARGETS[:0], PREDICTIONS[:0])
    assert np.isnan(actual), f"expected NaN without examples, got {actual}"


@claim("custom_loss_metric.loss-none")
def test_loss_none(keras):
    built_in = keras.namespace.losses.MeanSquaredError(reduction="none")
    assert_equal("the document's loss", loss_value(keras, document_loss(keras, reduction="none")), SQUARES.mean())
    assert_equal("the built-in loss", loss_value(keras, built_in), SQUARES.mean(axis=-1))


@claim("custom_loss_metric.loss-sum")
def test_loss_sum(keras):
    built_in = keras.namespace.losses.MeanSquaredError(reduction="sum")
    assert_equal("the document's loss", loss_value(keras, document_loss(keras, reduction="sum")), SQUARES.mean())
    assert_equal("the built-in loss", loss_value(keras, built_in), SQUARES.mean(axis=-1).sum())


@claim("custom_loss_metric.loss-weights")
def test_loss_weights(keras, permitted):
    right = np.mean(WEIGHTS * SQUARES.mean(axis=-1))
    assert_equal("the loss per example", loss_value(keras, per_example_loss(keras), sample_weight=WEIGHTS), right)

    def weighted():
        return loss_value(keras, document_loss(keras), sample_weight=WEIGHTS)

    refused = partial(assert_rejected, "a weight for each example", weighted, keras.operations.InvalidArgumentError)
    scaled = SQUARES.mean() * WEIGHTS.mean()
    assert scaled != right
    permitted({"refused": refused, "scaled": lambda: assert_equal("the document's loss", weighted(), scaled)})


@claim("custom_loss_metric.loss-column")
@pytest.mark.parametrize("column", ["targets", "predictions"])
def test_loss_column(keras, column):
    arguments = [COLUMN[:, None], COLUMN] if column == "targets" else [COLUMN, COLUMN[:, None]]
    all_squares = np.square(COLUMN[:, None] - COLUMN)
    actual = loss_value(keras, document_loss(keras), *arguments)
    assert_within("the mean of 9 squares", actual, all_squares.mean(), rounding.quotient(all_squares.mean()))
    assert_equal(
        "the built-in loss", loss_value(keras, keras.namespace.losses.MeanSquaredError(), *arguments), np.zeros(())
    )


# The loss of the implementation


@claim("custom_loss_metric.robust-loss-computes")
@given(pair=pairs())
def test_robust_loss_computes(keras, pair):
    assert_mean_squared_error(keras, keras.mean_squared_error(), pair)


@claim("custom_loss_metric.robust-loss-trains")
def test_robust_loss_trains(keras):
    expected = train(keras, keras.namespace.losses.MeanSquaredError())
    assert_close("the parameters", train(keras, keras.mean_squared_error()), expected, {"kernel": 0.0, "bias": 0.0})


@claim("custom_loss_metric.robust-loss-none")
def test_robust_loss_none(keras):
    loss = keras.mean_squared_error(reduction="none")
    assert_equal("the loss of each example", loss_value(keras, loss), SQUARES.mean(axis=-1))
    assert_equal("the loss of each number", loss_value(keras, loss, TARGETS[:, 0], PREDICTIONS[:, 0]), SQUARES[:, 0])


@claim("custom_loss_metric.robust-loss-sum")
def test_robust_loss_sum(keras):
    assert_equal("the sum", loss_value(keras, keras.mean_squared_error(reduction="sum")), SQUARES.mean(axis=-1).sum())


@claim("custom_loss_metric.robust-loss-weights")
def test_robust_loss_weights(keras):
    per_example = WEIGHTS * SQUARES.mean(axis=-1)
    assert_equal("the mean", loss_value(keras, keras.mean_squared_error(), sample_weight=WEIGHTS), per_example.mean())
    none = keras.mean_squared_error(reduction="none")
    assert_equal("the loss of each example", loss_value(keras, none, sample_weight=WEIGHTS), per_example)
    added = keras.mean_squared_error(reduction="sum")
    assert_equal("the sum", loss_value(keras, added, sample_weight=WEIGHTS), per_example.sum())
    assert_equal(
        "twice the mean", loss_value(keras, keras.mean_squared_error(), sample_weight=np.float32(2)), 2 * SQUARES.mean()
    )


@claim("custom_loss_metric.robust-loss-sequences")
def test_robust_loss_sequences(keras):
    pair = TARGETS.reshape(2, 2, 2), PREDICTIONS.reshape(2, 2, 2)
    none = keras.mean_squared_error(reduction="none")
    assert_equal("the loss of each step", loss_value(keras, none, *pair), SQUARES.mean(axis=-1).reshape(2, 2))
    assert_equal("the mean", loss_value(keras, keras.mean_squared_error(), *pair), SQUARES.mean())


@claim("custom_loss_metric.robust-loss-large")
def test_robust_loss_large(keras):
    # Sizes above usual block sizes and not multiples of them. Sums of the squares of whole numbers are exact.
    targets, predictions = np.random.default_rng(0).integers(-4, 5, (2, 37, 1_031)).astype(np.float32)
    expected = np.square(to_float64(predictions - targets)).mean(axis=-1)
    found = loss_value(keras, keras.mean_squared_error(reduction="none"), targets, predictions)
    assert_within("the loss of each example", found, expected, rounding.gamma(rounding.DIVIDE + 2) * expected)


@claim("custom_loss_metric.loss-takes-arrays")
def test_loss_takes_arrays(keras):
    for loss in (document_loss(keras), keras.mean_squared_error()):
        assert_equal("the loss", keras.to_numpy(loss(TARGETS, PREDICTIONS)), SQUARES.mean())


@claim("custom_loss_metric.robust-loss-again")
def test_robust_loss_again(keras):
    loss = keras.mean_squared_error()
    for factor in (1, 2, 0, 1):
        found = loss_value(keras, loss, factor * TARGETS, factor * PREDICTIONS)
        assert_equal(f"the loss of numbers {factor} times as large", found, factor**2 * SQUARES.mean())


def fit_weight(keras, loss, **options):
    """Train a model of one weight, initially 0, on inputs of 1 for a step of 1/4; return the weight and the losses."""
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=0.25), loss=loss, run_eagerly=True)
    targets = np.array([[1], [2], [4], [8]], np.float32)
    history = model.fit(np.ones_like(targets), targets, batch_size=4, verbose=0, **options).history
    return keras.to_numpy(layer.kernel), history["loss"]


@claim("custom_loss_metric.weights-in-fit")
def test_weights_in_fit(keras):
    weight, losses = fit_weight(keras, keras.mean_squared_error(), sample_weight=WEIGHTS)
    # The gradient is the mean over 4 examples of twice the weighted difference.
    assert_equal("the weight", weight, np.array([[(1 + 0 * 2 + 3 * 4 + 2 * 8) / 8]]))
    assert losses == [(1 + 0 * 4 + 3 * 16 + 2 * 64) / 4]


@claim("custom_loss_metric.sum-in-fit")
def test_sum_in_fit(keras):
    weight, losses = fit_weight(keras, keras.mean_squared_error(reduction="sum"))
    assert_equal("the weight", weight, np.array([[(1 + 2 + 4 + 8) / 2]]))
    assert losses == [1 + 4 + 16 + 64]


@claim("custom_loss_metric.robust-loss-column")
@pytest.mark.parametrize("column", ["targets", "predictions"])
def test_robust_loss_column(keras, column):
    targets, predicted = COLUMN, COLUMN + 2
    arguments = [targets[:, None], predicted] if column == "targets" else [targets, predicted[:, None]]
    assert_equal("the loss", loss_value(keras, keras.mean_squared_error(), *arguments), np.array(4.0))


@claim("custom_loss_metric.robust-loss-types")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64"])
def test_robust_loss_types(keras, dtype):
    # Predictions between whole numbers, which casting to the type of the targets would change.
    between = PREDICTIONS + np.float32(0.5)
    found = loss_value(keras, keras.mean_squared_error(), TARGETS.astype(dtype), between)
    assert_equal("the loss", found, np.square(between - TARGETS).mean())


@claim("custom_loss_metric.robust-loss-shapes")
@pytest.mark.parametrize(
    "shape", [pytest.param((4, 1), id="one column"), pytest.param((1, 2), id="one row"), (3, 2), (4, 3), (4, 1, 2)]
)
def test_robust_loss_shapes(keras, shape):
    loss, targets = keras.mean_squared_error(), np.zeros(shape, np.float32)
    assert_rejected(f"targets of {shape}", lambda: loss_value(keras, loss, targets))


@claim("custom_loss_metric.robust-loss-configuration")
def test_robust_loss_configuration(keras):
    loss = keras.mean_squared_error(reduction="sum", name="mine")
    restored = type(loss).from_config(loss.get_config())
    assert restored.name == "mine"
    assert_equal("the sum", loss_value(keras, restored), SQUARES.mean(axis=-1).sum())


# Compiled to a graph


@claim("custom_loss_metric.losses-in-a-graph")
def test_losses_in_a_graph(keras):
    namespace = keras.namespace
    inputs = namespace.Input(shape=(1,))
    layers = [namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros") for _ in range(2)]
    model = namespace.Model(inputs=inputs, outputs=[layer(inputs) for layer in layers])
    losses = [document_loss(keras), keras.mean_squared_error()]
    model.compile(optimizer=namespace.optimizers.SGD(learning_rate=0.25), loss=losses)
    targets = np.array([[2], [4], [8]], np.float32)
    data = np.ones_like(targets), [targets, 2 * targets]
    history = model.fit(*data, batch_size=2, epochs=1, shuffle=False, verbose=0).history
    # The first weight moves half way to the mean target: from 0 to 3/2, then from there to 8. Its squared errors before
    # the steps are 4, 16 and 6.5^2. The targets of the second output are twice as large.
    for what, layer, weight in zip(("the document's", "the implementation's"), layers, (4.75, 9.5), strict=True):
        assert_equal(f"the weight that {what} loss moves", keras.to_numpy(layer.kernel), np.array([[weight]]))
    expected = (1 + 4) * (4 + 16 + 6.5**2) / 3
    assert_within("the loss", np.float32(history["loss"][0]), expected, rounding.gamma(8 + rounding.DIVIDE) * expected)
