"""The evaluation of the MLP: lines 247 to 266 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import models as definition
from assay.spec.vectors import read
from assay.testing import problems
from assay.testing.assertions import assert_accuracy, assert_within, claim
from assay.testing.cases import MANY, ODD
from assay.testing.networks import digit_logits
from assay.testing.operations import (
    ACCURACY,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    running_accuracy,
)
from assay.testing.stored_arrays import memory_orders
from assay.testing.strategies import predictions
from assay.testing.thresholds import threshold
from assay.testing.training.assertions import IMAGES, assert_not_above, assert_not_below, encode_images, pictures
from assay.testing.training.reported_accuracy import assert_reported

BATCH_SIZE = 50
PRINTED = read("mlp")["test_accuracy"]

batches = st.lists(predictions(), min_size=1, max_size=4).map(lambda many: [tuple(one) for one in many])


def assert_accuracies(what, actual, expected):
    """Compare quotients of counts with the definition."""
    assert_within(what, actual, expected, rounding.quotient(expected))


def batch_with(right, wrong):
    """Return a batch with given numbers of right and wrong predictions."""
    labels = np.zeros(right + wrong, np.int32)
    scores = np.tile(np.array([[1, 0]], np.float32), (right + wrong, 1))
    scores[right:] = scores[right:, ::-1]
    return labels, scores


@claim("evaluation.accuracy")
@given(batch=predictions())
def test_accuracy(ops, batch):
    assert_accuracies("the result", ops.sparse_categorical_accuracy([tuple(batch)]), running_accuracy([batch]))


@claim("evaluation.accumulates")
@given(updates=batches)
def test_accumulates(ops, updates):
    assert_accuracies(
        "the results after each update", ops.sparse_categorical_accuracy(updates), running_accuracy(updates)
    )


def draw_batches(seed, sizes, classes):
    """Draw batches of these sizes with no ties, about half of the predictions right, and a label of the last class."""
    generator, drawn = np.random.default_rng(seed), []
    for size in sizes:
        scores = generator.permuted(np.tile(np.arange(classes, dtype=np.float32), (size, 1)), axis=1)
        right = generator.random(size) < 0.5
        labels = np.where(right, scores.argmax(axis=-1), generator.integers(0, classes, size))
        labels[-1] = classes - 1
        drawn.append((labels.astype(np.int32), scores))
    return drawn


@claim("evaluation.any-size")
@pytest.mark.parametrize(
    ("sizes", "classes"), [((1, 50, ODD, 3, 67), 10), ((33, 5), 300), ((33, 5), MANY), ((70_000, 3), 2)], ids=str
)
def test_any_size(ops, seed, sizes, classes):
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, draw_batches(seed, sizes, classes))


@claim("evaluation.integer-types")
@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_integer_types(ops, kind):
    scores = (np.array([0, 127, 128, 200, 255])[:, None] == np.arange(300)).astype(np.float32)
    updates = [(np.array(labels, kind), scores) for labels in ([0, 127, 128, 200, 255], [0, 126, 127, 200, 1])]
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, updates)
    # A prediction is wrong though its last eight bits are the label.
    wrapped = np.array([0, 43], kind), (np.array([256, 299])[:, None] == np.arange(300)).astype(np.float32)
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, [wrapped])
    # More correct predictions than a byte can count, in one batch and in several.
    for sizes in ([(300, 7)], [(120, 30), (200, 1), (3, 3)]):
        batches = [(labels.astype(kind), scores) for labels, scores in (batch_with(*size) for size in sizes)]
        assert_correct(ACCURACY, ops.sparse_categorical_accuracy, batches)


@claim("evaluation.many-batches")
def test_many_batches(ops, seed):
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, draw_batches(seed, (5, 1, 3) * 50, 3))


@claim("evaluation.accuracy")
def test_one_prediction(ops):
    # Whichever class is chosen among equal scores, it is right for one of ten labels.
    batch = np.arange(10, dtype=np.int32), np.full((10, 10), 0.5, np.float32)
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, [batch])


@claim("evaluation.one-bit-apart")
@pytest.mark.parametrize("score", [-1.0, 2.0**-126, 0.25, 1e6])
def test_one_bit_apart(ops, score):
    # Each class in turn has the largest score, by one bit of float32. Half of the labels are the class after it.
    scores = np.full((10, 5), score, np.float32)
    largest = np.arange(10) % 5
    scores[np.arange(10), largest] = np.nextafter(np.float32(score), np.float32(np.inf))
    labels = ((largest + np.arange(10) // 5) % 5).astype(np.int32)
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, [(labels, scores)])


@claim("evaluation.extreme-scores")
def test_extreme_scores(ops):
    # Without the lowest number of float32, from which TensorFlow starts its search for the maximum.
    low, high = np.float32(-np.inf), np.finfo(np.float32).max
    scores = np.array([[low, low, -1e38], [high, 1.0, low], [0.0, -1e-30, 1e-30], [-3.0, -2.0, -1.0]], np.float32)
    labels = [np.array(classes, np.int32) for classes in ([2, 0, 2, 2], [0, 1, 1, 0])]
    assert_correct(ACCURACY, ops.sparse_categorical_accuracy, [(one, scores) for one in labels])


@claim("evaluation.calls-are-independent")
def test_calls_are_independent(ops, seed):
    first, second = (draw_batches(one, (4, 2, 5), 10) for one in (seed, seed + 1))
    others = [(labels, other) for (labels, _), (_, other) in zip(first, second, strict=True)]
    calls = [(batches,) for batches in (first, others, second, draw_batches(seed, (ODD,), 3), first[:1])]
    assert_calls_are_independent(ACCURACY, ops.sparse_categorical_accuracy, *calls)


@claim("evaluation.memory-order")
def test_memory_order(ops, seed):
    assert_any_memory_order(ACCURACY, ops.sparse_categorical_accuracy, draw_batches(seed, (4, 6), 10))


@claim("evaluation.counts-examples")
def test_counts_examples(ops):
    updates = [batch_with(5, 0), batch_with(0, 1)]
    assert_accuracies(
        "the results after five right predictions and after one wrong one",
        ops.sparse_categorical_accuracy(updates),
        np.array([1, 5 / 6]),
    )


@claim("evaluation.order-of-batches")
@given(updates=batches)
def test_order_of_batches(ops, updates):
    last = ops.sparse_categorical_accuracy(updates[::-1])[-1]
    expected = running_accuracy(updates)[-1]
    assert_within("the last result in reverse order", last, expected, rounding.quotient(expected))


@claim("evaluation.between-0-and-1")
@pytest.mark.parametrize(("right", "wrong", "expected"), [(0, 3, 0.0), (3, 0, 1.0)])
def test_between_0_and_1(ops, right, wrong, expected):
    result = ops.sparse_categorical_accuracy([batch_with(right, wrong)])
    assert_within("the result", result, np.array([expected]), 0.0)


@claim("evaluation.any-scores")
@given(batch=predictions())
def test_any_scores(ops, batch):
    exponentials = np.exp(batch.probabilities)
    distributions = exponentials / exponentials.sum(axis=-1, keepdims=True)
    expected = running_accuracy([batch])
    assert_accuracies("logits", ops.sparse_categorical_accuracy([tuple(batch)]), expected)
    assert_accuracies("softmax", ops.sparse_categorical_accuracy([(batch.labels, distributions)]), expected)


@claim("evaluation.starts-empty")
@given(updates=batches)
def test_starts_empty(ops, updates):
    ops.sparse_categorical_accuracy([batch_with(1, 2)])
    assert_accuracies("a second metric", ops.sparse_categorical_accuracy(updates), running_accuracy(updates))


def update_metric(keras, *updates):
    """Return a metric of the namespace after updates."""
    metric = keras.namespace.metrics.SparseCategoricalAccuracy()
    for labels, scores in updates:
        metric.update_state(keras.to_tensor(labels), keras.to_tensor(scores))
    return metric


def result_of(keras, metric):
    """Return the result of a metric of the namespace."""
    return np.float32(keras.to_numpy(metric.result()))


@claim("evaluation.metric-class")
def test_metric_class(keras):
    metric = keras.namespace.metrics.SparseCategoricalAccuracy()
    assert isinstance(metric, keras.namespace.metrics.Metric)


@claim("evaluation.update-arguments")
def test_update_arguments(keras):
    labels, scores = map(keras.to_tensor, batch_with(1, 1))
    by_name, by_position = update_metric(keras), update_metric(keras)
    by_name.update_state(y_pred=scores, y_true=labels)
    by_position.update_state(labels, scores)
    assert (result_of(keras, by_name), result_of(keras, by_position)) == (0.5, 0.5)


@claim("evaluation.metric-variables")
def test_metric_variables(keras):
    metric = update_metric(keras, batch_with(3, 1))
    assert sorted(float(keras.to_numpy(variable)) for variable in metric.variables) == [3, 4]


@claim("evaluation.result")
def test_result(keras):
    metric = update_metric(keras, batch_with(3, 1))
    assert (result_of(keras, metric), result_of(keras, metric)) == (0.75, 0.75)


@claim("evaluation.reset")
def test_reset(keras):
    metric = update_metric(keras, batch_with(3, 1))
    metric.reset_state()
    metric.update_state(*map(keras.to_tensor, batch_with(1, 1)))
    assert result_of(keras, metric) == 0.5


@claim("evaluation.empty-metric")
def test_empty_metric(keras):
    assert result_of(keras, update_metric(keras)) == 0


@claim("evaluation.num-batches")
def test_num_batches(mnist):
    assert len(mnist.x_test) // BATCH_SIZE == 200


@claim("evaluation.slices")
def test_slices(mnist):
    count = len(mnist.x_test)
    positions = list(range(count))
    starts = [index * BATCH_SIZE for index in range(count // BATCH_SIZE)]
    assert [position for start in starts for position in positions[start : start + BATCH_SIZE]] == positions


# More than 255 of these examples have the right label, in one batch.
EXAMPLES, WRONG = 300, 10


# Number of examples whose prediction may depend on rounding. Even two of them are rare.
OMITTED = 8
# How far the largest last bias is above the others. No rounding hides it, and it hardly changes the predictions.
LEAD = np.float32(2.0**-6)


@pytest.fixture(scope="module")
def labelled_examples(seed):
    """Return parameters, images and labels: the definition's predictions are right except for the first ten."""
    problem = problems.mlp(seed, batch=EXAMPLES + OMITTED - 1)
    # One digit would often be the prediction for all images. So every digit gets the same mean logit.
    bias = problem.parameters["dense2/bias"] - _logits(problem.parameters, problem.inputs).mean(axis=0)
    # Where the biases alone determine the prediction, rounding must not.
    bias = bias.astype(np.float32) + LEAD * (np.arange(10) == bias.argmax())
    parameters = problem.parameters | {"dense2/bias": bias}
    scores = _logits(parameters, problem.inputs)
    best, second = -np.sort(-scores, axis=-1)[:, :2].T
    # The examples with the smallest margins between two classes are omitted.
    indices = np.sort(np.argsort(second - best)[: EXAMPLES - 1])
    labels = scores[indices].argmax(axis=-1)
    labels[:WRONG] = (labels[:WRONG] + 1) % 10
    return parameters, problem.inputs[indices], labels.astype(np.int32)


def _logits(parameters, images):
    """Compute the logits of the MLP by the definition."""
    return definition.layer_outputs("mlp", to_float64(parameters), to_float64(images))["dense2"]


@claim("evaluation.remainder")
def test_remainder(training, labelled_examples):
    # Only the last two of 8 examples have the right label, and batches of 3 leave them for a smaller batch.
    parameters, images, labels = labelled_examples
    some = slice(WRONG - 6, WRONG + 2)
    accuracy = training.evaluate("mlp", parameters, images[some], labels[some], 3)
    assert_accuracy("the accuracy", accuracy, 2 / 8)


@claim("evaluation.any-batch-size")
@pytest.mark.parametrize("batch_size", [7, EXAMPLES - 2, 1_000])
def test_any_batch_size(training, labelled_examples, batch_size):
    expected = 1 - WRONG / (EXAMPLES - 1)
    accuracy = training.evaluate("mlp", *labelled_examples, batch_size)
    assert_accuracy(f"the accuracy in batches of {batch_size}", accuracy, expected)


@claim("evaluation.any-batch-size")
@pytest.mark.parametrize("factor", [1, 256])
def test_one_by_one(training, labelled_examples, factor):
    parameters, images, labels = labelled_examples
    # Images must not be scaled. With brighter images and a smaller kernel, the predictions stay the same.
    scaled = parameters | {"dense1/kernel": parameters["dense1/kernel"] / np.float32(factor)}
    for first, last, expected in ((WRONG - 2, WRONG + 3, 3 / 5), (0, 1, 0.0), (WRONG, WRONG + 1, 1.0)):
        some = slice(first, last)
        accuracy = training.evaluate("mlp", scaled, np.float32(factor) * images[some], labels[some], 1)
        what = f"the accuracy of {last - first} images in batches of one"
        assert_accuracy(what, accuracy, expected)


@claim("evaluation.any-batch-size")
@pytest.mark.parametrize("wrong", [[], [0], [-1]], ids=["none", "the first", "the last"])
def test_many_right(training, wrong):
    # More images than the document's test set has, and than float16 can count. The bias determines the prediction.
    count, chosen = 10_007, 3
    parameters = {name: np.zeros(shape, np.float32) for name, shape in definition.MODELS["mlp"].shapes.items()}
    parameters["dense2/bias"][chosen] = 1
    labels = np.full(count, chosen, np.int32)
    labels[wrong] += 1
    images = np.zeros((count, 28, 28, 1), np.float32)
    accuracy = training.evaluate("mlp", parameters, images, labels, 1_000)
    expected = 1 - len(wrong) / count
    assert_accuracy(f"the accuracy with {len(wrong)} of {count} wrong", accuracy, expected)


@claim("evaluation.starts-anew")
def test_evaluation_starts_anew(training, labelled_examples):
    parameters, images, labels = labelled_examples
    zeros = {name: np.zeros_like(value) for name, value in parameters.items()}
    training.evaluate("mlp", zeros, images, labels, EXAMPLES - 2)
    wrong = (labels + 1) % 10
    # The labels of the first ten are the digit after the right one.
    for what, targets, expected in (("", labels, 1 - WRONG / (EXAMPLES - 1)), (", with wrong labels", wrong, 0.0)):
        accuracy = training.evaluate("mlp", parameters, images, targets, EXAMPLES - 2)
        assert_accuracy(f"the accuracy after another evaluation{what}", accuracy, expected)
    # The same number of images, in a different order.
    accuracy = training.evaluate("mlp", parameters, images[::-1].copy(), labels[::-1].copy(), EXAMPLES - 2)
    expected = 1 - WRONG / (EXAMPLES - 1)
    assert_accuracy("the accuracy of other images", accuracy, expected)
    # All images stay but one, which becomes a copy of another that the network takes for another digit.
    alike = labels[:-1] == labels[-1]
    changed = images.copy()
    changed[-1] = images[:-1][~alike][-1]
    accuracy = training.evaluate("mlp", parameters, changed, labels, EXAMPLES - 2)
    expected -= 1 / (EXAMPLES - 1)
    assert_accuracy("the accuracy of images of which the last has changed", accuracy, expected)


@claim("evaluation.starts-anew")
def test_evaluation_of_one_batch_starts_anew(training, labelled_examples):
    parameters, images, labels = labelled_examples
    for right in (5, 0, 2):
        targets = np.where(np.arange(5) < right, labels[-5:], (labels[-5:] + 1) % 10).astype(np.int32)
        accuracy = training.evaluate("mlp", parameters, images[-5:], targets, 5)
        what = f"the accuracy of one batch with {right} of 5 right, after other evaluations"
        assert_accuracy(what, accuracy, right / 5)


@claim("evaluation.starts-anew")
@pytest.mark.parametrize("name", definition.MODELS["mlp"].shapes)
def test_evaluation_by_each_parameter(training, labelled_examples, name):
    parameters, images, labels = labelled_examples
    # With a change of any of the first three, only the last bias determines the prediction.
    value = parameters[name]
    last = np.float32(1000) * (np.arange(10) == labels[-1])
    changes = {"dense1": np.full_like(value, -1000), "dense2/kernel": np.zeros_like(value), "dense2/bias": last}
    changed = parameters | {name: next(change for prefix, change in changes.items() if name.startswith(prefix))}
    expected_changed = (labels == changed["dense2/bias"].argmax()).mean()
    right = 1 - WRONG / (EXAMPLES - 1)
    for what, weights, expected in (("with another", changed, expected_changed), ("after another", parameters, right)):
        accuracy = training.evaluate("mlp", weights, images, labels, EXAMPLES - 2)
        assert_accuracy(f"the accuracy {what} {name}", accuracy, expected)


@claim("evaluation.examples-memory-order")
def test_examples_memory_order(training, labelled_examples):
    # A broadcast array repeats the first example, whose label is wrong.
    for order, (parameters, images, labels), _ in memory_orders(*labelled_examples):
        wrong = EXAMPLES - 1 if "broadcast" in order else WRONG
        weights = labelled_examples[0] if "broadcast" in order else parameters
        expected = 1 - wrong / (EXAMPLES - 1)
        accuracy = training.evaluate("mlp", weights, images, labels, EXAMPLES - 2)
        assert_accuracy(f"the accuracy, arrays {order}", accuracy, expected)


def small_model(keras):
    """Return a model of one Dense layer, and inputs for it."""
    namespace = keras.namespace
    model = namespace.Sequential([namespace.layers.Dense(2)])
    model.run_eagerly = True
    return model, np.arange(12, dtype=np.float32).reshape(4, 3)


@claim("evaluation.predict-is-numpy")
def test_predict_is_numpy(keras):
    model, inputs = small_model(keras)
    assert type(model.predict(inputs, verbose=0)) is np.ndarray


@claim("evaluation.predict-prints")
def test_predict_prints(keras, capsys):
    model, inputs = small_model(keras)
    model.predict(inputs, verbose=0)
    assert capsys.readouterr().out == ""
    model.predict(inputs)
    assert "1/1" in capsys.readouterr().out


@claim("evaluation.predict-is-call")
def test_predict_is_call(keras):
    model, inputs = small_model(keras)
    predicted = model.predict(inputs, verbose=0)
    kernel, bias = map(to_float64, map(keras.to_numpy, model.variables))
    bound = 2 * rounding.dense(to_float64(inputs), kernel, bias, None)
    assert_within("predict", predicted, to_float64(keras.to_numpy(model(keras.to_tensor(inputs)))), bound)


@claim("evaluation.reported-accuracy")
def test_reported_accuracy(one_epoch, test_set, evidence):
    logits, margin = digit_logits(one_epoch["parameters"], test_set)
    kernels = one_epoch["parameters"]["dense1/kernel"].T.reshape(-1, 28, 28)[:IMAGES]
    evidence(kernels=encode_images(kernels.astype(np.float32)), **pictures(logits, test_set))
    assert_reported(one_epoch["accuracy"], logits, margin, test_set.labels)


@claim("evaluation.one-epoch")
def test_one_epoch(one_epoch, evidence):
    assert_not_below("mlp_one_epoch", one_epoch, PRINTED, evidence)


@claim("evaluation.five-epochs")
def test_five_epochs(five_epochs, evidence):
    assert_not_below("mlp_five_epochs", five_epochs, PRINTED, evidence)


@claim("evaluation.too-good")
def test_too_good(one_epoch):
    assert_not_above("mlp_one_epoch", one_epoch)


@claim("evaluation.five-epochs-too-good")
def test_five_epochs_too_good(five_epochs):
    assert_not_above("mlp_five_epochs", five_epochs)


@claim("evaluation.printed-accuracy")
def test_printed_accuracy():
    one, five = threshold("mlp_one_epoch").limits(), threshold("mlp_five_epochs").limits()
    assert one.lower <= PRINTED <= one.upper
    assert five.lower > PRINTED


@claim("evaluation.about-95-percent")
def test_about_95_percent(five_epochs):
    assert five_epochs["accuracy"] >= read("mlp")["about_accuracy"], f"the accuracy is {five_epochs['accuracy']:.4f}"


@claim("evaluation.beats-majority")
def test_beats_majority(one_epoch, test_set):
    majority = np.bincount(test_set.labels).max() / len(test_set.labels)
    assert one_epoch["accuracy"] > majority, (
        f"the accuracy is {one_epoch['accuracy']:.4f}, that of the most frequent digit {majority:.4f}"
    )


@claim("evaluation.training-helps")
def test_training_helps(models, training, one_epoch, test_set, seed):
    initial = models.initial_parameters("mlp", seed)
    before = training.evaluate("mlp", initial, *test_set, BATCH_SIZE)
    assert one_epoch["accuracy"] > before, (
        f"the accuracy is {one_epoch['accuracy']:.4f}, that before training {before:.4f}"
    )
