"""Q-networks with handcrafted weights, so that the values of their actions are known without computing them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.contract import Array
from assay.spec.semantics.models import MODELS, Parameters

# Pushes to the side where the pole leans and turns, and where the cart is and moves: keeps the pole up from every
# initial state.
BALANCING = np.array([1, 2, 10, 3], np.float32)
# Pushes in the direction in which the pole turns: the pole stays up, and the cart leaves the track, to either side.
LEAVING = np.array([0, 0, 0, 1], np.float32)
# Let the cart drift, or the pole swing, so far that numbers above 1 in the states determine the action.
WANDERING = np.array([-0.5, 1, -5, 3], np.float32)
SWINGING = np.array([-1, 4, 20, 3], np.float32)
# Pushes to the side where the pole leans. The sign of a single number decides, so rounding cannot change it.
ANGLE = np.array([0, 0, 1, 0], np.float32)
# Keeps the pole at an angle by an offset, so that the cart leaves the track within two or three seconds.
LEANING = np.array([0, 0, 10, 3], np.float32)
# The same, but slows the cart: with an offset of 0.8 it leaves the track after six to eight of the ten seconds.
DRIFTING = np.array([0, 2, 10, 3], np.float32)
# Slows it more: with an offset of 0.5, and without the limit of 500 steps, it leaves the track after 640 to 820 steps.
CREEPING = np.array([0, 3, 10, 3], np.float32)


def constant_values(*values: float) -> Parameters:
    """Return parameters of a network that gives its actions these values in every state."""
    biases = {model: list(MODELS[model].shapes.items())[-1] for model in ("q_network", "q_cnn")}
    model = next(model for model, (_, shape) in biases.items() if shape == (len(values),))
    return _zeros(model) | {biases[model][0]: np.array(values, np.float32)}


def linear_values(weights: Array, level: float = 0.0, offset: float = 0.0) -> Parameters:
    """Return parameters whose values are level - f and level + f, with f = weights @ state + offset.

    The greedy policy pushes to the right where f is positive.
    """
    parameters = _zeros("q_network")
    # f is the difference of two ReLU units.
    for unit, half in enumerate((1, -1)):
        parameters["dense1/kernel"][:, unit] = half * np.asarray(weights)
        parameters["dense1/bias"][unit] = half * offset
        parameters["dense2/kernel"][unit, unit] = 1
        parameters["dense3/kernel"][unit] = [-half, half]
    parameters["dense3/bias"][:] = level
    return parameters


def values_of_brightness(bests: Sequence[int]) -> Parameters:
    """Return parameters of the `q_cnn` whose best action depends on the brightness of a grey state.

    Args:
        bests: Best actions for brightness 0, 1 / 3, 2 / 3 and 1, in this order.

    """
    parameters = _zeros("q_cnn")
    # The first filter of each convolution computes the mean of its window.
    for name in ("conv1", "conv2"):
        parameters[f"{name}/kernel"][..., : 1 if name == "conv2" else None, 0] = 1
        parameters[f"{name}/kernel"][..., 0] /= parameters[f"{name}/kernel"][..., 0].sum()
    # A ReLU unit for each threshold of brightness, b - 0, b - 1 / 3 and b - 2 / 3, from the mean at one position.
    parameters["dense1/kernel"][0, :3] = 3
    parameters["dense1/bias"][:3] = [0, -1, -2]
    # The value of each action is piecewise linear: 1 where the action is best, and 0 at the other three points.
    for action, best in zip(bests, np.eye(4), strict=True):
        parameters["dense2/bias"][action] += best[0]
        slopes = np.diff(best)
        parameters["dense2/kernel"][:3, action] += np.diff(slopes, prepend=0)
    return parameters


def _zeros(model: str) -> Parameters:
    return {name: np.zeros(shape, np.float32) for name, shape in MODELS[model].shapes.items()}
