"""Classifiers whose last kernel is 0, so that their training can be computed without the network.

Whatever the inputs, their logits are the last bias. So long trainings, large batches, extreme probabilities and large
gradients are cheap to compute, and no ReLU depends on rounding.
"""

from __future__ import annotations

import numpy as np
import pytest

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import root_mean_square, to_float64
from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.error_bounds.rounding import DIVIDE, gamma
from assay.spec.semantics import layers, losses, optimizers
from assay.spec.semantics.models import MODELS, NUM_CHARS, Parameters
from assay.spec.semantics.optimizers import Adam
from assay.testing.assertions import assert_close, assert_equal, assert_has, assert_within
from assay.testing.problems import Problem

# The smallest is twice the smallest power of 2 that no implementation clips, so that rounding does not reach it. Beside
# the largest, the probabilities of the other classes are small.
extreme_probabilities = pytest.mark.parametrize("probability", [2.0**-7, 2.0**-10, 2.0**-16, 2.0**-22, 1 - 2.0**-14])
# Output of the units of `dense1` for large gradients of the last kernel.
HIDDEN = 512.0
# Near a gradient of 0, where the share of a label nearly equals its probability, the first step of Adam depends on
# rounding, and on the place of epsilon. One draw of logits in several hundred has so small a gradient among 10 classes.
LEAST_GRADIENT = 2.0**-16
# Logit of a label among 57 classes whose loss is below 0.003 and still changes, far from where implementations clip.
CONFIDENT = 10.0


def problem_of(model: str, seed: int, logits: Array, *leading: int) -> Problem:
    """Make a problem for a classifier with these logits, with random labels.

    Args:
        model: Name of the model.
        seed: Seed of the inputs and of the labels.
        logits: Logits, float32 [classes].
        leading: Leading shape of the inputs: [batch], or [steps, batch].

    """
    generator = np.random.default_rng(seed)
    if model == "rnn":
        inputs = generator.integers(0, NUM_CHARS, (*leading, 3), np.int32)
    else:
        inputs = generator.random((*leading, 28, 28, 1), np.float32)
    parameters = {name: np.zeros(shape, np.float32) for name, shape in MODELS[model].shapes.items()}
    parameters[last_bias(model)][:] = logits
    return Problem(model, parameters, inputs, generator.integers(0, len(logits), leading, np.int32))


def last_bias(model: str) -> str:
    """Return the name of a model's last bias."""
    return list(MODELS[model].shapes)[-1]


def logits_of(model: str, seed: int | np.random.Generator) -> Array:
    """Draw logits for a model, float32 [classes]."""
    return np.random.default_rng(seed).standard_normal(MODELS[model].shapes[last_bias(model)], np.float32)


def assert_doubted(models: GroupProxy, model: str, seed: int, probability: float) -> None:
    """Compare loss and gradients for a label of an extreme probability; the other classes share the rest.

    A small probability is beside an example with another label, as some implementations clip whole batches.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs and label.
        probability: Probability of the label, within the values that implementations clip.

    Raises:
        NonConformanceError: The loss or a gradient differs.

    """
    __tracebackhide__ = True
    logits = np.zeros_like(logits_of(model, seed))
    problem = problem_of(model, seed, logits, 3)
    label = problem.targets[0]
    logits[label] = np.log(probability * (len(logits) - 1) / (1 - probability))
    problem.parameters[last_bias(model)][:] = logits
    targets = np.full_like(problem.targets, label)
    if probability < 1 / 2:
        targets[-1] = (label + 1) % len(logits)
    what = f"of a label with a probability of {probability:.6g}"
    _assert_gradients(what, models, problem._replace(targets=targets))


def assert_batch(models: GroupProxy, model: str, seed: int, batch: int) -> None:
    """Compare loss and gradients of a batch of many examples, each of which counts.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs, labels and logits.
        batch: Number of examples.

    Raises:
        NonConformanceError: The loss or a gradient differs.

    """
    __tracebackhide__ = True
    _assert_gradients(f"of {batch} examples", models, problem_of(model, seed, logits_of(model, seed), batch))


def _assert_gradients(what: str, models: GroupProxy, problem: Problem) -> None:
    """Compare loss and gradients of a silent network; with hidden units, the last kernel has large gradients."""
    __tracebackhide__ = True
    bias = last_bias(problem.model)
    kernel, hidden = bias.replace("bias", "kernel"), "dense1/bias"
    parameters = problem.parameters
    if hidden in parameters:
        parameters = parameters | {hidden: np.full_like(parameters[hidden], HIDDEN)}
    found = _Answer(to_float64(parameters[bias]), problem.targets)
    loss, gradients = models.loss_and_gradients(*problem._replace(parameters=parameters))
    assert_within(f"the loss {what}", loss, found.loss, found.loss_bound)
    assert_within(f"the gradient {what} for {bias}", gradients[bias], found.gradient, found.gradient_bound)
    assert_has(f"the gradient {what}", gradients, parameters)
    others = parameters.keys() - {bias}
    if hidden in parameters:
        shape = (len(parameters[hidden]), 1)
        added = found.input_rounding(HIDDEN)
        exact, bound = (np.tile(one, shape) for one in (HIDDEN * found.gradient, HIDDEN * found.gradient_bound + added))
        assert_within(f"the gradient {what} for {kernel}", gradients[kernel], exact, bound)
        others -= {kernel}
    _assert_0(f"the gradient {what} for", {name: gradients[name] for name in others}, problem)


def assert_steps(
    models: GroupProxy,
    model: str,
    seed: int,
    steps: int,
    learning_rate: float = 0.01,
    batch: int = 1,
    confidence: float = 0.0,
) -> None:
    """Compare losses and final parameters of a training that changes only the last bias.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs, labels and logits.
        steps: Number of steps.
        learning_rate: Learning rate of the optimizer.
        batch: Number of examples in a step. If it is 1, all steps have the same label, so that gradients keep their
            signs.
        confidence: Logit of that label before the first step; the others are 0.

    Raises:
        NonConformanceError: A loss or a parameter differs.

    """
    __tracebackhide__ = True
    start = np.zeros_like(logits_of(model, seed))
    problem = problem_of(model, seed, start, steps, batch)
    if batch == 1:
        problem = problem._replace(targets=np.full_like(problem.targets, problem.targets[0, 0]))
        start[problem.targets[0, 0]] = confidence
    else:
        start = _moving_logits(model, seed, problem.targets[0])
    problem.parameters[last_bias(model)][:] = start

    expected, bounds = train_last_bias(start, problem.targets, learning_rate)
    what = f"{steps} steps of {batch} at a learning rate of {learning_rate}"
    found, last = models.train(*problem, learning_rate)
    bias = last_bias(model)
    assert_close(what, {"losses": found, "bias": last[bias]}, expected, bounds)
    assert_has(f"the result of {what}", last, problem.parameters)
    _assert_0(f"after {what},", {name: last[name] for name in problem.parameters.keys() - {bias}}, problem)


def _moving_logits(model: str, seed: int, labels: Array) -> Array:
    """Draw logits for a first batch with these labels, so that every logit has a gradient above `LEAST_GRADIENT`."""
    generator = np.random.default_rng(seed)
    while True:
        logits = logits_of(model, generator)
        if np.abs(_Answer(to_float64(logits), labels).gradient).min() > LEAST_GRADIENT:
            return logits


def train_last_bias(start: Array, targets: Array, learning_rate: float) -> tuple[Parameters, Parameters]:
    """Train the last bias by the definition, whichever place Adam's epsilon has.

    Args:
        start: Logits before the first step, float32 [classes].
        targets: Labels of the batches, [steps, batch].
        learning_rate: Learning rate of the optimizer.

    Returns:
        The losses and the last bias in float64, and how far float32 may take them.

    """

    def train(bias: Array, adam: Adam = Adam.BEFORE_CORRECTION) -> Parameters:
        return _train(bias, targets, learning_rate, adam=adam)

    # With many equal logits, several orders of additions are the same. Nearby logits are rounded differently.
    generator = np.random.default_rng(0)
    offsets = generator.uniform(-(2.0**-10), 2.0**-10, (measured_bounds.PERMUTATIONS, len(start))).astype(np.float32)
    bounds = measured_bounds.bounds_over(train, [(start,), *((start + offset,) for offset in offsets)])
    # With gradients of this size, both forms of Adam hardly differ, and either is correct.
    expected, other = (train(to_float64(start), adam) for adam in Adam)
    between = {name: np.array(root_mean_square(expected[name] - other[name])) for name in bounds}
    return expected, {name: bound + between[name] for name, bound in bounds.items()}


def _train(bias: Array, targets: Array, learning_rate: float, *, adam: Adam) -> Parameters:
    """Train the last bias by the definition; keep the floating-point type."""
    first = second = np.zeros_like(bias)
    found = []
    for step, labels in enumerate(targets, 1):
        one_hot = layers.one_hot(labels, len(bias)).astype(bias.dtype)
        probabilities = np.repeat(layers.softmax(bias[None]), len(labels), axis=0)
        found.append(losses.categorical_crossentropy(one_hot, probabilities).mean())
        gradient = (probabilities - one_hot).mean(axis=0)
        bias, first, second = optimizers.adam_step(bias, gradient, first, second, step, learning_rate, adam=adam)
    return {"losses": np.array(found), "bias": bias}


def assert_rates(models: GroupProxy, model: str, seed: int) -> None:
    """Compare successive trainings of one shape with different learning rates, including 0.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        seed: Seed of inputs and label.

    Raises:
        NonConformanceError: A training differs from the definition's.

    """
    __tracebackhide__ = True
    for learning_rate in (0.02, 0.3, 0.0):
        assert_steps(models, model, seed, 2, learning_rate)


class _Answer:
    """Loss and gradient by the definition, for a batch in which all examples have the same logits.

    Attributes:
        loss: Mean loss.
        loss_bound: Bound on its float32 error.
        gradient: Gradient with respect to the last bias, [classes].
        gradient_bound: Bound on its float32 error, [classes].

    """

    def __init__(self, logits: Array, labels: Array) -> None:
        """Compute them, with bounds for implementations that fuse softmax and loss and for those that do not."""
        classes, batch = len(logits), len(labels)
        one_hot = layers.one_hot(labels, classes)
        probabilities = np.repeat(layers.softmax(logits[None]), batch, axis=0)
        error = rounding.softmax(logits)
        each = losses.categorical_crossentropy(one_hot, probabilities)
        of_each = rounding.crossentropy(one_hot, probabilities) + (error / probabilities)[np.arange(batch), labels]
        self.loss = each.mean()
        self.loss_bound = of_each.mean() + gamma(batch + DIVIDE) * self.loss
        self._gradients = gradients = probabilities - one_hot
        self.gradient = gradients.mean(axis=0)
        # Division by the probability, multiplication by it, the sum of both, the mean, and the product with the unit.
        count = 2 * DIVIDE + 5 + batch
        self.gradient_bound = (2 * error + gamma(count) * np.abs(gradients)).mean(axis=0)

    def input_rounding(self, unit: float) -> Array:
        """Bound the error that rounding the factors adds to the gradient of a unit's outgoing weights, [classes]."""
        batch = len(self._gradients)
        return input_rounding_bound(np.matmul, np.full((1, batch), unit), np.abs(self._gradients) / batch) + np.zeros(1)


def _assert_0(what: str, found: Parameters, problem: Problem) -> None:
    """Check that arrays have the shapes of parameters and are 0."""
    __tracebackhide__ = True
    for name, values in found.items():
        assert_equal(f"{what} {name}", values, np.zeros(problem.parameters[name].shape))
