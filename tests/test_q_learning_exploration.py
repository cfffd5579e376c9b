"""Greedy actions, and exploration with probability epsilon: lines 690 to 736 of the document."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.semantics import q_learning
from assay.spec.vectors import read
from assay.testing.assertions import (
    assert_equal,
    assert_form,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.chances import chance_of_counts, chance_of_share
from assay.testing.counts import assert_share
from assay.testing.handcrafted_values import constant_values
from assay.testing.q_networks import (
    layer_outputs,
    q_network_problem,
    solve,
)
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM

MODEL = "q_network"
DOCUMENT = read("q_learning")
INT = np.dtype(np.int32)
SCHEDULE = {name: DOCUMENT[name] for name in ("num_exploration_episodes", "initial_epsilon", "final_epsilon")}


def choose_actions(agent, parameters, states, epsilon, seed, model=MODEL):
    """Choose actions, and check their form."""
    actions = agent.act(model, parameters, states, epsilon, seed)
    return assert_form("act", actions, (len(states),), INT)


@claim("q_learning.argmax-of-the-last-axis", "q_learning.greedy-at-0")
@few_examples(8)
@given(seed=seeds())
def test_argmax_of_the_last_axis(agent, seed):
    problem, expected, bounds = solve(q_network_problem(seed), layer_outputs(MODEL))
    values = expected["dense3"]
    # Where two values are nearly equal, either may be the larger. All the error may lie in a single value.
    apart = np.abs(values[:, 0] - values[:, 1]) > 2 * np.sqrt(values.size) * bounds["dense3"]
    found = choose_actions(agent, problem.parameters, problem.transitions.states, 0.0, seed)
    assert apart.any(), "in every state both actions have nearly the same value"
    assert_equal("the greedy actions", found[apart], values.argmax(axis=-1)[apart], INT)


def check_epsilon(agent, episode, schedule):
    """Compare epsilon in an episode with the definition; return it and its error bound."""
    expected = q_learning.epsilon(episode, **schedule)
    found = agent.epsilon(episode, **schedule)
    # Rounding of a difference, a quotient and a product, and of their operands.
    largest = max(schedule["initial_epsilon"], schedule["final_epsilon"])
    bound = rounding.gamma(4 + rounding.DIVIDE) * largest
    assert_within(f"epsilon in episode {episode}", found, expected, bound, np.asarray(found).dtype)
    return float(found), bound


@claim("q_learning.epsilon-first")
def test_epsilon_first(agent):
    assert float(agent.epsilon(0, **SCHEDULE)) == 1


@claim("q_learning.epsilon-falls")
def test_epsilon_falls(agent):
    episodes = DOCUMENT["num_exploration_episodes"]
    rates, bounds = zip(*(check_epsilon(agent, episode, SCHEDULE) for episode in range(episodes)), strict=True)
    steps = -np.diff(rates)
    assert_within("the decrease of epsilon per episode", steps, np.full(episodes - 1, 0.01), 2 * bounds[0], steps.dtype)


@claim("q_learning.epsilon-final")
@pytest.mark.parametrize("episode", [99, 100, 250, 499])
def test_epsilon_final(agent, episode):
    found, bound = check_epsilon(agent, episode, SCHEDULE)
    assert abs(found - DOCUMENT["final_epsilon"]) <= bound


@claim("q_learning.epsilon-schedule")
@given(
    episode=st.integers(0, 200),
    num_exploration_episodes=st.integers(1, 150),
    initial_epsilon=st.sampled_from([0.125, 0.5, 0.9, 0.95, 1.0]),
    final_epsilon=st.sampled_from([0.0, 0.01, 0.25]),
)
# An initial epsilon close to 1, and one below the final epsilon, at the start and after the exploration.
@example(episode=3, num_exploration_episodes=50, initial_epsilon=0.95, final_epsilon=0.0)
@example(episode=0, num_exploration_episodes=50, initial_epsilon=0.125, final_epsilon=0.25)
@example(episode=60, num_exploration_episodes=50, initial_epsilon=0.125, final_epsilon=0.25)
def test_epsilon_schedule(agent, episode, **schedule):
    check_epsilon(agent, episode, schedule)


@claim("q_learning.epsilon-schedule")
def test_epsilon_in_any_order(agent):
    # In no particular order, some twice: epsilon may depend on the number of the episode only.
    for episode in (60, 61, 20, 0, 60, 499, 98, 1):
        check_epsilon(agent, episode, SCHEDULE)


@claim("q_learning.epsilon-schedule")
def test_epsilon_by_each_argument(agent):
    # One argument changes from call to call, and then all are as at first: each of them must count.
    changes = {"num_exploration_episodes": 50, "initial_epsilon": 0.5, "final_epsilon": 0.875}
    for changed in ({}, *({name: value} for name, value in changes.items()), {}):
        check_epsilon(agent, 20, SCHEDULE | changed)


# Number of actions chosen in one state.
DRAWS = 1000


def choose_repeatedly(agent, epsilon, seed, count=DRAWS):
    """Choose actions in one state, in which the second action has the larger value."""
    states = np.zeros((count, 4), np.float32)
    return choose_actions(agent, constant_values(-1, 1), states, epsilon, seed)


@claim("q_learning.explores")
@pytest.mark.parametrize(
    ("epsilon", "count"),
    # The last epsilon is below the final one of the document.
    [(DOCUMENT["final_epsilon"], 4 * DRAWS), (0.1, 4 * DRAWS), (0.5, DRAWS), (0.003, 16 * DRAWS)],
)
def test_explores(agent, seed, epsilon, count):
    # Enough actions to detect an epsilon of 0 in place of a small one, and one of 0.2 in place of 0.1.
    others = (choose_repeatedly(agent, epsilon, seed, count) == 0).sum()
    assert_share("actions are not the greedy one", others, count, epsilon / 2)


# Number of calls with a single state, with different seeds.
CALLS = 64


@claim("q_learning.explores")
def test_explores_in_a_single_state(agent, seed):
    # An agent that explores in a fixed share of the states of a call would always or never explore in a single one.
    others = sum(int(choose_repeatedly(agent, 0.5, seed + number, 1)[0] == 0) for number in range(CALLS))
    assert_share("actions of calls with one state are not the greedy one", others, CALLS, 0.25)


@claim("q_learning.explores-evenly")
def test_explores_evenly(agent, seed):
    counts = np.bincount(choose_repeatedly(agent, 1.0, seed), minlength=2).tolist()
    probability = chance_of_counts(counts)
    assert probability > FALSE_ALARM, f"uniform draws are as uneven as {counts} with a probability of {probability:.3g}"


@claim("q_learning.explores-each-time-anew")
def test_explores_each_time_anew(agent, seed):
    actions = choose_repeatedly(agent, 1.0, seed)
    same = int((actions[1:] == actions[:-1]).sum())
    probability = chance_of_share(same, DRAWS - 1, 0.5)
    assert probability > FALSE_ALARM, (
        f"{same} of {DRAWS} actions equal the one before: a probability of {probability:.3g}"
    )
