"""The data and the trained models that several sections need."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from assay import data
from assay.calibration import float32
from assay.contract import Array
from assay.limits import threshold


class Examples(NamedTuple):
    """float32 images [n, 28, 28, 1] and int32 labels [n]."""

    images: Array
    labels: Array


@pytest.fixture(scope="session")
def mnist() -> data.Mnist:
    """Return MNIST as it is distributed; without it, what needs it is skipped with the reason.

    The run has tried to fetch it before its tests began.
    """
    try:
        return data.mnist(download=False)
    except data.AbsentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def train_set(mnist) -> Examples:
    """Return the 60,000 training examples as a model takes them, made by the definition."""
    return Examples(*float32(mnist.x_train, mnist.y_train))


@pytest.fixture(scope="session")
def test_set(mnist) -> Examples:
    """Return the 10,000 test examples as a model takes them, made by the definition."""
    return Examples(*float32(mnist.x_test, mnist.y_test))


def train_and_evaluate(training, name, train_set, test_set, seed) -> dict[str, Any]:
    """Train by the recipe of a threshold, and evaluate on the test set."""
    recipe = threshold(name).recipe
    losses, parameters = training.fit(images=train_set.images, labels=train_set.labels, seed=seed, **recipe)
    accuracy = training.evaluate(recipe["model"], parameters, test_set.images, test_set.labels, recipe["batch_size"])
    return {"losses": np.asarray(losses), "parameters": dict(parameters), "accuracy": float(accuracy)}


@pytest.fixture(scope="session")
def one_epoch(training, train_set, test_set, seed, once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the MLP after 1,200 batches, trained once in a run."""
    return once("mlp_one_epoch", lambda: train_and_evaluate(training, "mlp_one_epoch", train_set, test_set, seed))


@pytest.fixture(scope="session")
def five_epochs(training, train_set, test_set, seed, once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the MLP after 6,000 batches, trained once in a run."""
    return once("mlp_five_epochs", lambda: train_and_evaluate(training, "mlp_five_epochs", train_set, test_set, seed))
