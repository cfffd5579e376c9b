"""The data and the trained models that several sections need."""

from typing import Any

import pytest

from assay import data
from assay.calibration import Examples, examples, train
from assay.limits import threshold


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
    return examples(mnist.x_train, mnist.y_train)


@pytest.fixture(scope="session")
def test_set(mnist) -> Examples:
    """Return the 10,000 test examples as a model takes them, made by the definition."""
    return examples(mnist.x_test, mnist.y_test)


@pytest.fixture(scope="session")
def one_epoch(training, train_set, test_set, seed, once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the MLP after 1,200 batches, trained once in a run."""
    recipe = threshold("mlp_one_epoch").recipe
    return once("mlp_one_epoch", lambda: train(training, recipe, train_set, test_set, seed))


@pytest.fixture(scope="session")
def five_epochs(training, train_set, test_set, seed, once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the MLP after 6,000 batches, trained once in a run."""
    recipe = threshold("mlp_five_epochs").recipe
    return once("mlp_five_epochs", lambda: train(training, recipe, train_set, test_set, seed))
