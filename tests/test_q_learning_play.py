"""Lengths of the episodes that the agent plays: lines 713 to 749 of the document."""

import numpy as np
import pytest

from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import FARTHEST_ANGLE, MAX_EPISODE_STEPS
from assay.testing.assertions import assert_equal, assert_form, claim
from assay.testing.chances import chance_of_order, chance_of_samples
from assay.testing.episode_lengths import CORNERS, linear_policy_lengths, right_push_lengths
from assay.testing.handcrafted_values import (
    ANGLE,
    LEANING,
    LEAVING,
    WANDERING,
    linear_values,
)
from assay.testing.seeds import assert_told_apart, similar_seeds
from assay.testing.thresholds import FALSE_ALARM


@claim("q_learning.play-follows-its-values")
@pytest.mark.parametrize("weights", [WANDERING, LEAVING], ids=["wandering", "leaving"])
def test_play_follows_its_values(agent, seed, weights):
    # With the first weights the pole falls after about 100 steps; with the second, the cart leaves the track after 200.
    count, expected = 16, linear_policy_lengths(tuple(weights.tolist()))
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


@claim("q_learning.plays-greedily")
def test_plays_greedily(agent, seed):
    # The greedy action always pushes to the right, and any exploration would lengthen the episodes. In states beyond
    # the failure angle it pushes to the left, so an agent that acts on the last state of the previous episode is found.
    count = 60
    policy = linear_values(ANGLE, offset=1.01 * FARTHEST_ANGLE)
    returns = assert_form("the returns", agent.play(policy, count, seed), (count,))
    generator = np.random.default_rng(seed)
    expected = right_push_lengths(generator.uniform(-cart_pole.INITIAL, cart_pole.INITIAL, (2_000, 4)))
    corners = right_push_lengths(CORNERS)
    assert (returns <= corners.max()).all(), (
        f"with pushes to the right only, the largest return is {returns.max():g}, expected at most {corners.max()}"
    )
    # Together the episodes have more than 500 steps, the limit of one.
    shortest = cart_pole.shortest_length()
    assert (returns >= shortest).all(), (
        f"a return is {returns.min():g}, and no pole falls in fewer than {shortest} steps"
    )
    probability = chance_of_samples(returns, expected)
    assert probability > FALSE_ALARM, (
        f"with pushes to the right only, returns are {returns.min():g} to {returns.max():g}, and {expected.min()} to"
        f" {expected.max()} by the definition: a probability of {probability:.3g}"
    )
    probability = chance_of_order(returns)
    assert probability > FALSE_ALARM, (
        f"the returns of {count} episodes are in order, {returns.tolist()}: a probability of {probability:.3g}"
    )


@claim("q_learning.play-ends-off-track")
@pytest.mark.parametrize("side", [-1, 1], ids=["right", "left"])
def test_play_ends_off_track(agent, seed, side):
    returns = assert_form("the returns", agent.play(linear_values(LEANING, offset=side * 0.8), 2, seed), (2,))
    assert (returns < MAX_EPISODE_STEPS).all(), f"the cart leaves the track, and the returns are {returns.tolist()}"


@claim("q_learning.plays-by-seed")
def test_plays_by_seed(agent, seed):
    # The time until the cart leaves the track depends on its initial position. Two such times are equal with a
    # probability of 0.008, and five pairs of them with 3e-11.
    one, again, other = (agent.play(linear_values(LEAVING), 5, number) for number in (seed, seed, seed + 1))
    assert_equal("the returns with the same seed", again, one)
    assert (one != other).any(), f"the seeds {seed} and {seed + 1} give the same returns"
    assert len(np.unique(np.append(one, other))) > 1, f"all episodes have a return of {one[0]}"


@claim("q_learning.plays-by-seed")
def test_plays_apart_from_the_next_seed(agent, seed):
    # Detects environments with the seeds seed, seed + 1 and so on. Two episodes of this policy have equal lengths with
    # a probability of 0.05, and seven pairs of them with 8e-10.
    one, other = (agent.play(linear_values(ANGLE), 8, number) for number in (seed, seed + 1))
    assert (one[1:] != other[:-1]).any(), (
        f"episodes by the seed {seed + 1} have the same returns as later ones by the seed {seed}: {one[1:].tolist()}"
    )


@claim("q_learning.plays-by-seed")
def test_plays_by_confusable_seeds(agent, seed):
    # Two episodes of this policy have equal lengths with a probability of 0.05, and six pairs of them with 2e-8.
    policy = linear_values(ANGLE)
    assert_told_apart("returns", similar_seeds(seed), lambda number: agent.play(policy, 6, number))
