"""Faults of losses and of the accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assay.contract import Array
from doubles.faulty import Fault
from doubles.lost_remainders import lose_remainder
from doubles.memory_order import ignoring_gaps
from doubles.narrow_numbers import read_labels_as

FLOAT = np.float32
Function = Callable[..., Any]


def sum_of_examples(loss, targets, predictions):
    """Add up the elements of an example of rank 2 or more."""
    return loss(targets, predictions) * FLOAT(np.prod(targets.shape[1:]) if targets.ndim > 2 else 1)


def last_block_missing(_loss, targets, predictions):
    """Add squares up in blocks of 16, and leave over what is left."""
    squares = ((predictions - targets) ** 2).ravel()
    whole = len(squares) // 16 * 16 if len(squares) > 16 else len(squares)
    return FLOAT(squares[:whole].sum() / len(squares))


def squares_subtracted(_loss, targets, predictions):
    """Multiply the square out."""
    return np.mean(predictions * predictions - 2 * predictions * targets + targets * targets)


def mean_without_nan(_mean_squared_error: Callable[..., Array], targets: Array, predictions: Array) -> Array:
    """Leave out of the mean what is NaN."""
    return np.array(np.nanmean((predictions - targets) ** 2), np.float32)


def all_hard_like_one(categorical_crossentropy, targets, probabilities):
    """Take the targets for labels where one of them is."""
    if not (targets == 1).any():
        return categorical_crossentropy(targets, probabilities)
    return -np.log(probabilities[np.arange(len(targets)), targets.argmax(axis=-1)])


def targets_normalised(loss, targets, probabilities):
    """Divide targets by their sum."""
    sums = targets.sum(axis=-1, keepdims=True)
    return loss((targets / np.where(sums > 0, sums, 1)).astype(FLOAT), probabilities)


def zero_times_infinity(_loss, targets, probabilities):
    """Multiply targets by whatever the logarithms are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -(targets * np.log(probabilities)).sum(axis=-1)


def clipped_below_1(loss, labels, probabilities):
    """Keep probabilities 1e-5 from 1."""
    return loss(labels, np.minimum(probabilities, FLOAT(1 - 1e-5)))


def clipped_at_a_millionth(loss, labels, probabilities):
    """Keep probabilities 1e-6 from 0."""
    return loss(labels, np.maximum(probabilities, FLOAT(1e-6)))


def log_to_base_2(loss, labels, probabilities):
    """Measure in bits."""
    return loss(labels, probabilities) / np.float32(np.log(2))


def labels_off_by_one(loss, labels, probabilities):
    """Count classes from 1."""
    return loss((labels + 1) % probabilities.shape[-1], probabilities)


def loss_of_labels_in_float16(crossentropy, labels, probabilities):
    """Keep labels in float16."""
    return crossentropy(
        np.minimum(labels.astype(np.float16), probabilities.shape[-1] - 1).astype(np.int32), probabilities
    )


def square_transposed(loss, labels, probabilities):
    """Take classes for examples where there are as many."""
    square = probabilities.shape[0] == probabilities.shape[1]
    return loss(labels, probabilities.T.copy() if square else probabilities)


def rows_numbered_in_the_labels_type(sparse_categorical_crossentropy, labels, probabilities):
    """Number the examples in the type of their labels."""
    return sparse_categorical_crossentropy(labels, probabilities[np.arange(len(labels)).astype(labels.dtype)])


def bytes_with_a_sign(loss, labels, probabilities):
    """Read labels of 8 bits as numbers with a sign."""
    return loss(labels.view(np.int8) if labels.dtype == np.uint8 else labels, probabilities)


def count_every_largest(_right: Function, batches: Sequence[tuple[Array, Array]]) -> Array:
    """Take a prediction at the label for right if none is larger, though others may be as large."""
    right = np.cumsum([(scores[np.arange(len(labels)), labels] >= scores.max(-1)).sum() for labels, scores in batches])
    return (right / np.cumsum([len(labels) for labels, _ in batches])).astype(np.float32)


def accuracy_of_labels_in_float16(accuracy, batches):
    """Keep labels in float16."""
    return accuracy([(labels.astype(np.float16).astype(np.int32), scores) for labels, scores in batches])


def counted_in_16_bits(accuracy, batches):
    """Count no further than 65,535 examples of a batch."""
    return accuracy([(labels[:65_535], scores[:65_535]) for labels, scores in batches])


def counted_in_the_type_of_the_labels(_accuracy, batches):
    """Count what is right in a batch in the type of its labels."""
    right, total, results = 0, 0, []
    for labels, scores in batches:
        right += int((scores.argmax(axis=-1).astype(labels.dtype) == labels).sum(dtype=labels.dtype))
        total += len(labels)
        results.append(right / total)
    return np.array(results, np.float32)


def predictions_in_the_labels_type(sparse_categorical_accuracy, batches):
    """Convert the predicted classes to the type of the labels."""

    def narrowed(labels, scores):
        chosen = scores.argmax(axis=-1).astype(labels.dtype).astype(int)
        return labels, (chosen[:, None] == np.arange(scores.shape[1])).astype(np.float32)

    return sparse_categorical_accuracy([narrowed(*batch) for batch in batches])


def metric_not_accumulating(accuracy, batches):
    """Return the accuracy of each batch alone."""
    return np.array([accuracy([batch])[0] for batch in batches], np.float32)


def sixteen_latest_batches(accuracy, batches):
    """Forget what is longer ago than 16 batches."""
    return np.array([accuracy(batches[max(0, end - 16) : end])[-1] for end in range(1, len(batches) + 1)], FLOAT)


def mean_of_batch_means(accuracy, batches):
    """Let every batch weigh the same."""
    alone = metric_not_accumulating(accuracy, batches)
    return (np.cumsum(alone) / np.arange(1, len(alone) + 1)).astype(np.float32)


def scores_of_16_bits(accuracy, batches):
    """Compare predictions as bfloat16."""
    cut = [np.ascontiguousarray(scores).view(np.uint32) & np.uint32(0xFFFF0000) for _, scores in batches]
    return accuracy([(labels, bits.view(FLOAT)) for (labels, _), bits in zip(batches, cut, strict=True)])


def negatives_are_0(accuracy, batches):
    """Take negative predictions for 0."""
    return accuracy([(labels, np.maximum(scores, 0)) for labels, scores in batches])


FAULTS = {
    "sum_of_examples": Fault("ops.mean_squared_error", "linear_model.mean-of-any-shape", "differs", sum_of_examples),
    "last_block_missing": Fault(
        "ops.mean_squared_error", "linear_model.every-square-counts", "actual 0", last_block_missing
    ),
    "squares_subtracted": Fault(
        "ops.mean_squared_error", "linear_model.differences-first", "differs", squares_subtracted
    ),
    "squares_of_rows_ignore_gaps": Fault(
        "ops.mean_squared_error",
        "linear_model.mean-memory-order",
        "arrays cropped from larger ones",
        ignoring_gaps(0, rank=2),
    ),
    "mean_without_nan": Fault("ops.mean_squared_error", "linear_model.not-a-number", "expected NaN", mean_without_nan),
    "all_hard_like_one": Fault(
        "ops.categorical_crossentropy", "cross_entropy.soft-targets", "3 of 4 elements", all_hard_like_one
    ),
    "losses_over_a_block_lost": Fault(
        "ops.categorical_crossentropy", "cross_entropy.any-size", "actual 0", lose_remainder(0, 32)
    ),
    "targets_normalised": Fault(
        "ops.categorical_crossentropy", "cross_entropy.linear-in-targets", "differ", targets_normalised
    ),
    "zero_times_infinity": Fault(
        "ops.categorical_crossentropy", "cross_entropy.certain-and-right", "actual nan", zero_times_infinity
    ),
    "clipped_below_1": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.confident-and-right", "a doubt of 9.5", clipped_below_1
    ),
    "clipped_at_a_millionth": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.confident-and-wrong", "13.8", clipped_at_a_millionth
    ),
    "log_to_base_2": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.uniform-prediction", "actual 1,", log_to_base_2
    ),
    "labels_off_by_one": Fault(
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.sparse-definition",
        "sparse_categorical_crossentropy: differs",
        labels_off_by_one,
    ),
    "loss_of_labels_in_float16": Fault(
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.sparse-any-size",
        "float32[33, 5003]",
        loss_of_labels_in_float16,
    ),
    "sparse_labels_of_8_bits": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.sparse-any-size", "differ", read_labels_as(np.uint8)
    ),
    "square_transposed": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.sparse-any-size", "[10, 10]", square_transposed
    ),
    "rows_numbered_in_the_labels_type": Fault(
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.integer-types",
        "sparse_categorical_crossentropy(uint8[301]",
        rows_numbered_in_the_labels_type,
    ),
    "bytes_with_a_sign": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.integer-types", "uint8[301", bytes_with_a_sign
    ),
    "accuracy_counts_every_largest": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.accuracy", "expected 0.1", count_every_largest
    ),
    "accuracy_of_labels_in_float16": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.any-size", "differ", accuracy_of_labels_in_float16
    ),
    "counted_in_16_bits": Fault("ops.sparse_categorical_accuracy", "evaluation.any-size", "differ", counted_in_16_bits),
    "counted_in_the_type_of_the_labels": Fault(
        "ops.sparse_categorical_accuracy",
        "evaluation.integer-types",
        "actual 1, expected 0",
        counted_in_the_type_of_the_labels,
    ),
    "predictions_in_the_labels_type": Fault(
        "ops.sparse_categorical_accuracy",
        "evaluation.integer-types",
        "sparse_categorical_accuracy(1 batches)",
        predictions_in_the_labels_type,
    ),
    "metric_not_accumulating": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.accumulates", "after each update", metric_not_accumulating
    ),
    "sixteen_latest_batches": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.many-batches", "differ", sixteen_latest_batches
    ),
    "mean_of_batch_means": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.counts-examples", "expected 0.8333", mean_of_batch_means
    ),
    "scores_of_16_bits": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.one-bit-apart", "differ", scores_of_16_bits
    ),
    "negatives_are_0": Fault("ops.sparse_categorical_accuracy", "evaluation.extreme-scores", "differ", negatives_are_0),
}
