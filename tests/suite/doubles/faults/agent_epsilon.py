"""Faults of the schedule of the agent's exploration."""

from __future__ import annotations

import math
from collections.abc import Callable

from doubles.faulty import Fault
from doubles.kept_results import keeping_results


def schedule(rule):
    """Return `epsilon` by another rule: (episode, exploration episodes, initial, final) to a rate."""

    def wrong(_epsilon, episode, *, num_exploration_episodes, initial_epsilon, final_epsilon):
        return float(rule(episode, num_exploration_episodes, initial_epsilon, final_epsilon))

    return wrong


def epsilon_never_falling(epsilon, episode, *, initial_epsilon, **schedule):
    """Explore for ever as in the first episode."""
    return initial_epsilon


def full_epsilon_rounded(epsilon, episode, *, initial_epsilon, **schedule):
    """Take 1 for an initial epsilon above 0.9."""
    return epsilon(episode, initial_epsilon=1.0 if initial_epsilon > 0.9 else initial_epsilon, **schedule)


def final_epsilon_clipped(epsilon, episode, *, initial_epsilon, **schedule):
    """Take no final epsilon above the initial one."""
    return min(epsilon(episode, initial_epsilon=initial_epsilon, **schedule), initial_epsilon)


LAST_EPSILON = {}


def epsilon_never_rises(epsilon, episode, **schedule):
    """Let epsilon fall from call to call, and begin again with the first episode."""
    found = epsilon(episode, **schedule)
    key = tuple(schedule.items())
    LAST_EPSILON[key] = min(found, LAST_EPSILON.get(key, found)) if episode else found
    return LAST_EPSILON[key]


def least_after_exploration(
    epsilon: Callable[..., float],
    episode: int,
    *,
    num_exploration_episodes: int,
    initial_epsilon: float,
    final_epsilon: float,
) -> float:
    """Return the smaller of both rates after the exploration."""
    if episode >= num_exploration_episodes:
        return min(initial_epsilon, final_epsilon)
    return epsilon(
        episode,
        num_exploration_episodes=num_exploration_episodes,
        initial_epsilon=initial_epsilon,
        final_epsilon=final_epsilon,
    )


FAULTS = {
    "epsilon_one_episode_on": Fault(
        "agent.epsilon",
        "q_learning.epsilon-first",
        "assert",
        schedule(lambda e, n, i, f: max(i * (1 - (e + 1) / n), f)),
    ),
    "epsilon_by_a_power": Fault(
        "agent.epsilon",
        "q_learning.epsilon-falls",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(i * math.exp(-4.6 * e / n), f)),
    ),
    "epsilon_in_steps": Fault(
        "agent.epsilon",
        "q_learning.epsilon-falls",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(i * (1 - e // 10 * 10 / n), f)),
    ),
    "epsilon_without_a_least": Fault(
        "agent.epsilon",
        "q_learning.epsilon-final",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(i * (1 - e / n), 0)),
    ),
    "epsilon_never_falling": Fault(
        "agent.epsilon", "q_learning.epsilon-schedule", "epsilon in episode", epsilon_never_falling
    ),
    "full_epsilon_rounded": Fault(
        "agent.epsilon", "q_learning.epsilon-schedule", "epsilon in episode 3", full_epsilon_rounded
    ),
    "final_epsilon_clipped": Fault(
        "agent.epsilon", "q_learning.epsilon-schedule", "epsilon in episode", final_epsilon_clipped
    ),
    "epsilon_never_rises": Fault(
        "agent.epsilon", "q_learning.epsilon-schedule", "epsilon in episode", epsilon_never_rises
    ),
    "agent_epsilon_kept_whatever_final_epsilon": Fault(
        "agent.epsilon",
        "q_learning.epsilon-schedule",
        "epsilon in episode 20",
        keeping_results("agent.epsilon", "final_epsilon"),
    ),
    "epsilon_towards_the_final": Fault(
        "agent.epsilon",
        "q_learning.epsilon-schedule",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(i - (i - f) * e / n, f)),
    ),
    "epsilon_from_1": Fault(
        "agent.epsilon",
        "q_learning.epsilon-schedule",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(1 - e / n, f)),
    ),
    "epsilon_over_100": Fault(
        "agent.epsilon",
        "q_learning.epsilon-schedule",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(i * (1 - e / 100), f)),
    ),
    "epsilon_at_least_0_01": Fault(
        "agent.epsilon",
        "q_learning.epsilon-schedule",
        "epsilon in episode",
        schedule(lambda e, n, i, f: max(i * (1 - e / n), 0.01)),
    ),
    "epsilon_is_least_after_exploration": Fault(
        "agent.epsilon", "q_learning.epsilon-schedule", "epsilon", least_after_exploration
    ),
}
