"""Custom metrics: lines 892 to 914 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.semantics.metrics import SparseCategoricalAccuracy
from assay.testing.assertions import assert_equal, assert_rejected, assert_within, claim
from assay.testing.keras_models import evaluate_identity
from assay.testing.strategies import predictions

# Only the prediction for the last label is wrong.
LABELS = np.array([0, 0, 2, 1], np.int32)
SCORES = np.array([[4, 1, 1], [4, 1, 1], [1, 1, 4], [4, 1, 1]], np.float32)
CORRECT_ONLY = np.array([1, 1, 1, 0], np.float32)
WEIGHTS = np.array([1, 0, 3, 2], np.float32)


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


def update_and_read(keras, metric, *updates, **options):
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
        actual = update_and_read(keras, metric, (labels, scores))
        assert_within("the result", actual, expected.result(), rounding.quotient(expected.result()))


def evaluate_metric(keras, metric, labels=LABELS, **options):
    """Evaluate a model with a metric, and return the results except the loss."""
    results = evaluate_identity(
        keras.namespace, SCORES, labels, loss="sparse_categorical_crossentropy", **options, metrics=[metric]
    )
    return [number for name, number in results.items() if name != "loss"]


batch_lists = st.lists(predictions(), min_size=1, max_size=2).map(lambda batches: [tuple(one) for one in batches])


# Custom metrics in general


@claim("custom_loss_metric.metric-without-init")
def test_metric_without_init(keras):
    assert update_and_read(keras, make_metric(keras), (LABELS, SCORES)) == 0.5


@claim("custom_loss_metric.metric-methods-required")
@pytest.mark.parametrize("missing", ["update_state", "result"])
def test_metric_methods_required(keras, missing):
    inherited = getattr(keras.namespace.metrics.Metric, missing)
    with pytest.raises((NotImplementedError, TypeError)):
        update_and_read(keras, make_metric(keras, **{missing: inherited}), (LABELS, SCORES))


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


def assert_calls_add_up(keras, metric):
    """Call a metric with batches of which 1 of 1, 2 of 3 and 3 of 4 predictions are correct so far."""
    batches = (slice(1), slice(2, 4), slice(1, 2))
    results = [metric(*map(keras.to_tensor, (LABELS[rows], SCORES[rows]))) for rows in batches]
    expected = np.array([1, 2 / 3, 3 / 4])
    found = np.float32([*map(keras.to_numpy, results)])
    assert_within("the results of the calls", found, expected, rounding.quotient(expected))
    assert_within("the last result", np.float32(keras.to_numpy(metric.result())), 3 / 4, rounding.quotient(3 / 4))


@claim("custom_loss_metric.metric-call")
def test_metric_calls_add_up(keras):
    assert_calls_add_up(keras, keras.namespace.metrics.SparseCategoricalAccuracy())


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
    found, expected = metric.variables, [metric.total, metric.count]
    assert list(map(id, found)) == list(map(id, expected)), f"metric.variables is {found}, expected {expected}"
    for variable in metric.variables:
        assert_equal("a new metric's sum", keras.to_numpy(variable), np.zeros(()), np.dtype(np.int32))
        assert not variable.trainable


@claim("custom_loss_metric.metric-counts")
def test_metric_counts(keras):
    metric = document_metric_class(keras)()
    update_and_read(keras, metric, (LABELS, SCORES), (LABELS[:2], SCORES[:2]))
    assert [int(keras.to_numpy(variable)) for variable in (metric.total, metric.count)] == [6, 5]


@claim("custom_loss_metric.metric-reset")
def test_metric_reset(keras):
    metric = document_metric_class(keras)()
    update_and_read(keras, metric, (LABELS, SCORES))
    metric.reset_state()
    assert [int(keras.to_numpy(variable)) for variable in metric.variables] == [0, 0]


@claim("custom_loss_metric.metrics-are-apart")
def test_metrics_are_apart(keras):
    make = document_metric_class(keras)
    one, other = make(), make()
    update_and_read(keras, one, (LABELS, SCORES))
    assert update_and_read(keras, other, (LABELS[:1], SCORES[:1])) == 1
    other.reset_state()
    assert update_and_read(keras, one) == 0.75
    assert [int(keras.to_numpy(variable)) for variable in make().variables] == [0, 0]


@claim("custom_loss_metric.metric-result-type")
def test_metric_result_type(keras):
    metric = document_metric_class(keras)()
    update_and_read(keras, metric, (LABELS, SCORES))
    assert_equal("the accuracy", keras.to_numpy(metric.result()), np.array(0.75))


@claim("custom_loss_metric.metric-exact-counts")
def test_metric_exact_counts(keras):
    metric = document_metric_class(keras)()
    metric.total.assign(2**24)
    update_and_read(keras, metric, (LABELS[:1], SCORES[:1]))
    assert int(keras.to_numpy(metric.total)) == 2**24 + 1


@claim("custom_loss_metric.metric-in-compile")
def test_metric_in_compile(keras):
    assert evaluate_metric(keras, document_metric_class(keras)()) == [0.75]


@claim("custom_loss_metric.metric-columns")
def test_metric_columns(keras):
    column = np.zeros((4, 1), np.int32)
    scores = np.tile(SCORES[:1], (4, 1))
    assert update_and_read(keras, document_metric_class(keras)(), (column, scores)) == 4
    assert update_and_read(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), (column, scores)) == 1


@claim("custom_loss_metric.metric-single-label")
def test_metric_single_label(keras):
    assert update_and_read(keras, document_metric_class(keras)(), (LABELS[:1], SCORES)) == 3


@claim("custom_loss_metric.metric-sequences")
def test_metric_sequences(keras):
    batch = LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)
    assert update_and_read(keras, document_metric_class(keras)(), batch) == 1.5
    assert update_and_read(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), batch) == 0.75


@claim("custom_loss_metric.metric-label-types")
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_metric_label_types(keras, dtype):
    labels = LABELS.astype(dtype)
    assert update_and_read(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), (labels, SCORES)) == 0.75
    with pytest.raises(keras.operations.InvalidArgumentError):
        update_and_read(keras, document_metric_class(keras)(), (labels, SCORES))


@claim("custom_loss_metric.metric-lengths")
def test_metric_lengths(keras):
    with pytest.raises(keras.operations.InvalidArgumentError):
        update_and_read(keras, document_metric_class(keras)(), (LABELS[:3], SCORES))


@claim("custom_loss_metric.metric-weights")
def test_metric_weights(keras):
    batch, weights = (LABELS, SCORES), {"sample_weight": CORRECT_ONLY}
    assert update_and_read(keras, document_metric_class(keras)(), batch, **weights) == 0.75
    assert update_and_read(keras, keras.namespace.metrics.SparseCategoricalAccuracy(), batch, **weights) == 1


@claim("custom_loss_metric.metric-empty")
def test_metric_empty(keras):
    assert np.isnan(update_and_read(keras, document_metric_class(keras)()))


@claim("custom_loss_metric.total-and-count")
def test_total_and_count(keras):
    metric = document_metric_class(keras)()
    accuracy = update_and_read(keras, metric, (LABELS, SCORES))
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


# The metric of the implementation


@claim("custom_loss_metric.robust-metric-computes")
@given(batches=batch_lists)
def test_robust_metric_computes(keras, batches):
    assert_running_result(keras, keras.sparse_categorical_accuracy(), batches)


@claim("custom_loss_metric.robust-metric-computes")
def test_robust_metric_calls_add_up(keras):
    assert_calls_add_up(keras, keras.sparse_categorical_accuracy())


@claim("custom_loss_metric.robust-metric-columns")
def test_robust_metric_columns(keras):
    batch = LABELS[:, None], SCORES
    assert update_and_read(keras, keras.sparse_categorical_accuracy(), batch) == 0.75
    weights = CORRECT_ONLY[:, None]
    assert update_and_read(keras, keras.sparse_categorical_accuracy(), batch, sample_weight=weights) == 1


@claim("custom_loss_metric.robust-metric-sequences")
def test_robust_metric_sequences(keras):
    batch = LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)
    assert update_and_read(keras, keras.sparse_categorical_accuracy(), batch) == 0.75
    # As many steps as classes: the largest along the wrong axis has the right shape, too.
    scores = np.array([[[2, 8, 1], [3, 4, 9], [5, 6, 7]]], np.float32)
    assert update_and_read(keras, keras.sparse_categorical_accuracy(), (np.array([[1, 2, 2]], np.int32), scores)) == 1


@claim("custom_loss_metric.robust-metric-label-types")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "float64"])
def test_robust_metric_label_types(keras, dtype):
    assert update_and_read(keras, keras.sparse_categorical_accuracy(), (LABELS.astype(dtype), SCORES)) == 0.75


@claim("custom_loss_metric.robust-metric-weights")
def test_robust_metric_weights(keras):
    # Correct predictions have the weights 1, 0 and 3, of 6 in total.
    actual = update_and_read(keras, keras.sparse_categorical_accuracy(), (LABELS, SCORES), sample_weight=WEIGHTS)
    assert_within("the accuracy", actual, 2 / 3, rounding.quotient(2 / 3))


@claim("custom_loss_metric.robust-metric-weighted-sequences")
def test_robust_metric_weighted_sequences(keras):
    batch, weights = (LABELS.reshape(2, 2), SCORES.reshape(2, 2, 3)), WEIGHTS.reshape(2, 2)
    actual = update_and_read(keras, keras.sparse_categorical_accuracy(), batch, sample_weight=weights)
    assert_within("the accuracy", actual, 2 / 3, rounding.quotient(2 / 3))


@claim("custom_loss_metric.robust-metric-weights-add-up")
def test_robust_metric_weights_add_up(keras):
    metric = keras.sparse_categorical_accuracy()
    update_and_read(keras, metric, (LABELS, SCORES), sample_weight=WEIGHTS)
    # Weights 4 of 6 in the first update. The second adds three correct predictions of weight 2.
    actual = update_and_read(keras, metric, (LABELS, SCORES), sample_weight=2 * CORRECT_ONLY)
    assert_within("the accuracy", actual, 10 / 12, rounding.quotient(10 / 12))
    assert_within(
        "unweighted", update_and_read(keras, metric, (LABELS[3:], SCORES[3:])), 10 / 13, rounding.quotient(10 / 13)
    )


@claim("custom_loss_metric.robust-metric-many-classes")
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_robust_metric_many_classes(keras, dtype):
    labels = np.array([299, 43, 256, 128, 0], np.int32)
    # The second label is 43 = 299 - 256, and its prediction 299: equal in 8 bits.
    scores = np.eye(300, dtype=np.float32)[[299, 299, 256, 128, 0]]
    assert_within(
        "the accuracy",
        update_and_read(keras, keras.sparse_categorical_accuracy(), (labels.astype(dtype), scores)),
        4 / 5,
        rounding.quotient(4 / 5),
    )


@claim("custom_loss_metric.robust-metric-close-scores")
def test_robust_metric_close_scores(keras):
    # Adjacent float32 numbers, which are equal in lower precision or with a tolerance.
    low, high = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    scores, labels = np.array([[low, high, low], [low, low, high], [high, low, low]]), np.array([1, 2, 0], np.int32)
    # The largest of three probabilities may be far below 1/2, and the largest of three logits may be negative.
    for what, close in (("scores near 1", scores), ("near 1/4", scores / 4), ("near -1", scores - 2)):
        found = update_and_read(keras, keras.sparse_categorical_accuracy(), (labels, close))
        assert_equal(f"the accuracy of {what}", found, np.ones(()))


@claim("custom_loss_metric.robust-metrics-are-apart")
def test_robust_metrics_are_apart(keras):
    one, other = (keras.sparse_categorical_accuracy() for _ in range(2))
    update_and_read(keras, one, (LABELS, SCORES))
    assert update_and_read(keras, other, (LABELS[:1], SCORES[:1])) == 1
    assert update_and_read(keras, one) == 0.75


@claim("custom_loss_metric.robust-metric-empty")
def test_robust_metric_empty(keras):
    assert update_and_read(keras, keras.sparse_categorical_accuracy()) == 0


@claim("custom_loss_metric.robust-metric-reset")
def test_robust_metric_reset(keras):
    metric = keras.sparse_categorical_accuracy()
    update_and_read(keras, metric, (LABELS, SCORES))
    metric.reset_state()
    assert update_and_read(keras, metric, (LABELS[:1], SCORES[:1])) == 1


@claim("custom_loss_metric.robust-metric-shapes")
@pytest.mark.parametrize("shape", [(1,), (3,), (4, 2), (4, 3), (1, 4)])
def test_robust_metric_shapes(keras, shape):
    metric, labels = keras.sparse_categorical_accuracy(), np.zeros(shape, np.int32)
    assert_rejected(f"labels of {shape}", lambda: update_and_read(keras, metric, (labels, SCORES)))


@claim("custom_loss_metric.robust-metric-exact-counts")
def test_robust_metric_exact_counts(keras):
    metric = keras.sparse_categorical_accuracy()
    # Float32 numbers near 2**27 are 16 apart, so that a sum in float32 would lose each weight of 7.
    update_and_read(keras, metric, (LABELS[:1], SCORES[:1]), sample_weight=np.float32([2**27]))
    actual = update_and_read(keras, metric, *[(LABELS[3:], SCORES[3:])] * 20, sample_weight=np.float32([7]))
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
    assert (restored.name, update_and_read(keras, restored, (LABELS, SCORES))) == ("mine", 0.75)


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
