"""Networks whose parameters are all 0 but for the last bias, so that what they learn is known without a network.

Whatever the inputs, their logits are the last bias, which alone has a gradient. So long trainings and extreme
probabilities are cheap to compute, and their bounds are derived rather than measured.
"""

from __future__ import annotations

import numpy as np
import pytest

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.error_bounds.rounding import DIVIDE, gamma
from assay.spec.semantics import layers, losses, optimizers
from assay.spec.semantics.models import MODELS, NUM_CHARS, Parameters
from assay.spec.semantics.optimizers import Adam
from assay.testing.assertions import assert_close, assert_equal, assert_within
from assay.testing.problems import Problem

# The last one is twice the smallest power of 2 that nobody clips: rounding must not take it there.
small_probabilities = pytest.mark.parametrize("probability", [2.0**-7, 2.0**-10, 2.0**-16, 2.0**-22])


def problem_of(model: str, seed: int, logits: Array, *leading: int) -> Problem:
    """Make a problem for a classifier that gives these logits, with one label for all examples.

    Args:
        model: Name of the model.
        seed: Seed of the inputs and of the label.
        logits: Logits, float32 [classes].
        leading: Shape of the batch, or of the batches: steps and examples.

    """
    generator = np.random.default_rng(seed)
    if model == "rnn":
        inputs = generator.integers(0, NUM_CHARS, (*leading, 3), np.int32)
    else:
        inputs = generator.random((*leading, 28, 28, 1), np.float32)
    parameters = {name: np.zeros(shape, np.float32) for name, shape in MODELS[model].shapes.items()}
    parameters[last_bias(model)][:] = logits
    return Problem(model, parameters, inputs, np.full(leading, generator.integers(len(logits)), np.int32))


def last_bias(model: str) -> str:
    """Return the name of a model's last bias."""
    return list(MODELS[model].shapes)[-1]


def num_classes(model: str) -> int:
    """Return the number of classes that a model tells apart."""
    return int(MODELS[model].shapes[last_bias(model)][0])


def assert_doubted(models: GroupProxy, model: str, seed: int, probability: float) -> None:
    """Compare loss and gradients where the label has a small probability, and the other classes share the rest.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs and label.
        probability: Probability of the label, above what any implementation clips.

    Raises:
        NonConformanceError: They differ.

    """
    __tracebackhide__ = True
    batch, classes = 3, num_classes(model)
    problem = problem_of(model, seed, np.zeros(classes, np.float32), batch)
    label = problem.targets[0]
    logits = problem.parameters[last_bias(model)]
    logits[label] = np.log(probability * (classes - 1) / (1 - probability))
    found = _Answer(to_float64(logits), int(label), batch)

    loss, gradients = models.loss_and_gradients(*problem)
    what = f"of a label with a probability of {probability:.3g}"
    assert_within(f"the loss {what}", loss, found.loss, found.loss_bound)
    of_bias = gradients[last_bias(model)]
    assert_within(f"the gradient {what} for {last_bias(model)}", of_bias, found.gradient, found.gradient_bound)
    _assert_others_0(f"the gradient {what} for", model, gradients)


def assert_steps(
    models: GroupProxy, model: str, seed: int, steps: int, learning_rate: float = 0.01, *, adam: Adam
) -> None:
    """Compare losses and last parameters of a training in which the gradients keep their signs.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs and label.
        steps: Number of steps.
        learning_rate: Learning rate of the optimizer.
        adam: Form of Adam.

    Raises:
        NonConformanceError: They differ.

    """
    __tracebackhide__ = True
    problem = problem_of(model, seed, np.zeros(num_classes(model), np.float32), steps, 1)
    label = int(problem.targets[0, 0])

    def train(bias: Array) -> Parameters:
        return _train(bias, label, steps, learning_rate, adam=adam)

    start = problem.parameters[last_bias(model)]
    # Of a bias of 0 all orders are the same: small ones take other roundings.
    nearby = [(start,), *((start + scale * np.float32(2.0**-10),) for scale in _scales(len(start)))]
    bounds = measured_bounds.bounds_over(train, nearby)
    what = f"{steps} steps at a learning rate of {learning_rate}"
    found, last = models.train(*problem, learning_rate)
    assert_close(what, {"losses": found, "bias": last[last_bias(model)]}, train(to_float64(start)), bounds)
    _assert_others_0(f"after {what},", model, last)


def _scales(classes: int) -> list[Array]:
    generator = np.random.default_rng(0)
    return [generator.uniform(-1, 1, classes).astype(np.float32) for _ in range(measured_bounds.PERMUTATIONS)]


def _train(bias: Array, label: int, steps: int, learning_rate: float, *, adam: Adam) -> Parameters:
    """Train a last bias on one example after the other, by the definition; keep the floating-point type."""
    first = second = np.zeros_like(bias)
    target, found = np.eye(1, len(bias), label, dtype=bias.dtype), []
    for step in range(1, steps + 1):
        probabilities = layers.softmax(bias[None])
        found.append(losses.categorical_crossentropy(target, probabilities)[0])
        gradient = (probabilities - target)[0]
        bias, first, second = optimizers.adam_step(bias, gradient, first, second, step, learning_rate, adam=adam)
    return {"losses": np.array(found), "bias": bias}


def assert_rates(models: GroupProxy, model: str, seed: int, *, adam: Adam) -> None:
    """Compare trainings of one shape that follow each other with other learning rates, 0 among them.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs and label.
        adam: Form of Adam.

    Raises:
        NonConformanceError: They differ from the definition's.

    """
    __tracebackhide__ = True
    for learning_rate in (0.02, 0.3, 0.0):
        assert_steps(models, model, seed, 2, learning_rate, adam=adam)


class _Answer:
    """What the definition says of a batch whose logits are all the same.

    Attributes:
        loss: Mean loss.
        loss_bound: How far float32 may take it.
        gradient: Gradient for the logits, [classes].
        gradient_bound: How far float32 may take it, [classes].

    """

    def __init__(self, logits: Array, label: int, batch: int) -> None:
        """Compute them, whether an implementation takes softmax and loss together or one after the other."""
        probabilities, error = layers.softmax(logits), rounding.softmax(logits)
        target = np.eye(1, len(logits), label)
        self.loss = losses.categorical_crossentropy(target, probabilities[None])[0]
        added = gamma(batch + DIVIDE) * self.loss
        of_loss = rounding.crossentropy(target, probabilities[None])[0]
        self.loss_bound = of_loss + added + error[label] / probabilities[label]
        self.gradient = probabilities - target[0]
        # The quotient by the probability, the product with it, the sum of both and the mean.
        self.gradient_bound = 2 * error + gamma(2 * DIVIDE + 4 + batch) * np.abs(self.gradient)


def _assert_others_0(what: str, model: str, found: Parameters) -> None:
    """Check that all but the last bias are 0."""
    __tracebackhide__ = True
    for name, shape in MODELS[model].shapes.items():
        if name != last_bias(model):
            assert_equal(f"{what} {name}", found[name], np.zeros(shape))
