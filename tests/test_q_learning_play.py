"""How long the agent's play keeps the pole up, by the values of its network: lines 713 to 749 of the document."""

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
def lengths(weights):
    """Play episodes by the definition, pushing to the right where weights @ state is positive; return their lengths."""
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
    # Poles that fall after a hundred steps or so, and carts that leave the track after two hundred.
    count, expected = 16, lengths(tuple(weights.tolist()))
    returns = assert_form("the returns", agent.play(linear_values(weights), count, seed), (count,))
    probability = chance_of_samples(returns, expected)
    assert probability > FALSE_ALARM, (
        f"returns are {returns.min():g} to {returns.max():g}, and {expected.min()} to {expected.max()} by the"
        f" definition: they differ this much with a probability of {probability:.3g}"
    )
    probability = chance_of_order(returns)
    assert probability > FALSE_ALARM, (
        f"the returns are in order, {returns.tolist()}: a probability of {probability:.3g}"
    )
