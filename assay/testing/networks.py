"""Comparison of a whole network with its definition: outputs, gradients and parameters by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.contract import Array, ModelName
from assay.spec.error_bounds import measured_bounds, rounding, trajectory_bounds
from assay.spec.error_bounds.measured_bounds import PERMUTATIONS, Evaluate, to_float64
from assay.spec.semantics import descent, layers
from assay.spec.semantics import models as definition
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within
from assay.testing.problems import LEARNING_RATE, Problem, QProblem
from assay.testing.stored_arrays import REVERSED, SAME_VALUES, map_arrays, reverse_names
from assay.testing.training.mnist_training import Examples

Tensors = dict[str, Array]

# Float32 has nothing but 0 below exp(-104).
CERTAIN = 200.0


class Case(NamedTuple):
    """A problem and its solution.

    Attributes:
        problem: Problem with the inputs of the call.
        expected: Result of the definition, in float64.
        bounds: Bounds of every tensor, for `assert_close`.

    """

    problem: Problem | QProblem
    expected: Tensors
    bounds: Mapping[str, float | Array]


def layer_outputs(model: str) -> Evaluate:
    """Return a function that computes the definition's output of every layer."""
    return lambda parameters, inputs, _targets: definition.layer_outputs(model, parameters, inputs)


def loss_and_gradients(model: str) -> Evaluate:
    """Return a function that computes the definition's loss and gradients."""

    def evaluate(parameters: Tensors, inputs: Array, targets: Array) -> Tensors:
        loss, found = definition.loss_and_gradients(model, parameters, inputs, targets)
        return {"loss": loss, **found}

    return evaluate


def trajectory(model: str, *, adam: Adam = Adam.BEFORE_CORRECTION) -> Evaluate:
    """Return a function that computes the definition's losses and final parameters of a training.

    Args:
        model: Name of the model.
        adam: Form of Adam, where the optimizer is Adam.

    """

    def evaluate(parameters: Tensors, inputs: Array, targets: Array) -> Tensors:
        curve, last = definition.train(model, parameters, inputs, targets, LEARNING_RATE, adam=adam)
        return {"losses": curve, **last}

    return evaluate


def solve(problem: Problem, evaluate: Callable[..., Evaluate], *, adam: Adam = Adam.BEFORE_CORRECTION) -> Case:
    """Solve a problem by the definition.

    Args:
        problem: Problem with several batches for `trajectory`, with one batch otherwise.
        evaluate: `layer_outputs`, `loss_and_gradients` or `trajectory`.
        adam: Form of Adam, where `evaluate` is `trajectory` and Adam is the optimizer.

    """
    if evaluate is trajectory:
        return solve_training(problem, LEARNING_RATE, adam=adam)
    function = evaluate(problem.model)
    expected = dict(function(*map(to_float64, problem[1:])))
    exact = expected if expected.keys() == {"loss", *problem.parameters} else None
    return Case(problem, expected, measured_bounds.bounds(function, *problem, exact=exact))


def solve_training(
    problem: Problem, learning_rate: float, *, permutations: int = PERMUTATIONS, adam: Adam = Adam.BEFORE_CORRECTION
) -> Case:
    """Solve a training on several batches by the definition.

    Args:
        problem: Parameters before the first step, and the batches.
        learning_rate: Learning rate of the optimizer.
        permutations: Number of summation orders in which rounding is measured.
        adam: Form of Adam, where the optimizer is Adam.

    """

    def train(parameters: Tensors, inputs: Array, targets: Array) -> Iterator[descent.Step]:
        return definition.steps(problem.model, parameters, inputs, targets, learning_rate, adam=adam)

    optimizer = definition.MODELS[problem.model].optimizer
    optimize = partial(descent.optimize, optimizer, learning_rate=learning_rate, adam=adam)
    exact = [*train(*map(to_float64, problem[1:]))]
    losses, last = descent.ends(exact)

    def permute(tree: Tensors) -> Iterator[tuple[Any, ...]]:
        return measured_bounds.permutations(
            problem.model, tree, problem.inputs, problem.targets, batch_axis=1, count=permutations
        )

    bounds = trajectory_bounds.bounds(train, optimize, problem.parameters, exact, permute)
    return Case(problem, {"losses": losses, **last}, bounds)


@cache_by_precision
def case(make: Callable[..., Problem], evaluate: Callable[[str], Evaluate], seed: int, **options: int) -> Case:
    """Make a problem of `assay.testing.problems` and solve it, once for all tests that share it."""
    return solve(make(seed, **options), evaluate)


def outputs_of(models: GroupProxy, problem: Problem, names: list[str]) -> dict[str, Any]:
    """Run the model of a problem, and check that it has layers with these names.

    Raises:
        NonConformanceError: A layer is missing.

    """
    found: dict[str, Any] = models.layer_outputs(problem.model, problem.parameters, problem.inputs)
    if absent := [name for name in names if name not in found]:
        msg = f"the layer {absent[0]} is missing: there are only {list(found)}"
        raise NonConformanceError(msg)
    return found


def gradients_of(models: GroupProxy, problem: Problem) -> dict[str, Any]:
    """Compute loss and gradients of a problem with the implementation."""
    loss, found = models.loss_and_gradients(*problem)
    return {"loss": loss, **found}


def oppose_outputs(problem: Problem, layer: str) -> Problem:
    """Give the last unit of a Dense layer the negative weights and bias of the first, so that one of both is negative.

    All outputs of a layer may have one sign by chance.
    """
    opposed = {}
    for name in (f"{layer}/kernel", f"{layer}/bias"):
        opposed[name] = problem.parameters[name].copy()
        opposed[name][..., -1] = -opposed[name][..., 0]
    return problem._replace(parameters=problem.parameters | opposed)


def rescale_inputs(one: Case, kernel: str, factor: float) -> Case:
    """Multiply a problem's inputs by a power of 2, and divide its first kernel by it.

    All sums stay the same, exactly. So do the gradients, except that of the first kernel.

    Args:
        one: Problem with its loss and gradients.
        kernel: Name of the first kernel.
        factor: The power of 2, of either sign.

    """
    problem = cast("Problem", one.problem)
    parameters = {**problem.parameters, kernel: problem.parameters[kernel] / np.float32(factor)}
    return Case(
        problem._replace(parameters=parameters, inputs=np.float32(factor) * problem.inputs),
        {**one.expected, kernel: factor * one.expected[kernel]},
        {**one.bounds, kernel: abs(factor) * one.bounds[kernel]},
    )


def assert_any_pixels(models: GroupProxy, one: Case, kernel: str) -> None:
    """Check loss and gradients, and the loss in a training, for bright pixels and for negative ones.

    Args:
        models: Implementation of the group `models`.
        one: Problem of a network on images, with its loss and gradients.
        kernel: Name of the network's first kernel.

    Raises:
        NonConformanceError: A result differs.

    """
    __tracebackhide__ = True
    for factor in (4.0, -4.0):
        scaled, expected, bounds = rescale_inputs(one, kernel, factor)
        problem = cast("Problem", scaled)
        what = f"of {problem.model} on pixels between 0 and {factor:g}"
        assert_close(f"loss_and_gradients {what}", gradients_of(models, problem), expected, bounds)
        losses, _ = models.train(problem.model, problem.parameters, problem.inputs[None], problem.targets[None], 0.0)
        assert_within(f"the loss in a training {what}", losses, expected["loss"][None], bounds["loss"])


def reorder_arrays(problem: Problem, orders: Iterable[str] = SAME_VALUES) -> Iterator[tuple[str, Problem]]:
    """Yield a problem with its arrays in other memory orders, which change no value, and the name of each order.

    The last problem has its parameters in reverse order.
    """
    for order in orders:
        yield order, map_arrays(SAME_VALUES[order], problem)
    yield REVERSED, problem._replace(parameters=reverse_names(problem.parameters))


def assert_solved_in_any_order(
    one: Case, run: Callable[[Problem], Tensors], orders: Iterable[str] = SAME_VALUES
) -> None:
    """Check that the result does not change if arrays are transposed, sliced, cropped or read-only in memory.

    Args:
        one: Problem and solution.
        run: Function that solves the problem with the implementation.
        orders: Names of the memory orders (default: all).

    Raises:
        NonConformanceError: A result differs from the solution.

    """
    __tracebackhide__ = True
    for order, problem in reorder_arrays(cast("Problem", one.problem), orders):
        assert_close(f"{problem.model}, arrays {order}", run(problem), one.expected, one.bounds)


def either_adam(check: Callable[..., None]) -> dict[str, Callable[[], None]]:
    """Return a check for each form of Adam, by the keys of the results that claims permit."""
    return {adam.value: partial(check, adam=adam) for adam in Adam}


def train_model(models: GroupProxy, problem: Problem, learning_rate: float = LEARNING_RATE) -> dict[str, Any]:
    """Train the model of a problem on its batches, and return losses and final parameters."""
    curve, last = models.train(*problem, learning_rate)
    return {"losses": curve, **last}


# Number of images in which the rounding of logits is measured.
MEASURED = 50


def digit_logits(parameters: Tensors, examples: Examples) -> tuple[Array, float]:
    """Compute the logits of a trained MLP by the definition.

    Returns:
        The logits, [n, 10], and the largest difference between two logits whose sign rounding can change.

    """
    logits = _logits(to_float64(parameters), *map(to_float64, examples))["dense2"]
    bounds = measured_bounds.bounds(_logits, "mlp", parameters, *(values[:MEASURED] for values in examples))
    return logits, 2 * bounds["dense2"]


def _logits(parameters: Tensors, images: Array, _labels: Array) -> Tensors:
    return {"dense2": definition.layer_outputs("mlp", parameters, images)["dense2"]}


def assert_dense(found: Tensors, problem: Problem, layer: str, before: str, activation: str | None = None) -> None:
    """Compare a Dense layer of a network with its definition, on the output of the layer before it.

    Args:
        found: The outputs of all layers.
        problem: Problem with the model.
        layer: Name of the layer.
        before: Name of the layer before it.
        activation: Activation of the layer; None for the identity.

    Raises:
        NonConformanceError: The output differs.

    """
    variables = (to_float64(problem.parameters[f"{layer}/{name}"]) for name in ("kernel", "bias"))
    arguments = (to_float64(found[before]), *variables, activation)
    assert_within(layer, found[layer], layers.dense(*arguments), rounding.dense(*arguments))


def assert_certain(models: GroupProxy, model: ModelName, bias: str, problem: Problem) -> None:
    """Check the probabilities of logits that are the last bias: one far above the others, or numbers that add up to 1.

    Args:
        models: Group of the implementation.
        model: Name of the model.
        bias: Name of the last bias.
        problem: Problem whose shapes are used.

    Raises:
        NonConformanceError: The implementation keeps the probabilities away from 0 or 1, or takes logits for them.

    """
    __tracebackhide__ = True
    parameters = {name: np.zeros_like(value) for name, value in problem.parameters.items()}
    parameters[bias][0] = 1
    found = models.layer_outputs(model, parameters, problem.inputs[:1])["softmax"]
    logits = to_float64(parameters[bias])[None]
    assert_within("softmax of logits that add up to 1", found, layers.softmax(logits), rounding.softmax(logits))
    parameters[bias][0] = CERTAIN
    found = models.layer_outputs(model, parameters, problem.inputs[:1])["softmax"]
    expected = np.eye(1, parameters[bias].size)
    assert_equal(f"softmax of logits of which one is {CERTAIN:g} and the others are 0", found, expected)


def assert_parameters(initial: Tensors, model: str, layer: str, count: int) -> None:
    """Check shapes and number of the parameters of a layer.

    Raises:
        NonConformanceError: A shape, a dtype or the number of parameters differs.

    """
    shapes = {name: shape for name, shape in definition.MODELS[model].shapes.items() if name.startswith(f"{layer}/")}
    total = sum(assert_form(name, initial[name], shape).size for name, shape in shapes.items())
    if total != count:
        msg = f"{layer} has {total} parameters, expected {count}"
        raise NonConformanceError(msg)
