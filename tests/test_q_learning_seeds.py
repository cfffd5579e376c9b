"""Random draws that the seed of the agent's training determines: lines 703 to 764 of the document."""

import numpy as np
import pytest

from assay.spec.semantics.cart_pole import INITIAL
from assay.testing.assertions import claim
from assay.testing.chances import chance_of_draws
from assay.testing.counts import assert_share
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training import agent_seeds
from assay.testing.training.agent_probes import ALWAYS_GREEDY, gap_bound, gaps, probe, trace
from assay.testing.training.agent_seeds import (
    SEEDS,
    are_all_equal,
    batches_of_one,
    distance_to_common_state,
    first_values,
    random_actions,
    seeds_apart,
    value_bound,
)

# Number of episodes of which only the initial state counts.
EPISODES = 32
# Fraction of states with rare values, at either end of the distribution.
RARE = 0.01


@pytest.fixture(scope="module")
def initial_values(agent, seed):
    """Return values of the initial states of trainings with consecutive seeds, [SEEDS, EPISODES], and the networks."""
    values, networks = zip(*(first_values(agent, seed + number, EPISODES) for number in range(SEEDS)), strict=True)
    return np.array(values), networks


@claim("q_learning.training-begins-evenly")
def test_training_begins_evenly(initial_values):
    values, networks = initial_values
    states = np.random.default_rng(0).uniform(-INITIAL, INITIAL, (20_000, 4))
    found = zip(values, networks, strict=True)
    shares = np.concatenate([agent_seeds.ranks(each, network, states) for each, network in found])
    probability = chance_of_draws(shares, 0.0, 1.0)
    assert probability > FALSE_ALARM / 2, (
        f"initial states drawn uniformly from -0.05 to 0.05 have values as uneven as those of {values.size} episodes"
        f" with a probability of {probability:.3g}"
    )
    # A wider or narrower interval shows in the values that few states have. Their share is known to within 5%, which
    # at most doubles the probability of so rare a count.
    rare, level = np.abs(shares - 1 / 2) > 1 / 2 - RARE, FALSE_ALARM / 4
    assert_share("initial states have values as rare as 1 in 50", rare.sum(), rare.size, 2 * RARE, level)


def assert_no_common_state(what, networks, values):
    """Check that no state has these values in these networks: four numbers cannot match eight values by chance."""
    distance = distance_to_common_state(networks, values)
    bound = value_bound(networks[0], len(values))
    assert distance > bound, f"{what} begin in the same state: one state has the values that their losses show"


@claim("q_learning.training-seeds-its-draws")
def test_seed_decides_first_states(initial_values):
    values, networks = initial_values
    for episode in (0, 1, EPISODES - 1):
        assert_no_common_state(
            f"the episodes {episode} of trainings with consecutive seeds", networks, values[:, episode]
        )
    # Detects episodes that are seeded with seed, seed + 1 and so on.
    assert_no_common_state(
        "the last episode with a seed, the one before with the next seed, and so on,",
        networks,
        values[np.arange(SEEDS), EPISODES - 1 - np.arange(SEEDS)],
    )


@claim("q_learning.training-seeds-its-draws")
def test_seed_decides_first_states_of_seeds_apart(agent, seed):
    seeds = seeds_apart(seed)
    values, networks = zip(*(first_values(agent, one, 1) for one in seeds), strict=True)
    assert_no_common_state(f"the trainings with the seeds {seeds}", networks, np.array(values)[:, 0])


@claim("q_learning.training-seeds-its-draws")
def test_seed_decides_network(agent, seed):
    def kernels(number):
        parameters = probe(agent, number, **ALWAYS_GREEDY, num_episodes=1, max_len_episode=1)["parameters"]
        return np.concatenate([parameters[f"dense{layer}/kernel"].ravel() for layer in (1, 2, 3)])

    assert_told_apart("initial networks", confusable_seeds(seed), kernels)


@claim("q_learning.training-seeds-its-draws")
def test_seed_decides_random_actions(agent, seed):
    # All of them are equal with a probability of 2^-28.
    seeds = seeds_apart(seed)
    actions = [random_actions(agent, one) for one in seeds]
    assert not are_all_equal(actions), f"the seeds {seeds} draw the same random actions, {actions[0].tolist()}"


@claim("q_learning.training-seeds-its-draws")
def test_seed_decides_batches(agent, seed):
    # Two of them are equal with a probability of 1 / LENGTH!.
    seeds = seeds_apart(seed)
    drawn = [batches_of_one(agent, one) for one in seeds]
    assert not are_all_equal(drawn), f"the seeds {seeds} draw the same batches, {drawn[0].tolist()}"


@claim("q_learning.training-seeds-its-draws")
def test_seed_decides_exploration(agent, seed):
    # If the same steps explored with every seed, half of the steps would never explore.
    rate, never = 0.5, None
    for number in seeds_apart(seed):
        errors = trace(agent, number, initial_epsilon=rate, final_epsilon=rate, num_episodes=6)
        greedy = gaps(errors) <= np.sqrt(errors.now.size) * gap_bound(errors.parameters)
        never = greedy if never is None else never & greedy
    expected = (1 - rate / 2) ** SEEDS
    assert_share(f"steps are greedy with each of {SEEDS} seeds", never.sum(), never.size, expected)


@claim("q_learning.acts-by-seed")
def test_act_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("agent.act", implementation, results_elsewhere, seed)


@claim("q_learning.collects-by-seed")
def test_collect_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("agent.collect", implementation, results_elsewhere, seed)


@claim("q_learning.sample-by-seed")
def test_sample_transitions_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("agent.sample", implementation, results_elsewhere, seed)


@claim("q_learning.plays-by-seed")
def test_play_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("agent.play", implementation, results_elsewhere, seed)


@claim("q_learning.training-seeds-its-draws")
def test_fit_q_network_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("agent.fit", implementation, results_elsewhere, seed)
