"""The libraries that the document's programs import."""

import pytest


def pytest_configure(config):
    """Register the mark."""
    config.addinivalue_line("markers", "erratum(id): the test demonstrates the erratum of a claim")


@pytest.fixture(scope="session")
def tf():
    """Return TensorFlow."""
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="session")
def keras3(tf):
    """Skip what holds since Keras 3 with an earlier one."""
    if tf.keras.__version__ < "3":
        pytest.skip("not so before Keras 3")


@pytest.fixture(scope="session")
def gymnasium():
    """Return Gymnasium, which continues Gym."""
    return pytest.importorskip("gymnasium")


@pytest.fixture
def cart_pole(gymnasium):
    """Return CartPole, made as the document makes it."""
    return gymnasium.make("CartPole-v1")


@pytest.fixture(scope="session")
def digits():
    """Return MNIST as it is distributed."""
    from assay.datasets import data  # noqa: PLC0415 - reads files

    try:
        return data.mnist(download=False)
    except data.AbsentError as error:
        pytest.skip(str(error))
