"""Accuracy, counted in whole numbers so that batches of any size add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from assay.contract import Array


def count_correct(labels: Array, predictions: Array) -> int:
    """Count the examples whose largest prediction is at the label: [batch] and [batch, classes]."""
    return int((predictions.argmax(axis=-1) == labels).sum())


def accumulate_accuracy(batches: Iterable[tuple[Array, Array]]) -> Array:
    """Return the running accuracy after each batch of labels and predictions: [batches].

    It is 0 before the first example.
    """
    correct, count, results = 0, 0, []
    for labels, predictions in batches:
        correct += count_correct(labels, predictions)
        count += len(labels)
        results.append(correct / count if count else 0.0)
    return np.array(results, np.float32)


def evaluate(predict: Callable[[Array], Array], inputs: Array, labels: Array, batch_size: int) -> float:
    """Return the accuracy over all examples, computed in batches; the last may be smaller.

    Args:
        predict: Function from inputs [batch, ...] to [batch, classes].
        inputs: [examples, ...].
        labels: [examples].
        batch_size: Largest number of examples in a batch.

    """
    right = sum(count_correct(labels[batch], predict(inputs[batch])) for batch in split(len(inputs), batch_size))
    return right / len(inputs)


def split(count: int, batch_size: int) -> Iterator[slice]:
    """Yield slices that divide `count` examples into batches, in order."""
    for start in range(0, count, batch_size):
        yield slice(start, start + batch_size)
