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

# Whose differences are small whole numbers, so that everything about them is exact in float32.
TARGETS = np.array([[1, 2], [3, 4], [5, 7], [0, 0]], np.float32)
PREDICTIONS = np.array([[1, 0], [3, 5], [6, 7], [2, 2]], np.float32)
SQUARES = np.square(PREDICTIONS - TARGETS)
WEIGHTS = np.array([1, 0, 3, 2], np.float32)
COLUMN = np.array([1, 2, 4], np.float32)

# The last of four is predicted wrong.
LABELS = np.array([0, 0, 2, 1], np.int32)
SCORES = np.array([[4, 1, 1], [4, 1, 1], [1, 1, 4], [4, 1, 1]], np.float32)
RIGHT_ALONE = np.array([1, 1, 1, 0], np.float32)


def documents_loss(keras, **options):
    """Make the document's MeanSquaredError."""

    class MeanSquaredError(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_mean(keras.operations.square(y_pred - y_true))

    return MeanSquaredError(**options)


def loss_by_example(keras, **options):
    """Make the loss that returns a value for each example, instead of one for all."""

    class MeanSquaredError(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_mean(keras.operations.square(y_pred - y_true), axis=-1)

    return MeanSquaredError(**options)


def documents_class(keras):
    """Make the document's SparseCategoricalAccuracy."""
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


def metric_of(keras, **methods):
    """Make a metric whose class has these methods; unless they are among them, it says 0.5 whatever it is given."""
    constant = {
        "update_state": lambda self, y_true, y_pred, sample_weight=None: None,
        "result": lambda self: keras.to_tensor(np.float32(0.5)),
    }
    return type("Own", (keras.namespace.metrics.Metric,), constant | methods)()


def value(keras, loss, targets=TARGETS, predicted=PREDICTIONS, **options):
    tensors = {name: keras.to_tensor(array) for name, array in options.items()}
    return keras.to_numpy(loss(keras.to_tensor(targets), keras.to_tensor(predicted), **tensors))


def after(keras, metric, *updates, **options):
    """Update a metric with labels and scores, and return its result; its type has a claim of its own."""
    tensors = {name: keras.to_tensor(array) for name, array in options.items()}
    for labels, scores in updates:
        metric.update_state(keras.to_tensor(labels), keras.to_tensor(scores), **tensors)
    return np.float32(keras.to_numpy(metric.result()))


def assert_running(keras, metric, updates):
    """Compare a metric's result with the definition's after each update."""
    expected = SparseCategoricalAccuracy()
    for labels, scores in updates:
        expected = expected.update(labels, scores)
        actual = after(keras, metric, (labels, scores))
        assert_within("the result", actual, expected.result(), rounding.quotient(expected.result()))


def evaluate(keras, inputs, targets, *, loss, **options):
    """Evaluate a model that returns its inputs, and return the numbers by name."""
    weights = options.pop("sample_weight", None)
    model = keras.namespace.Sequential([keras.namespace.layers.Flatten()])
    model.compile(optimizer="sgd", loss=loss, run_eagerly=True, **options)
    return model.evaluate(inputs, targets, sample_weight=weights, batch_size=3, verbose=0, return_dict=True)


def accuracy(keras, metric, labels=LABELS, **options):
    """Evaluate with a metric, and return what stands beside the loss."""
    results = evaluate(keras, SCORES, labels, loss="sparse_categorical_crossentropy", **options, metrics=[metric])
    return [number for name, number in results.items() if name != "loss"]


def trained(keras, loss):
    """Train a layer from zeros for two steps, and return its parameters by name."""
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(2, kernel_initializer="zeros")])
    model.compile(optimizer=keras.namespace.optimizers.SGD(0.5), loss=loss, run_eagerly=True)
    model.fit(TARGETS, PREDICTIONS, batch_size=2, shuffle=False, verbose=0)
    return dict(zip(("kernel", "bias"), map(keras.to_numpy, model.variables), strict=True))


@st.composite
def pairs(draw):
    """Draw targets and predictions of one shape."""
    shape = draw(st.sampled_from(MATRIX_SHAPES))
    return draw(arrays(shape)), draw(arrays(shape))


updates = st.lists(predictions(), min_size=1, max_size=2).map(lambda many: [tuple(one) for one in many])


def assert_mean_of_squares(keras, loss, pair):
    assert_within(
        "the loss",
        value(keras, loss, *pair),
        losses.mean_squared_error(*map(to_float64, pair)),
        rounding.mean_squared_error(*map(to_float64, pair)),
    )


# A loss of one's own


@claim("custom_loss_metric.loss-call-is-enough")
def test_loss_call_is_enough(keras):
    class Largest(keras.namespace.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.operations.reduce_sum(y_true - y_pred, axis=-1)

    assert_equal("the mean of sums", value(keras, Largest()), np.mean((TARGETS - PREDICTIONS).sum(axis=-1)))


@claim("custom_loss_metric.loss-call-required")
def test_loss_call_required(keras):
    class WithoutCall(keras.namespace.losses.Loss):
        pass

    with pytest.raises(NotImplementedError):
        value(keras, WithoutCall())


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
    loss = loss_by_example(keras, reduction="sum", name="mine")
    assert loss.name == "mine"
    again = type(loss).from_config(loss.get_config())
    assert (again.name, again.reduction) == ("mine", "sum")


@claim("custom_loss_metric.unknown-reduction")
def test_unknown_reduction(keras):
    assert_rejected("reduction='most'", lambda: documents_loss(keras, reduction="most"))


@claim("custom_loss_metric.loss-casts")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64"])
def test_loss_casts(keras, dtype):
    assert_equal("the loss", value(keras, documents_loss(keras), TARGETS.astype(dtype)), SQUARES.mean())


# The document's MeanSquaredError


@claim("custom_loss_metric.loss-computes")
@given(pair=pairs())
def test_loss_computes(keras, pair):
    assert_mean_of_squares(keras, documents_loss(keras), pair)


@claim("custom_loss_metric.loss-is-built-in")
def test_loss_is_built_in(keras):
    built_in = keras.namespace.losses.MeanSquaredError()
    assert_equal("the loss", value(keras, documents_loss(keras)), value(keras, built_in).astype(np.float64))


@claim("custom_loss_metric.loss-symmetric")
def test_loss_symmetric(keras):
    loss = documents_loss(keras)
    assert_equal("exchanged", value(keras, loss, PREDICTIONS, TARGETS), SQUARES.mean())


@claim("custom_loss_metric.loss-trains")
def test_loss_trains(keras):
    expected = trained(keras, keras.namespace.losses.MeanSquaredError())
    # Powers of two and small whole numbers: two steps take no rounding.
    assert_close("the parameters", trained(keras, documents_loss(keras)), expected, {"kernel": 0.0, "bias": 0.0})


@claim("custom_loss_metric.loss-evaluates")
def test_loss_evaluates(keras):
    results = evaluate(keras, PREDICTIONS, TARGETS, loss=documents_loss(keras))
    # The batches have 3 and 1 examples, the first mean covers 6 squares.
    assert_within("the loss", results["loss"], SQUARES.mean(), rounding.gamma(8) * SQUARES.mean())


@claim("custom_loss_metric.loss-without-examples")
def test_loss_without_examples(keras):
    actual = value(keras, documents_loss(keras), TARGETS[:0], PREDICTIONS[:0])
    assert np.isnan(actual), f"the mean of nothing is {actual}"


@claim("custom_loss_metric.loss-none")
def test_loss_none(keras):
    built_in = keras.namespace.losses.MeanSquaredError(reduction="none")
    assert_equal("the document's", value(keras, documents_loss(keras, reduction="none")), SQUARES.mean())
    assert_equal("the built-in one's", value(keras, built_in), SQUARES.mean(axis=-1))


@claim("custom_loss_metric.loss-sum")
def test_loss_sum(keras):
    built_in = keras.namespace.losses.MeanSquaredError(reduction="sum")
    assert_equal("the document's", value(keras, documents_loss(keras, reduction="sum")), SQUARES.mean())
    assert_equal("the built-in one's", value(keras, built_in), SQUARES.mean(axis=-1).sum())


@claim("custom_loss_metric.loss-weights")
def test_loss_weights(keras, permitted):
    right = np.mean(WEIGHTS * SQUARES.mean(axis=-1))
    assert_equal("an example each", value(keras, loss_by_example(keras), sample_weight=WEIGHTS), right)

    def weighted():
        return value(keras, documents_loss(keras), sample_weight=WEIGHTS)

    refused = partial(assert_rejected, "a weight for each example", weighted, keras.operations.InvalidArgumentError)
    scaled = SQUARES.mean() * WEIGHTS.mean()
    assert scaled != right
    permitted({"refused": refused, "scaled": lambda: assert_equal("the document's", weighted(), scaled)})


@claim("custom_loss_metric.loss-column")
@pytest.mark.parametrize("column", ["targets", "predictions"])
def test_loss_column(keras, column):
    arguments = [COLUMN[:, None], COLUMN] if column == "targets" else [COLUMN, COLUMN[:, None]]
    everyone = np.square(COLUMN[:, None] - COLUMN)
    actual = value(keras, documents_loss(keras), *arguments)
    assert_within("the mean of 9 squares", actual, everyone.mean(), rounding.quotient(everyone.mean()))
    assert_equal(
        "the built-in one's", value(keras, keras.namespace.losses.MeanSquaredError(), *arguments), np.zeros(())
    )


# A metric of one's own


@claim("custom_loss_metric.metric-without-init")
def test_metric_without_init(keras):
    assert after(keras, metric_of(keras), (LABELS, SCORES)) == 0.5


@claim("custom_loss_metric.metric-methods-required")
@pytest.mark.parametrize("missing", ["update_state", "result"])
def test_metric_methods_required(keras, missing):
    inherited = getattr(keras.namespace.metrics.Metric, missing)
    with pytest.raises((NotImplementedError, TypeError)):
        after(keras, metric_of(keras, **{missing: inherited}), (LABELS, SCORES))


@claim("custom_loss_metric.metric-super-init")
def test_metric_super_init(keras):
    def forgetful(self):
        self.total = self.add_weight(name="total", shape=(), initializer="zeros")

    with pytest.raises((RuntimeError, AttributeError)):
        metric_of(keras, __init__=forgetful)


@claim("custom_loss_metric.metric-call")
def test_metric_call(keras):
    metric = documents_class(keras)()
    results = [metric(*map(keras.to_tensor, (LABELS[rows], SCORES[rows]))) for rows in (slice(2), slice(2, 4))]
    assert [float(keras.to_numpy(result)) for result in results] == [1, 0.75]


@claim("custom_loss_metric.metric-weight-argument")
def test_metric_weight_argument(keras):
    metric = metric_of(keras, update_state=lambda self, y_true, y_pred: None)
    with pytest.raises(TypeError):
        accuracy(keras, metric)


@claim("custom_loss_metric.argmax-type")
def test_argmax_type(keras):
    largest = keras.operations.argmax(keras.to_tensor(SCORES), axis=-1)
    assert_equal("the classes", keras.to_numpy(largest), np.array([0, 0, 2, 0]), np.dtype(np.int64))
    with pytest.raises(keras.operations.InvalidArgumentError):
        keras.operations.equal(keras.to_tensor(LABELS), largest)


# The document's SparseCategoricalAccuracy


@claim("custom_loss_metric.metric-computes")
@given(many=updates)
def test_metric_computes(keras, many):
    assert_running(keras, documents_class(keras)(), many)


@claim("custom_loss_metric.metric-state")
def test_metric_state(keras):
    metric = documents_class(keras)()
    assert list(map(id, metric.variables)) == [id(metric.total), id(metric.count)]
    for variable in metric.variables:
        assert_equal("a new metric's sum", keras.to_numpy(variable), np.zeros(()), np.dtype(np.int32))
        assert not variable.trainable


@claim("custom_loss_metric.metric-counts")
def test_metric_counts(keras):
    metric = documents_class(keras)()
    after(keras, metric, (LABELS, SCORES), (LABELS[:2], SCORES[:2]))
    assert [int(keras.to_numpy(variable)) for variable in (metric.total, metric.count)] == [6, 5]


@claim("custom_loss_metric.metric-reset")
def test_metric_reset(keras):
    metric = documents_class(keras)()
    after(keras, metric, (LABELS, SCORES))
    metric.reset_state()
    assert [int(keras.to_numpy(variable)) for variable in metric.variables] == [0, 0]


@claim("custom_loss_metric.metrics-are-apart")
def test_metrics_are_apart(keras):
    make = documents_class(keras)
    one, other = make(), make()
    after(keras, one, (LABELS, SCORES))
    assert after(keras, other, (LABELS[:1], SCORES[:1])) == 1
    other.reset_state()
    assert after(keras, one) == 0.75
    assert [int(keras.to_numpy(variable)) for variable in make().variables] == [0, 0]


@claim("custom_loss_metric.metric-result-type")
def test_metric_result_type(keras):
    metric = documents_class(keras)()
    after(keras, metric, (LABELS, SCORES))
    assert_equal("3 of 4", keras.to_numpy(metric.result()), np.array(0.75))


@claim("custom_loss_metric.metric-exact-counts")
def test_metric_exact_counts(keras):
    metric = documents_class(keras)()
    metric.total.assign(2**24)
    after(keras, metric, (LABELS[:1], SCORES[:1]))
    assert int(keras.to_numpy(metric.total)) == 2**24 + 1


@claim("custom_loss_metric.metric-in-compile")
def test_metric_in_compile(keras):
    assert accuracy(keras, documents_class(keras)()) == [0.75]


@claim("custom_loss_metric.metric-columns")
def test_metric_columns(keras):
    column = np.zeros((4, 1), np.int32)
    scores = np.tile(SCORES[:1], (4, 1))
    assert after(keras, documents_class(keras)(), (column, scores)) == 4
    assert after(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), (column, scores)) == 1


@claim("custom_loss_metric.metric-single-label")
def test_metric_single_label(keras):
    assert after(keras, documents_class(keras)(), (LABELS[:1], SCORES)) == 3


@claim("custom_loss_metric.metric-sequences")
def test_metric_sequences(keras):
    batch = LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)
    assert after(keras, documents_class(keras)(), batch) == 1.5
    assert after(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), batch) == 0.75


@claim("custom_loss_metric.metric-label-types")
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_metric_label_types(keras, dtype):
    labels = LABELS.astype(dtype)
    assert after(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), (labels, SCORES)) == 0.75
    with pytest.raises(keras.operations.InvalidArgumentError):
        after(keras, documents_class(keras)(), (labels, SCORES))


@claim("custom_loss_metric.metric-lengths")
def test_metric_lengths(keras):
    with pytest.raises(keras.operations.InvalidArgumentError):
        after(keras, documents_class(keras)(), (LABELS[:3], SCORES))


@claim("custom_loss_metric.metric-weights")
def test_metric_weights(keras):
    batch, weights = (LABELS, SCORES), {"sample_weight": RIGHT_ALONE}
    assert after(keras, documents_class(keras)(), batch, **weights) == 0.75
    assert after(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), batch, **weights) == 1


@claim("custom_loss_metric.metric-empty")
def test_metric_empty(keras):
    assert np.isnan(after(keras, documents_class(keras)()))


@claim("custom_loss_metric.total-and-count")
def test_total_and_count(keras):
    metric = documents_class(keras)()
    accuracy = after(keras, metric, (LABELS, SCORES))
    total, count = (int(keras.to_numpy(variable)) for variable in (metric.total, metric.count))
    assert (total, count) == (len(LABELS), round(float(accuracy) * len(LABELS)))


@claim("custom_loss_metric.metric-takes-no-name")
def test_metric_takes_no_name(keras):
    assert keras.namespace.metrics.SparseCategoricalAccuracy(name="mine").name == "mine"
    with pytest.raises(TypeError):
        documents_class(keras)(name="mine")


@claim("custom_loss_metric.metric-numbered-names")
def test_metric_numbered_names(keras):
    one, other = (documents_class(keras)().name for _ in range(2))
    assert one != other
    assert all(name.startswith("sparse_categorical_accuracy") for name in (one, other))


@claim("custom_loss_metric.metric-no-configuration")
def test_metric_no_configuration(keras):
    metric = documents_class(keras)()
    with pytest.raises(TypeError):
        type(metric).from_config(metric.get_config())


# The implementation's own


@claim("custom_loss_metric.robust-loss-computes")
@given(pair=pairs())
def test_robust_loss_computes(keras, pair):
    assert_mean_of_squares(keras, keras.mean_squared_error(), pair)


@claim("custom_loss_metric.robust-loss-trains")
def test_robust_loss_trains(keras):
    expected = trained(keras, keras.namespace.losses.MeanSquaredError())
    assert_close("the parameters", trained(keras, keras.mean_squared_error()), expected, {"kernel": 0.0, "bias": 0.0})


@claim("custom_loss_metric.robust-loss-none")
def test_robust_loss_none(keras):
    loss = keras.mean_squared_error(reduction="none")
    assert_equal("of each example", value(keras, loss), SQUARES.mean(axis=-1))
    assert_equal("of each number", value(keras, loss, TARGETS[:, 0], PREDICTIONS[:, 0]), SQUARES[:, 0])


@claim("custom_loss_metric.robust-loss-sum")
def test_robust_loss_sum(keras):
    assert_equal("the sum", value(keras, keras.mean_squared_error(reduction="sum")), SQUARES.mean(axis=-1).sum())


@claim("custom_loss_metric.robust-loss-weights")
def test_robust_loss_weights(keras):
    of_each = WEIGHTS * SQUARES.mean(axis=-1)
    assert_equal("the mean", value(keras, keras.mean_squared_error(), sample_weight=WEIGHTS), of_each.mean())
    none = keras.mean_squared_error(reduction="none")
    assert_equal("of each example", value(keras, none, sample_weight=WEIGHTS), of_each)
    added = keras.mean_squared_error(reduction="sum")
    assert_equal("the sum", value(keras, added, sample_weight=WEIGHTS), of_each.sum())
    assert_equal(
        "twice the mean", value(keras, keras.mean_squared_error(), sample_weight=np.float32(2)), 2 * SQUARES.mean()
    )


@claim("custom_loss_metric.robust-loss-sequences")
def test_robust_loss_sequences(keras):
    pair = TARGETS.reshape(2, 2, 2), PREDICTIONS.reshape(2, 2, 2)
    none = keras.mean_squared_error(reduction="none")
    assert_equal("of each step", value(keras, none, *pair), SQUARES.mean(axis=-1).reshape(2, 2))
    assert_equal("the mean", value(keras, keras.mean_squared_error(), *pair), SQUARES.mean())


@claim("custom_loss_metric.robust-loss-large")
def test_robust_loss_large(keras):
    # An odd shape above the usual sizes of blocks, of whole numbers: the sums of squares are exact.
    targets, predictions = np.random.default_rng(0).integers(-4, 5, (2, 37, 1_031)).astype(np.float32)
    expected = np.square(to_float64(predictions - targets)).mean(axis=-1)
    found = value(keras, keras.mean_squared_error(reduction="none"), targets, predictions)
    assert_within("the loss of each example", found, expected, rounding.gamma(rounding.DIVIDE + 2) * expected)


@claim("custom_loss_metric.loss-takes-arrays")
def test_loss_takes_arrays(keras):
    for loss in (documents_loss(keras), keras.mean_squared_error()):
        assert_equal("the loss", keras.to_numpy(loss(TARGETS, PREDICTIONS)), SQUARES.mean())


@claim("custom_loss_metric.robust-loss-again")
def test_robust_loss_again(keras):
    loss = keras.mean_squared_error()
    for factor in (1, 2, 0, 1):
        found = value(keras, loss, factor * TARGETS, factor * PREDICTIONS)
        assert_equal(f"the loss of numbers {factor} times as large", found, factor**2 * SQUARES.mean())


def fitted(keras, loss, **options):
    """Train the one weight of a model, from 0 and on inputs of 1, for a step of 1/4; return the weight and the loss."""
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=0.25), loss=loss, run_eagerly=True)
    targets = np.array([[1], [2], [4], [8]], np.float32)
    history = model.fit(np.ones_like(targets), targets, batch_size=4, verbose=0, **options).history
    return keras.to_numpy(layer.kernel), history["loss"]


@claim("custom_loss_metric.weights-in-fit")
def test_weights_in_fit(keras):
    weight, losses = fitted(keras, keras.mean_squared_error(), sample_weight=WEIGHTS)
    # Against the mean of twice the weighted differences, of which there are 4.
    assert_equal("the weight", weight, np.array([[(1 + 0 * 2 + 3 * 4 + 2 * 8) / 8]]))
    assert losses == [(1 + 0 * 4 + 3 * 16 + 2 * 64) / 4]


@claim("custom_loss_metric.sum-in-fit")
def test_sum_in_fit(keras):
    weight, losses = fitted(keras, keras.mean_squared_error(reduction="sum"))
    assert_equal("the weight", weight, np.array([[(1 + 2 + 4 + 8) / 2]]))
    assert losses == [1 + 4 + 16 + 64]


@claim("custom_loss_metric.robust-loss-column")
@pytest.mark.parametrize("column", ["targets", "predictions"])
def test_robust_loss_column(keras, column):
    targets, predicted = COLUMN, COLUMN + 2
    arguments = [targets[:, None], predicted] if column == "targets" else [targets, predicted[:, None]]
    assert_equal("the loss", value(keras, keras.mean_squared_error(), *arguments), np.array(4.0))


@claim("custom_loss_metric.robust-loss-types")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64"])
def test_robust_loss_types(keras, dtype):
    # Predictions between the targets: a prediction is not one of the targets' type.
    between = PREDICTIONS + np.float32(0.5)
    found = value(keras, keras.mean_squared_error(), TARGETS.astype(dtype), between)
    assert_equal("the loss", found, np.square(between - TARGETS).mean())


@claim("custom_loss_metric.robust-loss-shapes")
@pytest.mark.parametrize(
    "shape", [pytest.param((4, 1), id="one column"), pytest.param((1, 2), id="one row"), (3, 2), (4, 3), (4, 1, 2)]
)
def test_robust_loss_shapes(keras, shape):
    loss, targets = keras.mean_squared_error(), np.zeros(shape, np.float32)
    assert_rejected(f"targets of {shape}", lambda: value(keras, loss, targets))


@claim("custom_loss_metric.robust-loss-configuration")
def test_robust_loss_configuration(keras):
    loss = keras.mean_squared_error(reduction="sum", name="mine")
    again = type(loss).from_config(loss.get_config())
    assert again.name == "mine"
    assert_equal("the sum", value(keras, again), SQUARES.mean(axis=-1).sum())


@claim("custom_loss_metric.robust-metric-computes")
@given(many=updates)
def test_robust_metric_computes(keras, many):
    assert_running(keras, keras.sparse_categorical_accuracy(), many)


@claim("custom_loss_metric.robust-metric-columns")
def test_robust_metric_columns(keras):
    batch = LABELS[:, None], SCORES
    assert after(keras, keras.sparse_categorical_accuracy(), batch) == 0.75
    weights = RIGHT_ALONE[:, None]
    assert after(keras, keras.sparse_categorical_accuracy(), batch, sample_weight=weights) == 1


@claim("custom_loss_metric.robust-metric-sequences")
def test_robust_metric_sequences(keras):
    batch = LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)
    assert after(keras, keras.sparse_categorical_accuracy(), batch) == 0.75


@claim("custom_loss_metric.robust-metric-label-types")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "float64"])
def test_robust_metric_label_types(keras, dtype):
    assert after(keras, keras.sparse_categorical_accuracy(), (LABELS.astype(dtype), SCORES)) == 0.75


@claim("custom_loss_metric.robust-metric-weights")
def test_robust_metric_weights(keras):
    # 1 + 0 + 3 of 6.
    actual = after(keras, keras.sparse_categorical_accuracy(), (LABELS, SCORES), sample_weight=WEIGHTS)
    assert_within("the share", actual, 2 / 3, rounding.quotient(2 / 3))


@claim("custom_loss_metric.robust-metric-weighted-sequences")
def test_robust_metric_weighted_sequences(keras):
    batch, weights = (LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)), WEIGHTS.reshape(2, 2)
    actual = after(keras, keras.sparse_categorical_accuracy(), batch, sample_weight=weights)
    assert_within("the share", actual, 2 / 3, rounding.quotient(2 / 3))


@claim("custom_loss_metric.robust-metric-weights-add-up")
def test_robust_metric_weights_add_up(keras):
    metric = keras.sparse_categorical_accuracy()
    after(keras, metric, (LABELS, SCORES), sample_weight=WEIGHTS)
    # 4 of 6, and then the three of weight 2 that are right, and none of weight 0.
    actual = after(keras, metric, (LABELS, SCORES), sample_weight=2 * RIGHT_ALONE)
    assert_within("the share", actual, 10 / 12, rounding.quotient(10 / 12))
    assert_within("unweighted", after(keras, metric, (LABELS[3:], SCORES[3:])), 10 / 13, rounding.quotient(10 / 13))


@claim("custom_loss_metric.robust-metric-many-classes")
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_robust_metric_many_classes(keras, dtype):
    labels = np.array([299, 43, 256, 128, 0], np.int32)
    # The second is 43 = 299 - 256, and its prediction 299.
    scores = np.eye(300, dtype=np.float32)[[299, 299, 256, 128, 0]]
    assert_within(
        "the share",
        after(keras, keras.sparse_categorical_accuracy(), (labels.astype(dtype), scores)),
        4 / 5,
        rounding.quotient(4 / 5),
    )


@claim("custom_loss_metric.robust-metric-close-scores")
def test_robust_metric_close_scores(keras):
    # Neighbours in float32: lower precision, and a tolerance, make ties of them.
    low, high = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    scores = np.array([[low, high, low], [low, low, high], [high, low, low]])
    assert after(keras, keras.sparse_categorical_accuracy(), (np.array([1, 2, 0], np.int32), scores)) == 1


@claim("custom_loss_metric.robust-metrics-are-apart")
def test_robust_metrics_are_apart(keras):
    one, other = (keras.sparse_categorical_accuracy() for _ in range(2))
    after(keras, one, (LABELS, SCORES))
    assert after(keras, other, (LABELS[:1], SCORES[:1])) == 1
    assert after(keras, one) == 0.75


@claim("custom_loss_metric.robust-metric-empty")
def test_robust_metric_empty(keras):
    assert after(keras, keras.sparse_categorical_accuracy()) == 0


@claim("custom_loss_metric.robust-metric-reset")
def test_robust_metric_reset(keras):
    metric = keras.sparse_categorical_accuracy()
    after(keras, metric, (LABELS, SCORES))
    metric.reset_state()
    assert after(keras, metric, (LABELS[:1], SCORES[:1])) == 1


@claim("custom_loss_metric.robust-metric-shapes")
@pytest.mark.parametrize("shape", [(1,), (3,), (4, 2), (4, 3), (1, 4)])
def test_robust_metric_shapes(keras, shape):
    metric, labels = keras.sparse_categorical_accuracy(), np.zeros(shape, np.int32)
    assert_rejected(f"labels of {shape}", lambda: after(keras, metric, (labels, SCORES)))


@claim("custom_loss_metric.robust-metric-exact-counts")
def test_robust_metric_exact_counts(keras):
    metric = keras.sparse_categorical_accuracy()
    # Beside 2**27, which float32 holds, it loses a 7: neighbours there are 16 apart.
    after(keras, metric, (LABELS[:1], SCORES[:1]), sample_weight=np.float32([2**27]))
    actual = after(keras, metric, *[(LABELS[3:], SCORES[3:])] * 20, sample_weight=np.float32([7]))
    expected = 2**27 / (2**27 + 140)
    assert_within("the share", actual, expected, rounding.quotient(expected))


@claim("custom_loss_metric.robust-metric-in-compile")
def test_robust_metric_in_compile(keras):
    weighted = [keras.sparse_categorical_accuracy(name="weighted")]
    options = {"sample_weight": RIGHT_ALONE, "weighted_metrics": weighted}
    assert accuracy(keras, keras.sparse_categorical_accuracy(), LABELS.astype(np.int64), **options) == [0.75, 1]


@claim("custom_loss_metric.robust-metric-configuration")
def test_robust_metric_configuration(keras):
    metric = keras.sparse_categorical_accuracy(name="mine")
    again = type(metric).from_config(metric.get_config())
    assert (again.name, after(keras, again, (LABELS, SCORES))) == ("mine", 0.75)


# Both, compiled to a graph


@pytest.fixture(scope="module")
def compiled(keras):
    """Return the history of two epochs, and what evaluate says afterwards, of metrics of both kinds in a graph.

    A model gives its inputs as scores of two classes, until the first step of the first epoch turns them around.
    """
    namespace = keras.namespace
    layer = namespace.layers.Dense(2, use_bias=False)
    model = namespace.Sequential([namespace.Input(shape=(2,)), layer, namespace.layers.Softmax()])
    layer.set_weights([np.eye(2, dtype=np.float32)])
    metrics = [documents_class(keras)(), keras.sparse_categorical_accuracy(name="own")]
    optimizer = namespace.optimizers.SGD(learning_rate=100.0)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=metrics)
    inputs, labels = np.tile(np.array([[4, 0]], np.float32), (3, 1)), np.ones(3, np.int32)
    # Of five examples the model that knows better has three right.
    others = np.tile(inputs[:1], (5, 1)), np.array([1, 0, 1, 0, 1], np.int32)
    options = {"batch_size": 2, "epochs": 2, "shuffle": False, "verbose": 0}
    history = model.fit(inputs, labels, validation_data=others, **options).history
    return history, model.evaluate(*others, batch_size=2, verbose=0, return_dict=True), metrics[0].name


@claim("custom_loss_metric.metrics-in-a-graph")
def test_metrics_in_a_graph(compiled):
    history, evaluated, documents = compiled
    for name in (documents, "own"):
        # Wrong about the first two of three examples in the first epoch, and right from then on.
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
    losses = [documents_loss(keras), keras.mean_squared_error()]
    model.compile(optimizer=namespace.optimizers.SGD(learning_rate=0.25), loss=losses)
    targets = np.array([[2], [4], [8]], np.float32)
    data = np.ones_like(targets), [targets, 2 * targets]
    history = model.fit(*data, batch_size=2, epochs=1, shuffle=False, verbose=0).history
    # Half way from 0 to 3, and from there to 8; the squares before are 4, 16 and 6.5^2. The second is twice as far.
    for what, layer, weight in zip(("the document's", "the own"), layers, (4.75, 9.5), strict=True):
        assert_equal(f"the weight that {what} loss moves", keras.to_numpy(layer.kernel), np.array([[weight]]))
    expected = (1 + 4) * (4 + 16 + 6.5**2) / 3
    assert_within("the loss", np.float32(history["loss"][0]), expected, rounding.gamma(8 + rounding.DIVIDE) * expected)
