"""Trainings on black images, in which the last bias alone learns, so that labels decide everything.

All biases of a new model are 0, so a black image leaves every unit at 0. The logits are the last bias, whatever the
kernels, and no other parameter has a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from assay.contract import Array
from assay.spec.error_bounds.measured_bounds import compare_to_bound
from assay.spec.semantics import layers, optimizers
from assay.testing.assertions import assert_close
from assay.testing.silent_networks import last_bias, train_last_bias
from assay.testing.training.designed_training import Fitted, Sizes
from assay.testing.training.mnist_training import Examples

# Which batches are tried: those whose loss is as near as that. Rounding takes a loss less far, by powers of ten.
BREADTH = 2.0**-12
CLASSES = 10
# Learning rate by model. The common label is soon almost certain, so the loss of a batch with the rare one stands out.
HIGH_RATES = {"mlp": 0.5, "cnn": 0.3}


def black_examples(sizes: Sizes, common: int, rare: int) -> Examples:
    """Return black images, all of which but the last have one label.

    Args:
        sizes: Sizes of the training.
        common: Label of all images but the last.
        rare: Label of the last.

    """
    labels = np.full(sizes.num_examples, common, np.int32)
    labels[-1] = rare
    return Examples(np.zeros((sizes.num_examples, 28, 28, 1), np.float32), labels)


def passes_gradients_at_0(model: str, run: Fitted) -> bool:
    """Whether a ReLU passes gradients at 0, as some do: then a training on black images moves other biases, too.

    Args:
        model: Name of the model.
        run: The training.

    """
    others = run.parameters.keys() - {last_bias(model)}
    return any(run.parameters[name].any() for name in others if name.endswith("bias"))


def assert_learns_labels(model: str, run: Fitted, sizes: Sizes, labels: tuple[int, int], learning_rate: float) -> None:
    """Check that a training on black images has the losses and the last bias of some batches of their labels.

    Args:
        model: Name of the model.
        run: The training.
        sizes: Sizes of the training.
        labels: Both labels of the images.
        learning_rate: Learning rate of the training.

    Raises:
        NonConformanceError: No batches of these labels lead to these losses and this bias.

    """
    __tracebackhide__ = True
    if passes_gradients_at_0(model, run):
        return
    bias = last_bias(model)
    found = {"losses": run.losses, "bias": run.parameters[bias]}
    start = np.zeros(CLASSES, np.float32)
    tried = [train_last_bias(start, targets, learning_rate) for targets in _possible(run, sizes, labels, learning_rate)]
    nearest = min(
        tried, key=lambda one: max(compare_to_bound(found[name] - one[0][name], one[1][name]) for name in found)
    )
    what = f"{sizes.num_batches} steps of {sizes.batch_size} black images at a learning rate of {learning_rate}"
    assert_close(what, found, *nearest)


class _Path(NamedTuple):
    """What has been learnt from some batches.

    Attributes:
        counts: How often each batch holds the second label.
        bias: Last bias, float64.
        first: First moment of its gradient.
        second: Second moment.

    """

    counts: tuple[int, ...]
    bias: Array
    first: Array
    second: Array


def _possible(run: Fitted, sizes: Sizes, labels: tuple[int, int], learning_rate: float) -> Iterator[Array]:
    """Yield the labels of all batches, [num_batches, batch_size], that have losses near those of a training."""
    zeros = np.zeros(CLASSES)
    paths = [_Path((), zeros, zeros, zeros)]
    # Where both labels are one, it does not matter how often a batch holds the second.
    most = sizes.batch_size if labels[0] != labels[1] else 0
    shares = np.arange(most + 1) / sizes.batch_size
    for loss in run.losses:
        probabilities = [layers.softmax(path.bias) for path in paths]
        each = [-np.log(of_path[[*labels]]) for of_path in probabilities]
        distances = np.abs([one + shares * (other - one) - loss for one, other in each])
        near = np.argwhere(distances <= distances.min() + BREADTH)
        paths = [_after(paths[path], probabilities[path], count, sizes, labels, learning_rate) for path, count in near]
    for path in paths:
        second = np.arange(sizes.batch_size) < np.array(path.counts)[:, None]
        yield np.where(second, labels[1], labels[0]).astype(np.int32)


def _after(
    path: _Path, probabilities: Array, count: int, sizes: Sizes, labels: tuple[int, int], learning_rate: float
) -> _Path:
    """Take a step on a batch that holds the second label so many times."""
    share = count / sizes.batch_size
    common, rare = layers.one_hot(np.array(labels), CLASSES)
    shares = (1 - share) * common + share * rare
    step = len(path.counts) + 1
    return _Path(
        (*path.counts, int(count)),
        *optimizers.adam_step(path.bias, probabilities - shares, path.first, path.second, step, learning_rate),
    )
