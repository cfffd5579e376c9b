"""Whole trainings on MNIST, for tests and for stored runs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from assay.contract import Array
from assay.datasets import data
from assay.spec.semantics.datasets import preprocess
from assay.testing import thresholds


class Examples(NamedTuple):
    """Images and labels for a model.

    Attributes:
        images: Float32 [n, 28, 28, 1].
        labels: Int32 [n].

    """

    images: Array
    labels: Array


def examples(images: Array, labels: Array) -> Examples:
    """Preprocess images and labels as the definition does, in float32."""
    # A pixel has one of 256 values: the result for each is computed once, and looked up for millions of pixels.
    scaled, classes = preprocess(np.arange(256, dtype=np.uint8).reshape(-1, 1, 1), labels)
    return Examples(scaled.astype(np.float32).ravel()[images][..., None], classes)


def train(
    training: Any,  # noqa: ANN401 - a group or its proxy
    recipe: dict[str, Any],
    train_set: Examples,
    test_set: Examples,
    seed: int,
) -> dict[str, Any]:
    """Train by a recipe, and return losses, parameters, and the accuracies on the test set and on training images.

    The training images are the first ones of the training set, as many as the test set has.
    """
    losses, parameters = training.fit(images=train_set.images, labels=train_set.labels, seed=seed, **recipe)
    known = Examples(*(values[: len(test_set.labels)] for values in train_set))
    accuracy, train_accuracy = (
        float(training.evaluate(recipe["model"], parameters, *examples, recipe["batch_size"]))
        for examples in (test_set, known)
    )
    return {
        "losses": np.asarray(losses),
        "parameters": dict(parameters),
        "accuracy": accuracy,
        "train_accuracy": train_accuracy,
    }


class Runs:
    """Trainings of an implementation whose results are stored."""

    def __init__(self, implementation: Any) -> None:  # noqa: ANN401 - it declares the groups that it has
        """Read MNIST once for all of them."""
        mnist = data.mnist()
        self._training = implementation.training
        self._train_set = examples(mnist.x_train, mnist.y_train)
        self._test_set = examples(mnist.x_test, mnist.y_test)

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Train once, and return the results to store: the accuracies, and the mean loss of each quarter."""
        trained = train(self._training, recipe, self._train_set, self._test_set, seed)
        count = len(self._test_set.labels)
        # An accuracy is a share of the images, so further digits of float32 have no meaning.
        exact = {what: round(trained[what] * count) / count for what in ("accuracy", "train_accuracy")}
        return exact | dict(zip(thresholds.QUARTERS, thresholds.quarters(trained["losses"]), strict=True))
