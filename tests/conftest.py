"""Fixtures with data and trained models that several sections share."""

from collections.abc import Callable
from typing import Any

import pytest

from assay.contract import Array
from assay.datasets import connectivity, data
from assay.spec.vectors import read
from assay.testing.assertions import assert_form
from assay.testing.thresholds import threshold
from assay.testing.training import text_training
from assay.testing.training.designed_training import SMALL, Fitted, frozen_training, seven_examples
from assay.testing.training.mnist_training import Examples, examples, train
from assay.testing.training.network_training import Batch, draw_batch


@pytest.fixture(scope="session")
def mnist() -> data.Mnist:
    """Return MNIST as distributed, or skip the tests that need it if it is missing.

    The run tries to download it before the first test.
    """
    try:
        return data.mnist(download=False)
    except data.AbsentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def train_set(mnist) -> Examples:
    """Return the 60,000 training examples, preprocessed by the definition."""
    return examples(mnist.x_train, mnist.y_train)


@pytest.fixture(scope="session")
def test_set(mnist) -> Examples:
    """Return the 10,000 test examples, preprocessed by the definition."""
    return examples(mnist.x_test, mnist.y_test)


@pytest.fixture(scope="session")
def one_epoch(training, train_set, test_set, seed, compute_once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the MLP after 1,200 batches, trained once per run."""
    recipe = threshold("mlp_one_epoch").recipe
    return compute_once("mlp_one_epoch", lambda: train(training, recipe, train_set, test_set, seed))


@pytest.fixture(scope="session")
def five_epochs(training, train_set, test_set, seed, compute_once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the MLP after 6,000 batches, trained once per run."""
    recipe = threshold("mlp_five_epochs").recipe
    return compute_once("mlp_five_epochs", lambda: train(training, recipe, train_set, test_set, seed))


@pytest.fixture(scope="session")
def cnn_five_epochs(training, train_set, test_set, seed, compute_once) -> dict[str, Any]:
    """Return losses, parameters and accuracy of the CNN after 6,000 batches, trained once per run."""
    recipe = threshold("cnn_five_epochs").recipe
    return compute_once("cnn_five_epochs", lambda: train(training, recipe, train_set, test_set, seed))


# Number of trainings, enough to detect a shuffling of each epoch. With it, one in ten batches of 3 repeats an example,
# and with independent draws four in ten.
TRAININGS_OF_SEVEN = 10


@pytest.fixture(scope="session")
def trainings_of_seven(training, seed, compute_once) -> list[Fitted]:
    """Return trainings with different seeds and a learning rate of 0, on seven examples in batches of 3."""
    drawn = seven_examples(seed)
    return compute_once(
        "frozen-of-seven",
        lambda: [frozen_training(training, SMALL, drawn, seed + each) for each in range(TRAININGS_OF_SEVEN)],
    )


@pytest.fixture(scope="session")
def corpus() -> text_training.Corpus:
    """Return the Nietzsche text, or its substitute if it is missing, encoded by the definition."""
    return text_training.corpus(data.nietzsche(download=False))


@pytest.fixture(scope="session")
def nietzsche(corpus) -> text_training.Corpus:
    """Return the Nietzsche text, on which the stored runs were trained, or skip the tests that need it."""
    if not corpus.is_nietzsche:
        pytest.skip(f"the Nietzsche text is missing; found {corpus.source}")
    return corpus


@pytest.fixture(scope="session")
def rnn_100_batches(text, corpus, seed, compute_once) -> dict[str, Any]:
    """Return losses and parameters of the RNN after 100 batches, trained once per run."""
    recipe = threshold("rnn_100_batches").recipe
    return compute_once("rnn_100_batches", lambda: text_training.train(text, recipe, corpus, seed))


@pytest.fixture(scope="session")
def rnn_1000_batches(text, corpus, seed, compute_once) -> dict[str, Any]:
    """Return losses and parameters of the RNN after 1,000 batches, trained once per run."""
    recipe = threshold("rnn_1000_batches").recipe
    return compute_once("rnn_1000_batches", lambda: text_training.train(text, recipe, corpus, seed))


@pytest.fixture(scope="session")
def reachable(compute_once) -> bool:
    """Return whether the network is reachable, tested once per run."""
    return compute_once("reachable", connectivity.reachable)


@pytest.fixture(scope="session")
def online(reachable) -> None:
    """Skip the tests that need a network if it is not reachable."""
    if not reachable:
        pytest.skip("not run: no network")


@pytest.fixture(scope="session")
def batch(seed) -> Batch:
    """Return a batch drawn with the seed of the run."""
    return draw_batch(seed)


@pytest.fixture(scope="session")
def predict(applications, compute_once, seed, batch) -> Callable[..., Array]:
    """Return a function that computes the predictions of a new MobileNetV2 for the batch, in either mode."""
    network, classes = (read("flowers")[what] for what in ("network", "classes"))

    def compute(*, training, seed=seed):
        options = {"training": training, "seed": seed, "classes": classes}
        predictions = compute_once(
            f"predict-{training}-{seed}", lambda: applications.predict(network, batch.images, **options)
        )
        return assert_form("the predictions", predictions, (len(batch.labels), classes))

    return compute
