"""Cross entropy: lines 230 to 246 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.contract import FLOAT
from assay.spec.error_bounds import rounding
from assay.spec.semantics import layers, losses
from assay.testing import cases
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.cases import MANY, ODD
from assay.testing.operations import (
    CATEGORICAL_CROSSENTROPY,
    ONE_HOT,
    SPARSE_CATEGORICAL_CROSSENTROPY,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    one_by_one,
)
from assay.testing.strategies import LEAST_PROBABILITY, labelled_distributions, labels_of


def one_hot(case):
    """Return the labels of a case as float32 distributions."""
    return layers.one_hot(case.labels, case.probabilities.shape[-1]).astype(np.float32)


def assert_crossentropy(what, actual, targets, probabilities):
    """Compare a loss with its definition."""
    targets, probabilities = targets.astype(np.float64), probabilities.astype(np.float64)
    expected = losses.categorical_crossentropy(targets, probabilities)
    assert_within(what, actual, expected, rounding.crossentropy(targets, probabilities))


@claim("cross_entropy.definition")
@given(case=labelled_distributions())
def test_definition(ops, case):
    targets = one_hot(case)
    result = ops.categorical_crossentropy(targets, case.probabilities)
    assert_crossentropy("categorical_crossentropy", result, targets, case.probabilities)


@claim("cross_entropy.soft-targets")
@given(case=labelled_distributions())
def test_soft_targets(ops, case):
    targets = case.probabilities[:, ::-1].copy()
    result = ops.categorical_crossentropy(targets, case.probabilities)
    assert_crossentropy("categorical_crossentropy", result, targets, case.probabilities)


@claim("cross_entropy.soft-targets")
@pytest.mark.parametrize("hard", [(0,), (2,), (0, 1), (1, 2, 3)], ids=str)
def test_soft_and_hard_targets(ops, seed, hard):
    # Some rows of the targets are one-hot, and the others are arbitrary distributions.
    targets, probabilities = (cases.probabilities(one, 4, 10) for one in (seed, seed + 1))
    targets[[*hard]] = np.eye(10, dtype=np.float32)[[*hard]]
    assert_correct(CATEGORICAL_CROSSENTROPY, ops.categorical_crossentropy, targets, probabilities)


# More examples than classes, fewer, and equally many, where the two axes could be confused.
LARGE_SHAPES = ((ODD, 10), (67, ODD), (33, MANY), (10, 10), (1, 300))
any_size = pytest.mark.parametrize(("batch", "classes"), LARGE_SHAPES)


@claim("cross_entropy.any-size")
@any_size
def test_any_size(ops, seed, batch, classes):
    targets, probabilities = (cases.probabilities(one, batch, classes) for one in (seed, seed + 1))
    assert_correct(CATEGORICAL_CROSSENTROPY, ops.categorical_crossentropy, targets, probabilities)


@claim("cross_entropy.last-classes-count")
def test_last_classes_count(ops, seed):
    # All the weight of the targets is on the last classes, which do not fill a block.
    probabilities = cases.probabilities(seed, 3, ODD)
    targets = np.zeros_like(probabilities)
    targets[:, -7:] = cases.probabilities(seed + 1, 3, 7)
    assert_correct(CATEGORICAL_CROSSENTROPY, ops.categorical_crossentropy, targets, probabilities)


@claim("cross_entropy.linear-in-targets")
def test_linear_in_targets(ops, seed):
    targets, probabilities = (cases.probabilities(one, 4, 10) for one in (seed, seed + 1))
    factors = np.array([[0.0], [0.25], [1.0], [3.0]], np.float32)
    assert_correct(CATEGORICAL_CROSSENTROPY, ops.categorical_crossentropy, factors * targets, probabilities)


@claim("cross_entropy.per-example")
@given(case=labelled_distributions())
def test_per_example(ops, case):
    batch = len(case.labels)
    sparse = ops.sparse_categorical_crossentropy(case.labels, case.probabilities)
    assert_form("sparse_categorical_crossentropy", sparse, (batch,))
    assert_form("categorical_crossentropy", ops.categorical_crossentropy(one_hot(case), case.probabilities), (batch,))


@claim("cross_entropy.any-number-of-classes")
@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_any_number_of_classes(ops, classes):
    probabilities = np.arange(1, classes + 1, dtype=np.float32)[None] / np.float32(classes * (classes + 1) / 2)
    targets = np.eye(classes, dtype=np.float32)[:1]
    result = ops.categorical_crossentropy(targets, probabilities)
    assert_crossentropy(f"categorical_crossentropy of {classes} classes", result, targets, probabilities)


@claim("cross_entropy.closer-is-smaller")
@given(case=labelled_distributions())
def test_closer_is_smaller(ops, case):
    # Predictions move in a straight line from uniform to the target, in quarters of the way. The last quarter is
    # omitted, since the loss is nearly flat at the target.
    uniform = np.full_like(case.probabilities, 1 / case.probabilities.shape[-1])
    targets = one_hot(case) * np.float32(0.5) + uniform * np.float32(0.5)
    ways = [targets * np.float32(part) + uniform * np.float32(1 - part) for part in (0, 0.25, 0.5, 0.75)]
    curve = np.stack([ops.categorical_crossentropy(targets, way) for way in ways])
    assert (np.diff(curve, axis=0) < 0).all(), f"the loss does not decrease towards the target: {curve.tolist()}"


@claim("cross_entropy.least-at-the-target")
@given(case=labelled_distributions())
def test_least_at_the_target(ops, case):
    targets = case.probabilities[:, ::-1].copy()
    least, other = (ops.categorical_crossentropy(targets, p).astype(np.float64) for p in (targets, case.probabilities))
    in_float64 = targets.astype(np.float64), case.probabilities.astype(np.float64)
    bound = rounding.crossentropy(*in_float64) + rounding.crossentropy(in_float64[0], in_float64[0])
    assert (least <= other + bound).all(), (
        f"the loss at the target is {least}, expected at most the loss elsewhere, {other}"
    )
    assert_crossentropy("the loss at the target, its entropy", least.astype(FLOAT), targets, targets)


@claim("cross_entropy.confident-and-right")
@pytest.mark.parametrize("doubt", [2.0**-4, 2.0**-10, 2.0**-15, LEAST_PROBABILITY])
def test_confident_and_right(ops, doubt):
    probabilities = np.array([[1 - doubt, doubt]], np.float32)
    result = ops.sparse_categorical_crossentropy(np.zeros(1, np.int32), probabilities)
    assert_crossentropy(f"the loss at a doubt of {doubt}", result, np.array([[1.0, 0.0]]), probabilities)


@claim("cross_entropy.confident-and-wrong")
def test_confident_and_wrong(ops):
    # The smallest power of 2 that no framework clips.
    probabilities = np.array([[2.0**-23, 1 - 2.0**-23]], np.float32)
    result = ops.sparse_categorical_crossentropy(np.zeros(1, np.int32), probabilities)
    assert_crossentropy("the loss at a probability of 2^-23", result, np.array([[1.0, 0.0]]), probabilities)


@claim("cross_entropy.certain-and-right")
@pytest.mark.parametrize("classes", [2, 10])
def test_certain_and_right(ops, classes):
    labels = np.arange(classes, dtype=np.int32)
    certain = np.eye(classes, dtype=np.float32)
    # Frameworks that clip probabilities return the loss of the clipped probabilities.
    clipped = np.clip(certain.astype(np.float64), losses.EPSILON, 1 - losses.EPSILON)
    bound = rounding.crossentropy(certain.astype(np.float64), clipped) + 2 * losses.EPSILON
    sparse = ops.sparse_categorical_crossentropy(labels, certain)
    assert_within("sparse_categorical_crossentropy", sparse, np.zeros(classes), bound)
    dense = ops.categorical_crossentropy(certain, certain)
    assert_within("categorical_crossentropy, with 0 times the logarithm of 0", dense, np.zeros(classes), bound)


@claim("cross_entropy.non-negative")
@given(case=labelled_distributions())
def test_non_negative(ops, case):
    result = ops.categorical_crossentropy(one_hot(case), case.probabilities)
    # Rounding may bring a probability slightly above 1, for example in a loss that divides by the sum of the row.
    bound = rounding.crossentropy(one_hot(case).astype(np.float64), case.probabilities.astype(np.float64))
    assert (result >= -bound).all(), f"expected no negative loss, got {result}"


@claim("cross_entropy.uniform-prediction")
@given(classes=st.sampled_from([2, 3, 10]), data=st.data())
def test_uniform_prediction(ops, classes, data):
    labels = data.draw(labels_of(3, classes))
    probabilities = np.full((3, classes), 1 / classes, np.float32)
    bound = rounding.crossentropy(np.ones((3, 1)), probabilities.astype(np.float64))
    result = ops.sparse_categorical_crossentropy(labels, probabilities)
    assert_within(f"the loss of equal probabilities over {classes} classes", result, np.full(3, np.log(classes)), bound)


@claim("cross_entropy.zero-probability")
def test_zero_probability(ops, permitted):
    certain, nearly = (np.array([[p, 1 - p]], np.float32) for p in (0.0, losses.EPSILON))
    wrong, close = (ops.sparse_categorical_crossentropy(np.zeros(1, np.int32), p) for p in (certain, nearly))
    in_float64 = nearly.astype(np.float64)
    bound = rounding.crossentropy(np.ones((1, 1)), in_float64)

    def finite():
        assert np.isfinite(wrong[0]), f"the loss at probability 0 is {wrong}, expected a finite loss"
        assert wrong[0] >= close[0] - bound[0], (
            f"the loss at probability 0 is {wrong}, below {close} at {losses.EPSILON}"
        )

    permitted({"finite": finite, "infinite": partial(assert_equal, "the loss", wrong, np.array([np.inf]))})


@claim("cross_entropy.two-losses")
@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_two_losses(keras, name):
    assert callable(getattr(keras.namespace.losses, name, None)), f"losses has no function {name}"


@claim("cross_entropy.third-loss")
def test_third_loss(keras):
    zeros, halves = (keras.to_tensor(np.full((1, 2), number, np.float32)) for number in (0, 0.5))
    functions = keras.namespace.losses
    assert keras.to_numpy(functions.binary_crossentropy(zeros, halves)) > 0
    assert_equal("the categorical loss", keras.to_numpy(functions.categorical_crossentropy(zeros, halves)), np.zeros(1))


@claim("cross_entropy.argument-names")
@given(case=labelled_distributions())
def test_argument_names(keras, case):
    labels, targets, predictions = map(keras.to_tensor, (case.labels, one_hot(case), case.probabilities))
    functions = keras.namespace.losses
    sparse = functions.sparse_categorical_crossentropy(y_true=labels, y_pred=predictions)
    assert_crossentropy("the sparse loss", keras.to_numpy(sparse), one_hot(case), case.probabilities)
    dense = functions.categorical_crossentropy(y_true=targets, y_pred=predictions)
    assert_crossentropy("the categorical loss", keras.to_numpy(dense), one_hot(case), case.probabilities)


@claim("cross_entropy.sparse-definition")
@given(case=labelled_distributions())
def test_sparse_definition(ops, case):
    result = ops.sparse_categorical_crossentropy(case.labels, case.probabilities)
    expected = losses.sparse_categorical_crossentropy(case.labels, case.probabilities.astype(np.float64))
    bound = rounding.crossentropy(one_hot(case).astype(np.float64), case.probabilities.astype(np.float64))
    assert_within("sparse_categorical_crossentropy", result, expected, bound)


@claim("cross_entropy.sparse-any-size")
@any_size
def test_sparse_any_size(ops, seed, batch, classes):
    labels, probabilities = cases.labels(seed, batch, classes), cases.probabilities(seed, batch, classes)
    assert_correct(SPARSE_CATEGORICAL_CROSSENTROPY, ops.sparse_categorical_crossentropy, labels, probabilities)


@claim("cross_entropy.integer-types")
@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_integer_types(ops, seed, kind):
    # More labels than a byte can number.
    labels = np.resize(np.array([0, 127, 128, 200, 255], kind), 301)
    probabilities = cases.probabilities(seed, 301, 300)
    assert_correct(SPARSE_CATEGORICAL_CROSSENTROPY, ops.sparse_categorical_crossentropy, labels, probabilities)
    # At a larger depth JAX, which numbers classes in the type of the labels, would wrap 256 to 0 in uint8.
    assert_correct(ONE_HOT, ops.one_hot, labels, 256)


@claim("cross_entropy.calls-are-independent")
@pytest.mark.parametrize(
    ("operation", "targets"),
    [(SPARSE_CATEGORICAL_CROSSENTROPY, cases.labels), (CATEGORICAL_CROSSENTROPY, cases.probabilities)],
    ids=["sparse", "categorical"],
)
def test_calls_are_independent(ops, seed, operation, targets):
    first, second, larger = (
        (targets(seed + number, *shape), cases.probabilities(seed + 3 + number, *shape))
        for number, shape in enumerate([(5, 10), (5, 10), (67, ODD)])
    )
    assert_calls_are_independent(operation, getattr(ops, operation.name), *one_by_one(first, second), larger)


@claim("cross_entropy.memory-order")
def test_memory_order(ops, seed):
    labels, targets, probabilities = cases.labels(seed, 5, 10), *(cases.probabilities(one, 5, 10) for one in (1, 2))
    assert_any_memory_order(SPARSE_CATEGORICAL_CROSSENTROPY, ops.sparse_categorical_crossentropy, labels, probabilities)
    assert_any_memory_order(CATEGORICAL_CROSSENTROPY, ops.categorical_crossentropy, targets, probabilities)
    assert_any_memory_order(ONE_HOT, ops.one_hot, np.stack([labels, labels[::-1].copy()]), 10)


@claim("cross_entropy.sparse-equals-one-hot")
@given(case=labelled_distributions())
def test_sparse_equals_one_hot(ops, case):
    encoded = ops.one_hot(case.labels, case.probabilities.shape[-1])
    sparse = ops.sparse_categorical_crossentropy(case.labels, case.probabilities)
    dense = ops.categorical_crossentropy(encoded, case.probabilities)
    # Each of the two losses may be off by the bound.
    bound = 2 * rounding.crossentropy(one_hot(case).astype(np.float64), case.probabilities.astype(np.float64))
    assert_within("the sparse loss, compared with the categorical loss", sparse, dense.astype(np.float64), bound)


@claim("cross_entropy.probabilities-not-logits")
@given(case=labelled_distributions())
def test_probabilities_not_logits(keras, case):
    labels, predictions = keras.to_tensor(case.labels), keras.to_tensor(case.probabilities)
    loss = keras.namespace.losses.sparse_categorical_crossentropy
    implied, stated = loss(labels, predictions), loss(labels, predictions, from_logits=False)
    assert_equal("the loss without from_logits", keras.to_numpy(implied), keras.to_numpy(stated))


@claim("cross_entropy.one-hot")
@given(labels=labels_of(5, 10))
def test_one_hot(ops, labels):
    assert_equal("one_hot", ops.one_hot(labels, 10), layers.one_hot(labels, 10))


@claim("cross_entropy.one-hot-any-depth")
@pytest.mark.parametrize("depth", [1, 2, 57, 129, 300, 70_000])
def test_one_hot_any_depth(ops, seed, depth):
    # Labels at both ends, and around the limits of narrower integer types.
    known = np.array([0, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, depth - 1], np.int32)
    assert_correct(ONE_HOT, ops.one_hot, known[known < depth], depth)


@claim("cross_entropy.one-hot-any-number-of-labels")
@pytest.mark.parametrize("shape", [(ODD,), (67, 3), (3, 1, 2, 4)], ids=str)
def test_one_hot_any_number_of_labels(ops, seed, shape):
    labels = np.random.default_rng(seed).integers(0, 17, shape, np.int32)
    assert_correct(ONE_HOT, ops.one_hot, labels, 17)


@claim("cross_entropy.one-hot-calls-are-independent")
def test_one_hot_calls_are_independent(ops, seed):
    first, second, larger = (cases.labels(seed + i, count, 10) for i, count in enumerate((5, 5, ODD)))
    calls = (first, 10), (second, 10), (first, 11), (larger, 300)
    assert_calls_are_independent(ONE_HOT, ops.one_hot, *calls)


@claim("cross_entropy.one-hot-depth")
@given(case=labelled_distributions())
def test_one_hot_depth(ops, case):
    depth = case.probabilities.shape[-1]
    assert_form("one_hot", ops.one_hot(case.labels, depth), case.probabilities.shape)
