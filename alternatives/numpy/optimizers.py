"""Gradient descent, plain and by Adam."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from assay.contract import Array, Parameters

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7
# Number of elements that, with their moments and intermediate results, fit into the cache of a core.
CACHED = 2**15


class Optimizer(Protocol):
    """Updates parameters along their negative gradients."""

    def __init__(self, learning_rate: float) -> None:
        """Create the initial state."""

    def step(self, parameters: Parameters, gradients: Parameters) -> None:
        """Take a step that changes the parameters in place."""


def sgd_step(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """Return the parameter after a step."""
    return parameter - np.float32(learning_rate) * gradient


def adam_step(
    parameter: Array, gradient: Array, first: Array, second: Array, step: int, learning_rate: float
) -> tuple[Array, Array, Array]:
    """Return parameter and both moments after a step; steps count from 1.

    Kingma and Ba, 2015, end of section 2: the rate includes both bias corrections, and epsilon (hat) none.
    """
    rate = learning_rate * math.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = np.float32(BETA_1) * first + np.float32(1 - BETA_1) * gradient
    second = np.float32(BETA_2) * second + np.float32(1 - BETA_2) * (gradient * gradient)
    return parameter - np.float32(rate) * first / (np.sqrt(second) + np.float32(EPSILON)), first, second


class SGD:
    """Plain gradient descent."""

    def __init__(self, learning_rate: float) -> None:
        """Store the learning rate."""
        self.learning_rate = learning_rate

    def step(self, parameters: Parameters, gradients: Parameters) -> None:
        """Update every parameter."""
        for name, gradient in gradients.items():
            parameters[name][...] = sgd_step(parameters[name], gradient, self.learning_rate)


class Adam:
    """Adam, with the moments of every parameter."""

    def __init__(self, learning_rate: float) -> None:
        """Store the learning rate."""
        self.learning_rate = learning_rate
        self.steps = 0
        self.moments: dict[str, tuple[Array, Array]] = {}

    def step(self, parameters: Parameters, gradients: Parameters) -> None:
        """Update every parameter, part by part."""
        self.steps += 1
        for name, gradient in gradients.items():
            if name not in self.moments:
                self.moments[name] = np.zeros(gradient.size, np.float32), np.zeros(gradient.size, np.float32)
            state = parameters[name].reshape(-1), *self.moments[name]
            for start in range(0, gradient.size, CACHED):
                part = slice(start, start + CACHED)
                parameter, first, second = (values[part] for values in state)
                moved = adam_step(parameter, gradient.reshape(-1)[part], first, second, self.steps, self.learning_rate)
                parameter[...], first[...], second[...] = moved
