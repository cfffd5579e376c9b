"""Faults of how the agent collects transitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.agent import QNetwork, ReplayBuffer, exploring, transitions_of
from assay.alternatives.numpy.cart_pole import MAX_EPISODE_STEPS, Environment
from assay.contract import Transitions
from assay.spec.semantics.q_learning import FAILURE_REWARD
from doubles.agent_acting import Collecting, LimitOfAllSteps, SeedOfEachEpisode
from doubles.dependent_draws import with_few_seeds
from doubles.faulty import Fault
from doubles.memory_order import in_memory_order, reading

Function = Callable[..., Any]


def state_not_copied(collect, parameters, epsilon, num_episodes, seed):
    """Remember an array that the environment then writes the next state to."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    return transitions._replace(states=transitions.next_states)


def collecting(training):
    """Return `collect` by another program."""
    return lambda _collect, *arguments: training(*arguments).collect()


class NextStateOfTheStep(Collecting):
    """Remember the state before as the one after."""

    def remembered(self, state, action, step):
        state_, action_, reward, _, done = super().remembered(state, action, step)
        return state_, action_, reward, state, done


def other_action_credited(collect, parameters, epsilon, num_episodes, seed):
    """Take one action and remember the other."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    return transitions._replace(actions=1 - transitions.actions)


def failure_not_punished(collect, parameters, epsilon, num_episodes, seed):
    """Remember the environment's own reward."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    return transitions._replace(rewards=np.ones_like(transitions.rewards))


class RewardOfTheReturn(Collecting):
    """Remember the rewards of the episode so far."""

    def reward(self, step):
        return -10.0 if step.terminated else float(self.length)


def cut_off_is_failure(collect, parameters, epsilon, num_episodes, seed):
    """Punish an episode for having come to the limit of steps."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    if num_episodes == 1 and len(transitions.actions) == MAX_EPISODE_STEPS:
        transitions.rewards[-1], transitions.dones[-1] = FAILURE_REWARD, 1
    return transitions


class TrackWithoutEnd(Collecting):
    """Call a failure what makes the pole fall, and nothing else."""

    def reward(self, step):
        return -10.0 if abs(step.state[2]) > np.radians(12) else 1.0

    def done(self, step):
        return float(abs(step.state[2]) > np.radians(12))


class TrackLeftAsTheLimit(Collecting):
    """Call it a failure wherever an episode ends, but at the end of the track."""

    def done(self, step):
        return float(step.terminated and abs(step.state[0]) < 2.4)


def solved_after_195_steps(right: Function, *arguments: Any) -> Transitions:
    """Give an episode of 195 steps or more, which counts as solved, no reward of a failure at its end."""
    found = right(*arguments)
    ends = np.flatnonzero(found.dones)
    rewards = found.rewards.copy()
    rewards[ends[np.diff(ends, prepend=-1) >= 195]] = 1
    return found._replace(rewards=rewards)


class LimitAsFailure(Collecting):
    def reward(self, step):
        return -10.0 if step.terminated or step.truncated else 1.0

    def done(self, step):
        return float(step.terminated or step.truncated)


class LimitOfAllEpisodes(Collecting):
    """Count the steps of all episodes together."""

    def is_left(self):
        return sum(self.scores) + len(self.scores) + self.length >= 500 and self.length > 0


class LimitOf200(Collecting):
    def is_left(self):
        return self.length >= 200


class ResetAfterTheLimit(Collecting):
    """Remember the first state of a new episode as what follows the last step of one that is cut off."""

    def remembered(self, state, action, step):
        next_state = Environment(self.seed).reset() if step.truncated else step.state
        return super().remembered(state, action, step._replace(state=next_state))


class ExploringTwiceAsOften(Collecting):
    def act(self, state):
        return (
            1 - self.learner.greedy(state) if self.generator.random() < self.epsilon() else self.learner.greedy(state)
        )


class NeverExploring(Collecting):
    def act(self, state):
        return self.learner.greedy(state)


def collect_without_late_exploration(_collect, parameters, epsilon, num_episodes, seed):
    """Explore in the first hundred steps of an episode alone."""
    environment, network = Environment(seed), QNetwork("q_network", parameters)
    buffer, generator = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,)), np.random.default_rng(seed)
    for _ in range(num_episodes):
        steps = iter(range(MAX_EPISODE_STEPS))

        def choose(state, steps=steps):
            explores = next(steps) < 100 and generator.random() < epsilon
            return environment.sample() if explores else network.greedy(state)

        for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
            buffer.append(transition)
    return buffer.in_order()


def collect_by_tenths(collect, parameters, epsilon, num_episodes, seed):
    """Explore by whole tenths."""
    return collect(parameters, round(epsilon, 1), num_episodes, seed)


class ExploringToTheRight(Collecting):
    """Draw the action 1 more often than the other."""

    def explore(self):
        return int(self.generator.random() < 0.65)


class ExploringByEpisode(Collecting):
    """Decide once an episode whether to explore."""

    def begin(self):
        self.explores = self.generator.random() < self.epsilon()
        return super().begin()

    def act(self, state):
        return self.explore() if self.explores else self.learner.greedy(state)


def collect_by_the_same_numbers(_collect, parameters, epsilon, num_episodes, seed):
    """Decide when to explore by the same numbers in each episode."""
    environment, network = Environment(seed), QNetwork("q_network", parameters)
    buffer = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
    for _ in range(num_episodes):
        choose = exploring(network, environment, epsilon, np.random.default_rng(seed))
        for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
            buffer.append(transition)
    return buffer.in_order()


class ActionsOfEachEpisode(Environment):
    """Draw the same random actions in each episode."""

    def __init__(self, seed):
        super().__init__(seed)
        self._seed = seed

    def reset(self):
        self._actions = np.random.default_rng(self._seed)
        return super().reset()


def collect_the_same_actions(_collect, parameters, epsilon, num_episodes, seed):
    """Draw the same random actions in each episode."""
    environment, network = ActionsOfEachEpisode(seed), QNetwork("q_network", parameters)
    buffer = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
    choose = exploring(network, environment, epsilon, np.random.default_rng(seed))
    for _ in range(num_episodes):
        for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
            buffer.append(transition)
    return buffer.in_order()


class CollectingByOneSeed(Collecting):
    def __init__(self, parameters, epsilon, num_episodes, seed):
        super().__init__(parameters, epsilon, num_episodes, 0)


def collected(kind=Environment, *, decides=None, acts=None):
    """Return `collect` in another environment, or by other generators."""

    def wrong(_collect, parameters, epsilon, num_episodes, seed):
        environment = kind(seed)
        if acts is not None:
            environment._actions = np.random.default_rng(acts)  # noqa: SLF001 - of the environment that has the fault
        buffer = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
        generator = np.random.default_rng(seed if decides is None else decides)
        choose = exploring(QNetwork("q_network", parameters), environment, epsilon, generator)
        for _ in range(num_episodes):
            for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
                buffer.append(transition)
        return buffer.in_order()

    return wrong


class ClippedStates(Collecting):
    """Choose by states whose numbers are cut off at -1 and 1."""

    def act(self, state):
        return super().act(np.clip(state, -1, 1))


FAULTS = {
    "state_not_copied": Fault(
        "agent.collect", "q_learning.transitions-follow", "the states after the first", state_not_copied
    ),
    "collect_next_state_of_the_step": Fault(
        "agent.collect", "q_learning.transition-has-its-action", "0 of 5 episodes fail", collecting(NextStateOfTheStep)
    ),
    "other_action_credited": Fault(
        "agent.collect",
        "q_learning.transition-has-its-action",
        "what follows the recorded action",
        other_action_credited,
    ),
    "failure_not_punished": Fault(
        "agent.collect", "q_learning.failure-reward", "actual 1, expected -10", failure_not_punished
    ),
    "collect_reward_of_the_return": Fault(
        "agent.collect", "q_learning.other-rewards", "the other rewards", collecting(RewardOfTheReturn)
    ),
    "cut_off_is_failure": Fault(
        "agent.collect", "q_learning.cut-off-is-no-failure", "actual -10, expected 1", cut_off_is_failure
    ),
    "collect_track_without_end": Fault(
        "agent.collect", "q_learning.off-track-is-failure", "the rewards", collecting(TrackWithoutEnd)
    ),
    "collect_track_left_as_the_limit": Fault(
        "agent.collect", "q_learning.off-track-is-failure", "the done flags", collecting(TrackLeftAsTheLimit)
    ),
    "collect_solved_after_195_steps": Fault(
        "agent.collect", "q_learning.off-track-is-failure", "expected -10", solved_after_195_steps
    ),
    "collect_limit_as_failure": Fault(
        "agent.collect", "q_learning.limit-begins-anew", "the rewards of perfect episodes", collecting(LimitAsFailure)
    ),
    "collect_limit_of_all": Fault(
        "agent.collect", "q_learning.limit-begins-anew", "two perfect episodes have", collecting(LimitOfAllEpisodes)
    ),
    "collect_limit_of_200": Fault(
        "agent.collect", "q_learning.limit-begins-anew", "two perfect episodes have 400", collecting(LimitOf200)
    ),
    "collect_reset_after_the_limit": Fault(
        "agent.collect", "q_learning.limit-begins-anew", "the next states", collecting(ResetAfterTheLimit)
    ),
    "collect_exploring_twice_as_often": Fault(
        "agent.collect", "q_learning.collects-by-epsilon", "are not greedy", collecting(ExploringTwiceAsOften)
    ),
    "collect_never_exploring": Fault(
        "agent.collect", "q_learning.collects-by-epsilon", "0 of 320", collecting(NeverExploring)
    ),
    "collect_without_late_exploration": Fault(
        "agent.collect",
        "q_learning.collects-by-epsilon",
        "later actions, with an epsilon of 0.15",
        collect_without_late_exploration,
    ),
    "collect_limit_of_all_steps": Fault(
        "agent.collect",
        "q_learning.collects-by-epsilon",
        "of 70 episodes of random actions",
        collecting(LimitOfAllSteps),
    ),
    "collect_by_tenths": Fault(
        "agent.collect", "q_learning.collects-by-epsilon", "with an epsilon of 0.04", collect_by_tenths
    ),
    "exploring_to_the_right": Fault(
        "agent.collect", "q_learning.collects-by-epsilon", "push to the right", collecting(ExploringToTheRight)
    ),
    "collect_exploring_by_episode": Fault(
        "agent.collect",
        "q_learning.collects-in-no-pattern",
        "episodes begin with greedy actions",
        collecting(ExploringByEpisode),
    ),
    "collect_by_the_same_numbers": Fault(
        "agent.collect",
        "q_learning.collects-in-no-pattern",
        "are greedy in each of 40 episodes",
        collect_by_the_same_numbers,
    ),
    "collect_the_same_actions": Fault(
        "agent.collect", "q_learning.collects-each-episode-anew", "the same random actions", collect_the_same_actions
    ),
    "collect_by_one_seed": Fault(
        "agent.collect", "q_learning.collects-by-seed", "draw the same initial states", collecting(CollectingByOneSeed)
    ),
    "collects_by_1000_seeds": Fault(
        "agent.collect", "q_learning.collects-by-seed", "draw the same initial states", with_few_seeds(1000)
    ),
    "collect_random_actions_unseeded": Fault(
        "agent.collect", "q_learning.collects-by-seed", "draw the same random actions", collected(acts=0)
    ),
    "collect_exploration_unseeded": Fault(
        "agent.collect", "q_learning.collects-by-seed", "steps are greedy with each of 8 seeds", collected(decides=0)
    ),
    "collect_seed_of_each_episode": Fault(
        "agent.collect", "q_learning.collects-by-seed", "begin in the same states", collected(SeedOfEachEpisode)
    ),
    "collect_by_clipped_states": Fault(
        "agent.collect", "q_learning.collects-linear-policy", "the actions", collecting(ClippedStates)
    ),
    "collect_by_memory": Fault(
        "agent.collect", "q_learning.memory-order", "actions, parameters", reading(in_memory_order, 0)
    ),
}
