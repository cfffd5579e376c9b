"""Lengths of CartPole episodes with simple policies, by the definition."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from assay.contract import Array
from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import INITIAL, MAX_EPISODE_STEPS

# The initial states farthest from 0.
CORNERS = INITIAL * np.array([*product((-1, 1), repeat=4)])


def right_push_lengths(states: Array) -> Array:
    """Return the lengths of episodes in which every push is to the right.

    Args:
        states: Initial states, [episodes, 4].

    """
    count = len(states)
    lengths, standing = np.zeros(count, int), np.ones(count, bool)
    while standing.any():
        states = cart_pole.step(states, np.ones(count, int))
        lengths += standing
        standing &= cart_pole.margin(states) >= 0
    return lengths


@cache
def linear_policy_lengths(weights: tuple[float, ...]) -> Array:
    """Return the lengths of 1,000 episodes with a push to the right wherever weights @ state is positive."""
    states = np.random.default_rng(0).uniform(-INITIAL, INITIAL, (1_000, 4))
    found, playing = np.zeros(len(states), int), np.arange(len(states))
    for _ in range(MAX_EPISODE_STEPS):
        states = cart_pole.step(states, (states @ np.array(weights) > 0).astype(int))
        found[playing] += 1
        standing = cart_pole.margin(states) >= 0
        states, playing = states[standing], playing[standing]
    return found
