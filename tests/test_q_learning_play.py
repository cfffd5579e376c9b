"""Lengths of the episodes that the agent plays: lines 713 to 749 of the document."""

from functools import cache

import numpy as np
import pytest

from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import INITIAL, MAX_EPISODE_STEPS
from assay.testing.assertions import assert_form, claim
from assay.testing.chances import chance_of_order, chance_of_samples
from assay.testing.handcrafted_values import LEAVING, WANDERING, linear_values
from assay.testing.thresholds import FALSE_ALARM


@cache
def policy_lengths(weights):
    """Return lengths of episodes by the definition, with a push to the right where weights @ state is positive."""
    states = np.random.default_rng(0).uniform(-INITIAL, INITIAL, (1_000, 4))
    found, playing = np.zeros(len(states), int), np.arange(len(states))
    for _ in range(MAX_EPISODE_STEPS):
        states = cart_pole.step(states, (states @ np.array(weights) > 0).astype(int))
        found[playing] += 1
        standing = cart_pole.margin(states) >= 0
        states, playing = states[standing], playing[standing]
    return found


@claim("q_learning.play-follows-its-values")
@pytest.mark.parametrize("weights", [WANDERING, LEAVING], ids=["wandering", "leaving"])
def test_play_follows_its_values(agent, seed, weights):
    # With the first weights the pole falls after about 100 steps; with the second, the cart leaves the track after 200.
    count, expected = 16, policy_lengths(tuple(weights.tolist()))
    returns = assert_form("the returns", agent.play(linear_values(weights), count, seed), (count,))
    probability = chance_of_samples(returns, expected)
    assert probability > FALSE_ALARM, (
        f"returns are {returns.min():g} to {returns.max():g}, and {expected.min()} to {expected.max()} by the"
        f" definition: a probability of {probability:.3g}"
    )
    probability = chance_of_order(returns)
    assert probability > FALSE_ALARM, (
        f"the returns are in order, {returns.tolist()}: a probability of {probability:.3g}"
    )
