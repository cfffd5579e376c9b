"""Comparison of a Q-network with its definition: outputs, gradients and parameters by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds import measured_bounds, trajectory_bounds
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import descent, models, q_learning
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.q_learning import Transitions
from assay.testing import problems
from assay.testing.networks import Case, Tensors
from assay.testing.problems import GAMMA, LEARNING_RATE, QProblem

# Parameters and the elements of transitions to named arrays.
Evaluate = Callable[..., Tensors]


@cache
def q_network_problem(seed: int) -> QProblem:
    """Return the problem of a seed for `q_network`, cached since several tests share it."""
    return problems.q_learning_of("q_network", seed)


def layer_outputs(model: str) -> Evaluate:
    """Return a function that computes the definition's output of every layer for the states of transitions."""
    return lambda parameters, states, *_: models.layer_outputs(model, parameters, states)


def targets(model: str, gamma: float = GAMMA) -> Evaluate:
    """Return a function that computes the definition's y."""
    return lambda parameters, *elements: {"y": q_learning.targets(model, parameters, Transitions(*elements), gamma)}


def loss_and_gradients(model: str) -> Evaluate:
    """Return a function that computes the definition's loss and gradients."""

    def evaluate(parameters: Tensors, *elements: Array) -> Tensors:
        loss, gradients = q_learning.loss_and_gradients(model, parameters, Transitions(*elements), GAMMA)
        return {"loss": loss, **gradients}

    return evaluate


def trajectory(model: str, *, adam: Adam = Adam.BEFORE_CORRECTION) -> Evaluate:
    """Return a function that computes the definition's losses and final parameters for given batches.

    Args:
        model: Name of the model.
        adam: Form of Adam, where the optimizer is Adam.

    """

    def evaluate(parameters: Tensors, *elements: Array) -> Tensors:
        losses, last = q_learning.learn(model, parameters, Transitions(*elements), LEARNING_RATE, GAMMA, adam=adam)
        return {"losses": losses, **last}

    return evaluate


def solve(problem: QProblem, evaluate: Evaluate) -> Case:
    """Solve a problem with one batch by the definition."""
    expected = evaluate(*map(to_float64, problem.flat))
    exact = None
    if expected.keys() == {"loss", *problem.parameters}:
        exact = measured_bounds.permute_gradients(expected, problem.permutations_of)
    return Case(problem, expected, measured_bounds.bounds_over(evaluate, problem.permutations(), exact))


def solve_training(problem: QProblem, *, adam: Adam = Adam.BEFORE_CORRECTION) -> Case:
    """Solve a problem with several batches by the definition of learning.

    Args:
        problem: Problem with several batches.
        adam: Form of Adam, where the optimizer is Adam.

    """
    model = problem.model

    def train(parameters: Tensors, *elements: Array) -> Iterator[descent.Step]:
        transitions = Transitions(*elements)
        return q_learning.steps(model, parameters, transitions, LEARNING_RATE, GAMMA, adam=adam)

    optimize = partial(descent.optimize, models.MODELS[model].optimizer, learning_rate=LEARNING_RATE, adam=adam)
    exact = [*train(*map(to_float64, problem.flat))]
    losses, last = descent.ends(exact)
    bounds = trajectory_bounds.bounds(train, optimize, problem.parameters, exact, problem.permutations_of)
    return Case(problem, {"losses": losses, **last}, bounds)


def gradients_of(agent: GroupProxy, problem: QProblem) -> dict[str, Any]:
    """Compute loss and gradients of a problem with the implementation."""
    loss, gradients = agent.loss_and_gradients(*problem, GAMMA)
    return {"loss": loss, **gradients}


def learn_batches(agent: GroupProxy, problem: QProblem) -> dict[str, Any]:
    """Learn from the batches of a problem, and return losses and final parameters."""
    losses, last = agent.learn(*problem, learning_rate=LEARNING_RATE, gamma=GAMMA)
    return {"losses": losses, **last}
