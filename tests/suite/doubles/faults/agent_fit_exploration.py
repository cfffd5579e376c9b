"""Faults of the agent's training: how it explores and acts."""

from __future__ import annotations

import numpy as np

from assay.alternatives.numpy import agent as right
from assay.contract import Array
from doubles.agent_training import Training, instead
from doubles.faulty import Fault
from doubles.kept_results import keeping_results


class RewardOfTheLength(Training):
    def reward(self, step):
        return -10.0 if step.terminated else float(self.length)


class RewardOfZero(Training):
    def reward(self, step):
        return -10.0 if step.terminated else 0.0


class TargetOfTheState(Training):
    """Value the state instead of the next one."""

    def learn(self):
        batch = self.batch()
        y = self.learner.targets(batch._replace(next_states=batch.states), self.gamma)
        self.losses.append(self.learner.learn(batch._replace(rewards=y, dones=np.ones_like(y))))


class TargetOfTheMean(Training):
    def learn(self):
        batch = self.batch()
        values = self.learner.values(batch.next_states).mean(axis=1)
        y = batch.rewards + np.float32(self.gamma) * values * (1 - batch.dones)
        self.losses.append(self.learner.learn(batch._replace(rewards=y, dones=np.ones_like(y))))


class StateNotMoved(Training):
    """Choose and remember by the first state of the episode, as the demonstration's loop does."""

    def begin(self):
        self.first = super().begin()
        return self.first

    def act(self, state):
        return super().act(self.first)

    def remembered(self, state, action, step):
        return super().remembered(self.first, action, step)


class OtherActionRemembered(Training):
    def remembered(self, state, action, step):
        return super().remembered(state, 1 - action, step)


class ActingByTheBeginning(Training):
    """Act by the parameters that the episode began with."""

    def begin(self):
        parameters = {name: value.copy() for name, value in self.learner.parameters.items()}
        self.acting = right.QNetwork("q_network", parameters)
        return super().begin()

    def act(self, state):
        return self.explore() if self.generator.random() < self.epsilon() else self.acting.greedy(state)


class FinalEpsilonFromTheFirst(Training):
    def epsilon(self):
        return self.final_epsilon


class EpsilonOfTheNextEpisode(Training):
    def epsilon(self):
        left = 1 - (self.episode + 1) / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)


class EpsilonFallingByStep(Training):
    def epsilon(self):
        left = 1 - sum(self.scores, self.length) / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)


class ExploringOnlyTheOther(Training):
    """Take an action that is not the greedy one, with probability epsilon."""

    def act(self, state):
        best = self.learner.greedy(state)
        return 1 - best if self.generator.random() < self.epsilon() else best


class InitialEpsilonForEver(Training):
    def epsilon(self):
        return self.initial_epsilon


class EpsilonOfTheEpisodeBefore(Training):
    def epsilon(self):
        left = 1 - max(self.episode - 1, 0) / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)


class EpsilonFallingByAPower(Training):
    def epsilon(self):
        return max(self.initial_epsilon * 0.97**self.episode, self.final_epsilon)


class WorstAction(Training):
    def act(self, state):
        return self.explore() if self.generator.random() < self.epsilon() else 1 - self.learner.greedy(state)


class ExplorationOneEpisodeLonger(Training):
    """Let the second episode of the exploration occur twice."""

    def epsilon(self):
        share = 1 - max(self.episode - 1, min(self.episode, 1)) / self.num_exploration_episodes
        return max(self.initial_epsilon * share, self.final_epsilon)


class NoLeastEpsilon(Training):
    def epsilon(self):
        return max(self.initial_epsilon * (1 - self.episode / self.num_exploration_episodes), 0.0)


class EpsilonOfTheDocument(Training):
    def epsilon(self):
        return max(1.0 * (1 - self.episode / 100), 0.01)


class ExploresWholeEpisodes(Training):
    """Decide once for an episode whether to explore."""

    def begin(self):
        self.explores = self.generator.random() < self.epsilon()
        return super().begin()

    def act(self, state):
        return self.explore() if self.explores else self.learner.greedy(state)


class ExploresTheSameSteps(Training):
    """Decide by the same numbers in each episode."""

    def begin(self):
        self.decides = np.random.default_rng(self.seed)
        return super().begin()

    def act(self, state):
        return self.explore() if self.decides.random() < self.epsilon() else self.learner.greedy(state)


class ByTwos(Training):
    """Decide for two steps whether to explore, and by which action."""

    steps = 0

    def act(self, state: Array) -> int:
        """Keep what the step before has decided, in every second step."""
        if self.steps % 2 == 0:
            self.decided = self.explore() if self.generator.random() < self.epsilon() else None
        self.steps += 1
        return self.learner.greedy(state) if self.decided is None else self.decided


class EpsilonFallingByASquare(Training):
    """Let epsilon fall by the square of what is left."""

    def epsilon(self):
        left = max(1 - self.episode / self.num_exploration_episodes, 0)
        return max(self.initial_epsilon * left**2, self.final_epsilon)


class ExploresLessLater(Training):
    """Explore half as much after a dozen steps of an episode."""

    def epsilon(self):
        return super().epsilon() / (2 if self.length >= 12 else 1)


FAULTS = {
    "training_reward_of_the_length": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "the largest value of a next state",
        instead(RewardOfTheLength),
    ),
    "training_reward_of_zero": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "the largest value of a next state",
        instead(RewardOfZero),
    ),
    "training_target_of_the_state": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "the largest value of a next state",
        instead(TargetOfTheState),
    ),
    "training_target_of_the_mean": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "the largest value of a next state",
        instead(TargetOfTheMean),
    ),
    "training_state_not_moved": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "the largest value of a next state",
        instead(StateNotMoved),
    ),
    "training_other_action_remembered": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "the largest value of a next state",
        instead(OtherActionRemembered),
    ),
    "acting_by_the_beginning": Fault(
        "agent.fit",
        "q_learning.training-follows-its-values",
        "learning steps the best action is",
        instead(ActingByTheBeginning),
    ),
    "training_final_epsilon_from_the_first": Fault(
        "agent.fit",
        "q_learning.training-explores-first",
        "first episodes are not greedy: 0 of 24",
        instead(FinalEpsilonFromTheFirst),
    ),
    "training_epsilon_of_the_next_episode": Fault(
        "agent.fit",
        "q_learning.training-explores-first",
        "first episodes are not greedy: 0 of 24",
        instead(EpsilonOfTheNextEpisode),
    ),
    "training_epsilon_falling_by_step": Fault(
        "agent.fit",
        "q_learning.training-explores-first",
        "first episodes are not greedy: 0 of 24",
        instead(EpsilonFallingByStep),
    ),
    "training_exploring_only_the_other": Fault(
        "agent.fit",
        "q_learning.training-explores-first",
        "first episodes are not greedy: 24 of 24",
        instead(ExploringOnlyTheOther),
    ),
    "training_initial_epsilon_for_ever": Fault(
        "agent.fit",
        "q_learning.training-ends-exploration",
        "after the exploration are not greedy",
        instead(InitialEpsilonForEver),
    ),
    "training_epsilon_of_the_episode_before": Fault(
        "agent.fit",
        "q_learning.training-ends-exploration",
        "after the exploration are not greedy",
        instead(EpsilonOfTheEpisodeBefore),
    ),
    "training_epsilon_falling_by_a_power": Fault(
        "agent.fit",
        "q_learning.training-ends-exploration",
        "after the exploration are not greedy",
        instead(EpsilonFallingByAPower),
    ),
    "training_worst_action": Fault(
        "agent.fit", "q_learning.training-ends-exploration", "the largest value of a next state", instead(WorstAction)
    ),
    "exploration_one_episode_longer": Fault(
        "agent.fit",
        "q_learning.training-ends-exploration",
        "of third and fourth episodes",
        instead(ExplorationOneEpisodeLonger),
    ),
    "training_no_least_epsilon": Fault(
        "agent.fit",
        "q_learning.training-explores-finally",
        "a final epsilon of 1 are not greedy: 0 of 24",
        instead(NoLeastEpsilon),
    ),
    "training_epsilon_of_the_document": Fault(
        "agent.fit",
        "q_learning.training-explores-by-epsilon",
        "the largest value of a next state",
        instead(EpsilonOfTheDocument),
    ),
    "explores_whole_episodes": Fault(
        "agent.fit",
        "q_learning.training-explores-in-no-pattern",
        "episodes have greedy actions only",
        instead(ExploresWholeEpisodes),
    ),
    "explores_the_same_steps": Fault(
        "agent.fit",
        "q_learning.training-explores-in-no-pattern",
        "are greedy in each of 96 episodes",
        instead(ExploresTheSameSteps),
    ),
    "agent_explores_by_twos": Fault(
        "agent.fit",
        "q_learning.training-explores-in-no-pattern",
        "have two actions that are not greedy",
        instead(ByTwos),
    ),
    "epsilon_falling_by_a_square": Fault(
        "agent.fit",
        "q_learning.training-explores-by-schedule",
        "actions of a training are not greedy",
        instead(EpsilonFallingByASquare),
    ),
    "explores_less_later": Fault(
        "agent.fit", "q_learning.training-explores-by-schedule", "are not greedy", instead(ExploresLessLater)
    ),
    "agent_fit_kept_whatever_initial_epsilon": Fault(
        "agent.fit",
        "q_learning.training-explores-by-schedule",
        "fit returns the same as before for another",
        keeping_results("agent.fit", "initial_epsilon"),
    ),
    "agent_fit_kept_whatever_num_exploration_episodes": Fault(
        "agent.fit",
        "q_learning.training-explores-by-schedule",
        "fit returns the same as before for another",
        keeping_results("agent.fit", "num_exploration_episodes"),
    ),
}
