"""A model whose training can be computed by hand, and a classifier, for the tests of compile, fit and evaluate.

The model has one weight. Its inputs are 1, and its loss is the mean of (weight - target)^2. A step of 1/4 against the
gradient, 2 (weight - mean of targets), goes half way to that mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_within

# Errors for invalid calls: which of these is raised depends on the release of Keras.
ERRORS = (RuntimeError, TypeError, ValueError)
# Batches of 4 leave a last batch of 2. Means over either are exact in float32, and so are the steps.
TARGETS = np.array([0, 0, 0, 0, 1, 1], np.float32)
BATCH_SIZE = 4


def ones() -> Array:
    """Return an input of 1 for each target."""
    return np.ones((len(TARGETS), 1), np.float32)


def target_column() -> Array:
    """Return the targets as a column, for a model of one output."""
    return TARGETS.reshape(-1, 1).copy()


def one_weight_model(keras: GroupProxy, *others: Any, start: str = "zeros", **options: Any) -> Any:  # noqa: ANN401 - layers, options of compile, a model
    """Return the compiled model of one weight, followed by further layers."""
    layers = keras.namespace.layers
    weight = layers.Dense(1, use_bias=False, kernel_initializer=start)
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), weight, *others])
    return compile_model(keras, model, **options)


def compile_model(keras: GroupProxy, model: Any, rate: float = 0.25, **options: Any) -> Any:  # noqa: ANN401 - as above
    """Compile a model with SGD and the mean squared error by default, and return it."""
    defaults = {"optimizer": keras.namespace.optimizers.SGD(learning_rate=rate), "loss": "mean_squared_error"}
    # Compiling to a graph would take longer than all of these trainings.
    model.compile(**defaults | options, run_eagerly=True)
    return model


def fit(model: Any, x: Any = None, y: Any = None, **options: Any) -> dict[str, list[float]]:  # noqa: ANN401 - whatever fit takes
    """Train a model, by default on the targets, in batches of four without shuffling; return the history."""
    defaults = {"batch_size": BATCH_SIZE, "shuffle": False, "verbose": 0}
    history: dict[str, list[float]] = model.fit(
        ones() if x is None else x, target_column() if y is None else y, **defaults | options
    ).history
    return history


def train_by_hand(epochs: int = 1) -> tuple[float, Array]:
    """Train one weight from 0 by hand; return it and the mean loss of each epoch, before each step."""
    weight, means = 0.0, []
    for _ in range(epochs):
        losses: list[float] = []
        for batch in (TARGETS[:BATCH_SIZE], TARGETS[BATCH_SIZE:]):
            losses.extend((weight - batch.astype(np.float64)) ** 2)
            weight = (weight + float(batch.mean())) / 2
        means.append(np.mean(losses))
    return weight, np.array(means)


def weight_of(keras: GroupProxy, model: Any) -> float:  # noqa: ANN401 - a model of the namespace
    """Return the weight of the model of one weight."""
    return float(keras.to_numpy(model.variables[0]).item())


def steps_of(keras: GroupProxy, model: Any) -> int:  # noqa: ANN401
    """Return the number of steps that the optimizer has taken."""
    return int(keras.to_numpy(model.optimizer.iterations))


def assert_means(what: str, actual: Any, expected: Any) -> None:  # noqa: ANN401 - numbers, or lists of them
    """Compare means of exact numbers, in which only the final division rounds.

    Raises:
        NonConformanceError: A mean has another value or another type.

    """
    __tracebackhide__ = True
    expected = np.asarray(expected, np.float64)
    assert_within(what, np.asarray(actual, np.float32), expected, rounding.quotient(expected))


def classifier(keras: GroupProxy, **options: Any) -> Any:  # noqa: ANN401 - options of compile, a model
    """Return a compiled model whose two inputs are the scores of two classes, with the document's loss and metric."""
    layers, losses, metrics = (getattr(keras.namespace, name) for name in ("layers", "losses", "metrics"))
    scores = layers.Dense(2, use_bias=False, kernel_initializer="ones")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(2,)), scores, layers.Softmax()])
    scores.set_weights([np.eye(2, dtype=np.float32)])
    defaults = {"loss": losses.sparse_categorical_crossentropy, "metrics": [metrics.sparse_categorical_accuracy]}
    return compile_model(keras, model, **defaults | options)


# The classifier predicts 0, 1, 0, 1, 0, far from a tie, and three of the labels are the same.
SCORES = np.array([[4, 0], [0, 4], [4, 0], [0, 4], [4, 0]], np.float32)
LABELS = np.array([0, 1, 1, 0, 0], np.int32)
ACCURACY = 3 / 5
