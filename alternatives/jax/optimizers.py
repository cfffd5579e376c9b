"""Gradient descent, plain and by Adam, as pure functions of the optimizer's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from assay.contract import Parameters

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7

# Arrays in containers, or one array.
Tree = TypeVar("Tree")


class Optimizer(NamedTuple):
    """An optimizer.

    Attributes:
        begin: Function from the parameters to the state before the first step.
        step: Function from (parameters, gradients, state, learning rate) to the next parameters and state.

    """

    begin: Callable[[Parameters], Any]
    step: Callable[[Any, Any, Any, jax.Array | float], tuple[Any, Any]]


class Moments(NamedTuple):
    """State of Adam.

    Attributes:
        first: First moments of every parameter.
        second: Second moments of every parameter.
        steps: Number of steps so far.

    """

    first: Any
    second: Any
    steps: jax.Array | int


def sgd_step(parameters: Tree, gradients: Tree, gathered: None, learning_rate: jax.Array | float) -> tuple[Tree, None]:
    """Move parameters, of any form, against their gradients."""
    moved = jax.tree.map(lambda one, gradient: one - learning_rate * gradient, parameters, gradients)
    return moved, gathered


def no_moments(parameters: Parameters) -> Moments:
    """Return zero moments, each in separate memory."""
    first, second = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
    return Moments(first, second, jnp.int32(0))


def adam_step(
    parameters: Tree, gradients: Tree, moments: Moments, learning_rate: jax.Array | float
) -> tuple[Tree, Moments]:
    """Update parameters, of any structure, by their moments.

    Kingma and Ba, 2015, end of section 2: the rate includes both bias corrections, and epsilon (hat) none, as in Keras.
    Optax and others correct the second moment before they add epsilon.
    """
    steps = moments.steps + 1
    first = jax.tree.map(lambda old, new: BETA_1 * old + (1 - BETA_1) * new, moments.first, gradients)
    second = jax.tree.map(lambda old, new: BETA_2 * old + (1 - BETA_2) * new**2, moments.second, gradients)
    rate = learning_rate * jnp.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps)
    moved = jax.tree.map(lambda one, m, v: one - rate * m / (jnp.sqrt(v) + EPSILON), parameters, first, second)
    return moved, Moments(first, second, steps)


SGD = Optimizer(lambda _: None, sgd_step)
ADAM = Optimizer(no_moments, adam_step)
