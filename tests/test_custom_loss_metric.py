"""Custom losses and metrics: lines 892 to 914 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses
from assay.spec.semantics.metrics import SparseCategoricalAccuracy
from assay.testing.assertions import assert_close, assert_equal, assert_rejected, assert_within, claim
from assay.testing.strategies import MATRIX_SHAPES, arrays, predictions

# Their differences are small whole numbers, so that their mean squared errors are exact in float32.
TARGETS = np.array([[1, 2], [3, 4], [5, 7], [0, 0]], np.float32)
PREDICTIONS = np.array([[1, 0], [3, 5], [6, 7], [2, 2]], np.float32)
SQUARES = np.square(PREDICTIONS - TARGETS)
WEIGHTS = np.array([1, 0, 3, 2], np.float32)
COLUMN = np.array([1, 2, 4], np.float32)

# Only the prediction for the last label is wrong.
LABELS = np.array([0, 0, 2, 1], np.int32)
SCORES = np.array([[4, 1, 1], [4, 1, 1], [1, 1, 4], [4, 1, 1]], np.float32)
CORRECT_ONLY = np.array([1, 1, 1, 0], np.float32)


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


def document_metric_class(keras):
    """Return the document's class SparseCategoricalAccuracy."""
    operations = keras.operations

    class SparseCategoricalAccuracy(keras.namespace.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight(name="total", shape=(), dtype="int32", initializer="zeros")
            self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            right = operations.equal(y_true, operations.argmax(y_pred, axis=-1, output_type="int32"))
            self.total.assign_add(operations.shape(y_true)[0])
            self.count.assign_add(operations.reduce_sum(operations.cast(right, "int32")))

        def result(self):
            return self.count / self.total

    return SparseCategoricalAccuracy


def make_metric(keras, **methods):
    """Return a metric of a class with these methods. By default, its result is always 0.5."""
    constant = {
        "update_state": lambda self, y_true, y_pred, sample_weight=None: None,
        "result": lambda self: keras.to_tensor(np.float32(0.5)),
    }
    return type("Own", (keras.namespace.metrics.Metric,), constant | methods)()


def loss_value(keras, loss, targets=TARGETS, predicted=PREDICTIONS, **options):
    tensors = {name: keras.to_tensor(array) for name, array in options.items()}
    return keras.to_numpy(loss(keras.to_tensor(targets), keras.to_tensor(predicted), **tensors))


def updated_result(keras, metric, *updates, **options):
    """Update a metric with labels and scores, and return its result as float32, whatever its type."""
    tensors = {name: keras.to_tensor(array) for name, array in options.items()}
    for labels, scores in updates:
        metric.update_state(keras.to_tensor(labels), keras.to_tensor(scores), **tensors)
    return np.float32(keras.to_numpy(metric.result()))


def assert_running_result(keras, metric, updates):
    """Compare the result of a metric with the definition after each update."""
    expected = SparseCategoricalAccuracy()
    for labels, scores in updates:
        expected = expected.update(labels, scores)
        actual = updated_result(keras, metric, (labels, scores))
        assert_within("the result", actual, expected.result(), rounding.quotient(expected.result()))


def evaluate(keras, inputs, targets, *, loss, **options):
    """Evaluate a model that returns its inputs, and return loss and metrics by name."""
    weights = options.pop("sample_weight", None)
    model = keras.namespace.Sequential([keras.namespace.layers.Flatten()])
    model.compile(optimizer="sgd", loss=loss, run_eagerly=True, **options)
    return model.evaluate(inputs, targets, sample_weight=weights, batch_size=3, verbose=0, return_dict=True)


def evaluate_metric(keras, metric, labels=LABELS, **options):
    """Evaluate a model with a metric, and return the results except the loss."""
    results = evaluate(keras, SCORES, labels, loss="sparse_categorical_crossentropy", **options, metrics=[metric])
    return [number for name, number in results.items() if name != "loss"]


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


batch_lists = st.lists(predictions(), min_size=1, max_size=2).map(lambda batches: [tuple(one) for one in batches])


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
    results = evaluate(keras, PREDICTIONS, TARGETS, loss=document_loss(keras))
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


# Custom metrics in general


@claim("custom_loss_metric.metric-without-init")
def test_metric_without_init(keras):
    assert updated_result(keras, make_metric(keras), (LABELS, SCORES)) == 0.5


@claim("custom_loss_metric.metric-methods-required")
@pytest.mark.parametrize("missing", ["update_state", "result"])
def test_metric_methods_required(keras, missing):
    inherited = getattr(keras.namespace.metrics.Metric, missing)
    with pytest.raises((NotImplementedError, TypeError)):
        updated_result(keras, make_metric(keras, **{missing: inherited}), (LABELS, SCORES))


@claim("custom_loss_metric.metric-super-init")
def test_metric_super_init(keras):
    def init_without_super(self):
        self.total = self.add_weight(name="total", shape=(), initializer="zeros")

    with pytest.raises((RuntimeError, AttributeError)):
        make_metric(keras, __init__=init_without_super)


@claim("custom_loss_metric.metric-call")
def test_metric_call(keras):
    metric = document_metric_class(keras)()
    results = [metric(*map(keras.to_tensor, (LABELS[rows], SCORES[rows]))) for rows in (slice(2), slice(2, 4))]
    assert [float(keras.to_numpy(result)) for result in results] == [1, 0.75]


@claim("custom_loss_metric.metric-weight-argument")
def test_metric_weight_argument(keras):
    metric = make_metric(keras, update_state=lambda self, y_true, y_pred: None)
    with pytest.raises(TypeError):
        evaluate_metric(keras, metric)


@claim("custom_loss_metric.argmax-type")
def test_argmax_type(keras):
    largest = keras.operations.argmax(keras.to_tensor(SCORES), axis=-1)
    assert_equal("the classes", keras.to_numpy(largest), np.array([0, 0, 2, 0]), np.dtype(np.int64))
    with pytest.raises(keras.operations.InvalidArgumentError):
        keras.operations.equal(keras.to_tensor(LABELS), largest)


# The document's SparseCategoricalAccuracy


@claim("custom_loss_metric.metric-computes")
@given(batches=batch_lists)
def test_metric_computes(keras, batches):
    assert_running_result(keras, document_metric_class(keras)(), batches)


@claim("custom_loss_metric.metric-state")
def test_metric_state(keras):
    metric = document_metric_class(keras)()
    assert list(map(id, metric.variables)) == [id(metric.total), id(metric.count)]
    for variable in metric.variables:
        assert_equal("a new metric's sum", keras.to_numpy(variable), np.zeros(()), np.dtype(np.int32))
        assert not variable.trainable


@claim("custom_loss_metric.metric-counts")
def test_metric_counts(keras):
    metric = document_metric_class(keras)()
    updated_result(keras, metric, (LABELS, SCORES), (LABELS[:2], SCORES[:2]))
    assert [int(keras.to_numpy(variable)) for variable in (metric.total, metric.count)] == [6, 5]


@claim("custom_loss_metric.metric-reset")
def test_metric_reset(keras):
    metric = document_metric_class(keras)()
    updated_result(keras, metric, (LABELS, SCORES))
    metric.reset_state()
    assert [int(keras.to_numpy(variable)) for variable in metric.variables] == [0, 0]


@claim("custom_loss_metric.metrics-are-apart")
def test_metrics_are_apart(keras):
    make = document_metric_class(keras)
    one, other = make(), make()
    updated_result(keras, one, (LABELS, SCORES))
    assert updated_result(keras, other, (LABELS[:1], SCORES[:1])) == 1
    other.reset_state()
    assert updated_result(keras, one) == 0.75
    assert [int(keras.to_numpy(variable)) for variable in make().variables] == [0, 0]


@claim("custom_loss_metric.metric-result-type")
def test_metric_result_type(keras):
    metric = document_metric_class(keras)()
    updated_result(keras, metric, (LABELS, SCORES))
    assert_equal("the accuracy", keras.to_numpy(metric.result()), np.array(0.75))


@claim("custom_loss_metric.metric-exact-counts")
def test_metric_exact_counts(keras):
    metric = document_metric_class(keras)()
    metric.total.assign(2**24)
    updated_result(keras, metric, (LABELS[:1], SCORES[:1]))
    assert int(keras.to_numpy(metric.total)) == 2**24 + 1


@claim("custom_loss_metric.metric-in-compile")
def test_metric_in_compile(keras):
    assert evaluate_metric(keras, document_metric_class(keras)()) == [0.75]


@claim("custom_loss_metric.metric-columns")
def test_metric_columns(keras):
    column = np.zeros((4, 1), np.int32)
    scores = np.tile(SCORES[:1], (4, 1))
    assert updated_result(keras, document_metric_class(keras)(), (column, scores)) == 4
    assert updated_result(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), (column, scores)) == 1


@claim("custom_loss_metric.metric-single-label")
def test_metric_single_label(keras):
    assert updated_result(keras, document_metric_class(keras)(), (LABELS[:1], SCORES)) == 3


@claim("custom_loss_metric.metric-sequences")
def test_metric_sequences(keras):
    batch = LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)
    assert updated_result(keras, document_metric_class(keras)(), batch) == 1.5
    assert updated_result(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), batch) == 0.75


@claim("custom_loss_metric.metric-label-types")
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_metric_label_types(keras, dtype):
    labels = LABELS.astype(dtype)
    assert updated_result(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), (labels, SCORES)) == 0.75
    with pytest.raises(keras.operations.InvalidArgumentError):
        updated_result(keras, document_metric_class(keras)(), (labels, SCORES))


@claim("custom_loss_metric.metric-lengths")
def test_metric_lengths(keras):
    with pytest.raises(keras.operations.InvalidArgumentError):
        updated_result(keras, document_metric_class(keras)(), (LABELS[:3], SCORES))


@claim("custom_loss_metric.metric-weights")
def test_metric_weights(keras):
    batch, weights = (LABELS, SCORES), {"sample_weight": CORRECT_ONLY}
    assert updated_result(keras, document_metric_class(keras)(), batch, **weights) == 0.75
    assert updated_result(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), batch, **weights) == 1


@claim("custom_loss_metric.metric-empty")
def test_metric_empty(keras):
    assert np.isnan(updated_result(keras, document_metric_class(keras)()))


@claim("custom_loss_metric.total-and-count")
def test_total_and_count(keras):
    metric = document_metric_class(keras)()
    accuracy = updated_result(keras, metric, (LABELS, SCORES))
    total, count = (int(keras.to_numpy(variable)) for variable in (metric.total, metric.count))
    assert (total, count) == (len(LABELS), round(float(accuracy) * len(LABELS)))


@claim("custom_loss_metric.metric-takes-no-name")
def test_metric_takes_no_name(keras):
    assert keras.namespace.metrics.SparseCategoricalAccuracy(name="mine").name == "mine"
    with pytest.raises(TypeError):
        document_metric_class(keras)(name="mine")


@claim("custom_loss_metric.metric-numbered-names")
def test_metric_numbered_names(keras):
    one, other = (document_metric_class(keras)().name for _ in range(2))
    assert one != other
    assert all(name.startswith("sparse_categorical_accuracy") for name in (one, other))


@claim("custom_loss_metric.metric-no-configuration")
def test_metric_no_configuration(keras):
    metric = document_metric_class(keras)()
    with pytest.raises(TypeError):
        type(metric).from_config(metric.get_config())


# The loss and the metric of the implementation


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


@claim("custom_loss_metric.robust-metric-computes")
@given(batches=batch_lists)
def test_robust_metric_computes(keras, batches):
    assert_running_result(keras, keras.sparse_categorical_accuracy(), batches)


@claim("custom_loss_metric.robust-metric-columns")
def test_robust_metric_columns(keras):
    batch = LABELS[:, None], SCORES
    assert updated_result(keras, keras.sparse_categorical_accuracy(), batch) == 0.75
    weights = CORRECT_ONLY[:, None]
    assert updated_result(keras, keras.sparse_categorical_accuracy(), batch, sample_weight=weights) == 1


@claim("custom_loss_metric.robust-metric-sequences")
def test_robust_metric_sequences(keras):
    batch = LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)
    assert updated_result(keras, keras.sparse_categorical_accuracy(), batch) == 0.75


@claim("custom_loss_metric.robust-metric-label-types")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "float64"])
def test_robust_metric_label_types(keras, dtype):
    assert updated_result(keras, keras.sparse_categorical_accuracy(), (LABELS.astype(dtype), SCORES)) == 0.75


@claim("custom_loss_metric.robust-metric-weights")
def test_robust_metric_weights(keras):
    # Correct predictions have the weights 1, 0 and 3, of 6 in total.
    actual = updated_result(keras, keras.sparse_categorical_accuracy(), (LABELS, SCORES), sample_weight=WEIGHTS)
    assert_within("the accuracy", actual, 2 / 3, rounding.quotient(2 / 3))


@claim("custom_loss_metric.robust-metric-weighted-sequences")
def test_robust_metric_weighted_sequences(keras):
    batch, weights = (LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)), WEIGHTS.reshape(2, 2)
    actual = updated_result(keras, keras.sparse_categorical_accuracy(), batch, sample_weight=weights)
    assert_within("the accuracy", actual, 2 / 3, rounding.quotient(2 / 3))


@claim("custom_loss_metric.robust-metric-weights-add-up")
def test_robust_metric_weights_add_up(keras):
    metric = keras.sparse_categorical_accuracy()
    updated_result(keras, metric, (LABELS, SCORES), sample_weight=WEIGHTS)
    # Weights 4 of 6 in the first update. The second adds three correct predictions of weight 2.
    actual = updated_result(keras, metric, (LABELS, SCORES), sample_weight=2 * CORRECT_ONLY)
    assert_within("the accuracy", actual, 10 / 12, rounding.quotient(10 / 12))
    assert_within(
        "unweighted", updated_result(keras, metric, (LABELS[3:], SCORES[3:])), 10 / 13, rounding.quotient(10 / 13)
    )


@claim("custom_loss_metric.robust-metric-many-classes")
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_robust_metric_many_classes(keras, dtype):
    labels = np.array([299, 43, 256, 128, 0], np.int32)
    # The second label is 43 = 299 - 256, and its prediction 299: equal in 8 bits.
    scores = np.eye(300, dtype=np.float32)[[299, 299, 256, 128, 0]]
    assert_within(
        "the accuracy",
        updated_result(keras, keras.sparse_categorical_accuracy(), (labels.astype(dtype), scores)),
        4 / 5,
        rounding.quotient(4 / 5),
    )


@claim("custom_loss_metric.robust-metric-close-scores")
def test_robust_metric_close_scores(keras):
    # Adjacent float32 numbers, which are equal in lower precision or with a tolerance.
    low, high = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    scores = np.array([[low, high, low], [low, low, high], [high, low, low]])
    assert updated_result(keras, keras.sparse_categorical_accuracy(), (np.array([1, 2, 0], np.int32), scores)) == 1


@claim("custom_loss_metric.robust-metrics-are-apart")
def test_robust_metrics_are_apart(keras):
    one, other = (keras.sparse_categorical_accuracy() for _ in range(2))
    updated_result(keras, one, (LABELS, SCORES))
    assert updated_result(keras, other, (LABELS[:1], SCORES[:1])) == 1
    assert updated_result(keras, one) == 0.75


@claim("custom_loss_metric.robust-metric-empty")
def test_robust_metric_empty(keras):
    assert updated_result(keras, keras.sparse_categorical_accuracy()) == 0


@claim("custom_loss_metric.robust-metric-reset")
def test_robust_metric_reset(keras):
    metric = keras.sparse_categorical_accuracy()
    updated_result(keras, metric, (LABELS, SCORES))
    metric.reset_state()
    assert updated_result(keras, metric, (LABELS[:1], SCORES[:1])) == 1


@claim("custom_loss_metric.robust-metric-shapes")
@pytest.mark.parametrize("shape", [(1,), (3,), (4, 2), (4, 3), (1, 4)])
def test_robust_metric_shapes(keras, shape):
    metric, labels = keras.sparse_categorical_accuracy(), np.zeros(shape, np.int32)
    assert_rejected(f"labels of {shape}", lambda: updated_result(keras, metric, (labels, SCORES)))


@claim("custom_loss_metric.robust-metric-exact-counts")
def test_robust_metric_exact_counts(keras):
    metric = keras.sparse_categorical_accuracy()
    # Float32 numbers near 2**27 are 16 apart, so that a sum in float32 would lose each weight of 7.
    updated_result(keras, metric, (LABELS[:1], SCORES[:1]), sample_weight=np.float32([2**27]))
    actual = updated_result(keras, metric, *[(LABELS[3:], SCORES[3:])] * 20, sample_weight=np.float32([7]))
    expected = 2**27 / (2**27 + 140)
    assert_within("the accuracy", actual, expected, rounding.quotient(expected))


@claim("custom_loss_metric.robust-metric-in-compile")
def test_robust_metric_in_compile(keras):
    weighted = [keras.sparse_categorical_accuracy(name="weighted")]
    options = {"sample_weight": CORRECT_ONLY, "weighted_metrics": weighted}
    assert evaluate_metric(keras, keras.sparse_categorical_accuracy(), LABELS.astype(np.int64), **options) == [0.75, 1]


@claim("custom_loss_metric.robust-metric-configuration")
def test_robust_metric_configuration(keras):
    metric = keras.sparse_categorical_accuracy(name="mine")
    restored = type(metric).from_config(metric.get_config())
    assert (restored.name, updated_result(keras, restored, (LABELS, SCORES))) == ("mine", 0.75)


# Compiled to a graph


@pytest.fixture(scope="module")
def graph_results(keras):
    """Return history and evaluation of the document's and the implementation's metric, and the name of the former.

    The model is compiled to a graph and trained for two epochs. Its scores for two classes are its inputs, until the
    first step of the first epoch reverses their order.
    """
    namespace = keras.namespace
    layer = namespace.layers.Dense(2, use_bias=False)
    model = namespace.Sequential([namespace.Input(shape=(2,)), layer, namespace.layers.Softmax()])
    layer.set_weights([np.eye(2, dtype=np.float32)])
    metrics = [document_metric_class(keras)(), keras.sparse_categorical_accuracy(name="own")]
    optimizer = namespace.optimizers.SGD(learning_rate=100.0)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=metrics)
    inputs, labels = np.tile(np.array([[4, 0]], np.float32), (3, 1)), np.ones(3, np.int32)
    # After the first step, the model predicts three of these five examples correctly.
    others = np.tile(inputs[:1], (5, 1)), np.array([1, 0, 1, 0, 1], np.int32)
    options = {"batch_size": 2, "epochs": 2, "shuffle": False, "verbose": 0}
    history = model.fit(inputs, labels, validation_data=others, **options).history
    return history, model.evaluate(*others, batch_size=2, verbose=0, return_dict=True), metrics[0].name


@claim("custom_loss_metric.metrics-in-a-graph")
def test_metrics_in_a_graph(graph_results):
    history, evaluated, document_name = graph_results
    for name in (document_name, "own"):
        # In the first epoch, predictions for the first two of three examples are wrong. All later ones are correct.
        for epoch, (found, expected) in enumerate(zip(history[name], (1 / 3, 1), strict=True), 1):
            assert_within(f"{name} in epoch {epoch}", np.float32(found), expected, rounding.quotient(expected))
        for found in (*history[f"val_{name}"], evaluated[name]):
            assert_within(f"{name} of the validation", np.float32(found), 3 / 5, rounding.quotient(3 / 5))


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
