"""Random draws of the agent in different episodes and with different seeds: lines 727 to 753 of the document."""

import numpy as np

from assay.spec.semantics.cart_pole import MAX_EPISODE_STEPS, shortest_length
from assay.spec.semantics.q_learning import Transitions
from assay.testing.assertions import assert_form, claim
from assay.testing.counts import assert_share, assert_sum
from assay.testing.draws import chance_of_repeats
from assay.testing.handcrafted_values import BALANCING, constant_values, linear_values
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training.agent_probes import ALWAYS_EXPLORING, LENGTH, gap_bound, gaps, trace, whole_gaps

MODEL = "q_network"
# Number of actions chosen in one state.
DRAWS = 1_000
# Sequences of this length do not repeat by chance.
WORD = 50


@claim("q_learning.acts-apart-from-other-seeds")
def test_acts_apart_from_other_seeds(agent, seed):
    states = np.zeros((DRAWS, 4), np.float32)
    one, other, third = (
        assert_form("act", agent.act(MODEL, constant_values(-1, 1), states, 1.0, number), (DRAWS,), np.dtype(np.int32))
        for number in (seed, seed + 1, seed + 2)
    )
    # The actions with the next seeds, and the opposites of one sequence.
    probability = chance_of_repeats(one, other, third, 1 - other, classes=2, length=WORD)
    assert probability > FALSE_ALARM, (
        f"the seeds {seed} to {seed + 2} draw the same {WORD} consecutive actions, or opposite ones: a probability of"
        f" {probability:.3g}"
    )


@claim("q_learning.collects-each-episode-anew")
def test_collects_each_episode_anew(agent, seed):
    # All actions are random, so a step has the same action in all episodes with a probability of 2^-39.
    episodes, steps = 40, shortest_length()
    found = Transitions(*agent.collect(linear_values(BALANCING), 1.0, episodes, seed))
    first = np.concatenate([[0], np.flatnonzero(found.dones)[: episodes - 1] + 1])
    actions = found.actions[first[:, None] + np.arange(steps)]
    constant = np.flatnonzero((actions == actions[0]).all(axis=0)).tolist()
    assert not constant, f"all {episodes} episodes draw the same random actions in the steps {constant}"


# At most 1.4 % of such episodes end before half (2 of 480 do, 95 % confidence). Four in a row seldom do.
SMALL_EPSILON, ATTEMPTS = 0.15, 4


@claim("q_learning.collects-by-epsilon")
def test_collects_late(agent, seed):
    for attempt in range(ATTEMPTS):
        found = Transitions(*agent.collect(linear_values(BALANCING), SMALL_EPSILON, 1, seed + attempt))
        late = (found.actions != (found.states @ BALANCING > 0))[MAX_EPISODE_STEPS // 2 :]
        if late.size:
            break
    assert late.size, f"{ATTEMPTS} episodes that balance the pole end within {MAX_EPISODE_STEPS // 2} steps"
    what = f"later actions, with an epsilon of {SMALL_EPSILON}, are not greedy"
    assert_share(what, late.sum(), late.size, SMALL_EPSILON / 2)


# Number of episodes of a training, and of actions of each episode with known values.
EPISODES, LINKS = 96, LENGTH - 1


@claim("q_learning.training-explores-in-no-pattern")
def test_training_explores_in_no_pattern(agent, seed):
    rate, level = 0.5, FALSE_ALARM / 4
    errors = trace(agent, seed, initial_epsilon=rate, final_epsilon=rate, num_episodes=EPISODES)
    explored = gaps(errors) > np.sqrt(errors.now.size) * gap_bound(errors.parameters)
    never = (~explored.any(axis=1)).sum()
    assert_share("episodes have greedy actions only", never, EPISODES, (1 - rate / 2) ** LINKS, level)
    never = (~explored.any(axis=0)).sum()
    assert_share(f"steps are greedy in each of {EPISODES} episodes", never, LINKS, (1 - rate / 2) ** EPISODES, level)
    for first in (0, 1):
        both = explored[:, first : LINKS - 1 : 2] & explored[:, first + 1 :: 2]
        what = f"pairs of steps, from step {first + 1} on, have two actions that are not greedy"
        assert_share(what, both.sum(), both.size, (rate / 2) ** 2, level)


# Number of episodes that last until the pole falls.
WHOLE = 120


@claim("q_learning.training-explores-by-schedule")
def test_training_explores_by_schedule(agent, seed):
    # Epsilon falls from 1 to 3 / 8, so few episodes are long.
    exploring = 8 * WHOLE // 5
    found = whole_gaps(agent, seed, num_exploration_episodes=exploring, num_episodes=WHOLE)
    assert_sum("actions of a training are not greedy", found.explored.sum(), (1 - found.episodes / exploring) / 2)


@claim("q_learning.training-explores-by-schedule")
def test_training_explores_late(agent, seed):
    found = whole_gaps(agent, seed, **ALWAYS_EXPLORING, num_episodes=WHOLE // 4)
    late = found.explored[found.steps >= LENGTH]
    assert_share("later actions of episodes, with an epsilon of 1, are not greedy", late.sum(), late.size, 1 / 2)
