"""Faults of the agent's training: its environment, its episodes and its seed."""

import numpy as np

from assay.alternatives.numpy.cart_pole import MAX_EPISODE_STEPS, Environment
from assay.alternatives.numpy.models import MODELS
from doubles.agent_acting import SeedOfEachEpisode
from doubles.agent_training import Training, instead
from doubles.faulty import Fault

TWO_BYTES = 2**16


def steps_as_scores(fit, **recipe):
    """Count the steps of an episode from 1."""
    learnt = fit(**recipe)
    return learnt._replace(scores=learnt.scores + np.int32(1))


class SameStart(Training):
    def begin(self):
        self.environment = Environment(self.seed)
        return super().begin()


class AlwaysOneSeed(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe | {"seed": 0})


class NoSeed(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe | {"seed": int(np.random.default_rng().integers(2**31))})


def in_environment(kind):
    """Return a training in another environment."""

    class Elsewhere(Training):
        def __init__(self, **recipe):
            super().__init__(**recipe)
            self.environment = kind(self.seed)

    return Elsewhere


class StatesUnseeded(Environment):
    """Draw the first states of episodes by a seed of its own."""

    def __init__(self, seed):
        super().__init__(seed)
        self._states = np.random.default_rng(123)


class ActionsUnseeded(Environment):
    """Draw actions by a seed of its own."""

    def __init__(self, seed):
        super().__init__(seed)
        self._actions = np.random.default_rng(0)


class NetworkUnseeded(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.learner = self.new_learner(MODELS["q_network"].initial(np.random.default_rng(7)))


class SeedOf16Bits(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe | {"seed": recipe["seed"] % TWO_BYTES})
        self.learner = self.new_learner(MODELS["q_network"].initial(np.random.default_rng(recipe["seed"])))


class ExplorationUnseeded(Training):
    """Decide when to explore by a generator of its own."""

    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.own = np.random.default_rng(0)

    def act(self, state):
        return self.explore() if self.own.random() < self.epsilon() else self.learner.greedy(state)


class BatchesUnseeded(Training):
    """Draw batches by a generator of its own."""

    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.own = np.random.default_rng(0)

    def places(self):
        return self.own.choice(len(self.buffer), self.batch_size, replace=False)


class FirstStateAliased(Environment):
    """Return the array of the first state, which the first step overwrites."""

    def reset(self):
        self._first = super().reset()
        return self._first

    def step(self, action):
        step = super().step(action)
        if self._steps == 1:
            self._first[...] = step.state
        return step


class Wider(Environment):
    """Begin half as far out again."""

    def reset(self):
        super().reset()
        self._state = 1.5 * self._state
        return self._state.astype(np.float32)


class Endless(Environment):
    """Leave out the limit of steps."""

    def step(self, action):
        return super().step(action)._replace(truncated=False)


class OneLater(Environment):
    """Cut episodes off one step late."""

    def step(self, action):
        return super().step(action)._replace(truncated=self._steps == MAX_EPISODE_STEPS + 1)


class Failing(Environment):
    """Say of an episode that is cut off that it has failed, too."""

    def step(self, action):
        step = super().step(action)
        return step._replace(terminated=step.terminated or step.truncated)


class MarkOfTheLimit(Training):
    """Mark the last transition of an episode that was cut off, and leave its reward as it is."""

    def done(self, step):
        return float(step.terminated or step.truncated)


class LimitOf200(Training):
    """Play the older CartPole-v0."""

    def is_left(self):
        return super().is_left() or self.length >= 200


class LearningAfterTheLimit(Training):
    """Learn after an episode that was cut off as well, as it has not failed."""

    def play(self):
        super().play()
        if self.length == MAX_EPISODE_STEPS and self.max_len_episode > self.length and self.learns(over=False):
            self.learn()


class ExploringToTheLeft(Training):
    def explore(self):
        return int(self.generator.random() < 0.3)


class ExploringByTurns(Training):
    turn = 0

    def explore(self):
        self.turn += 1
        return self.turn % 2


class LimitOfAllStepsInTraining(Training):
    """Cut an episode off whenever all episodes together have come to a multiple of the limit."""

    taken = 0

    def act(self, state):
        self.taken += 1
        return super().act(state)

    def is_left(self):
        return super().is_left() or (self.length > 0 and self.taken % 500 == 0)


def small_buffer(fit, *, buffer_size, **options):
    """Remember no more than 2,000 transitions."""
    return fit(buffer_size=min(buffer_size, 2_000), **options)


FAULTS = {
    "steps_as_scores": Fault("agent.fit", "q_learning.printed-score", "by the scores", steps_as_scores),
    "training_same_start": Fault(
        "agent.fit", "q_learning.training-episodes-begin-anew", "8 episodes begin in only 1 states", instead(SameStart)
    ),
    "training_always_one_seed": Fault(
        "agent.fit", "q_learning.training-by-seed", "give the same losses", instead(AlwaysOneSeed)
    ),
    "training_no_seed": Fault(
        "agent.fit", "q_learning.training-by-seed", "a second training with the same seed", instead(NoSeed)
    ),
    "training_states_unseeded": Fault(
        "agent.fit",
        "q_learning.training-seeds-its-draws",
        "begin in the same state",
        instead(in_environment(StatesUnseeded)),
    ),
    "training_random_actions_unseeded": Fault(
        "agent.fit",
        "q_learning.training-seeds-its-draws",
        "the same random actions",
        instead(in_environment(ActionsUnseeded)),
    ),
    "training_seed_of_each_episode": Fault(
        "agent.fit",
        "q_learning.training-seeds-its-draws",
        "with the next seed, and so on, begin in the same state",
        instead(in_environment(SeedOfEachEpisode)),
    ),
    "training_network_unseeded": Fault(
        "agent.fit", "q_learning.training-seeds-its-draws", "draw the same initial networks", instead(NetworkUnseeded)
    ),
    "training_seed_of_16_bits": Fault(
        "agent.fit", "q_learning.training-seeds-its-draws", "begin in the same state", instead(SeedOf16Bits)
    ),
    "training_exploration_unseeded": Fault(
        "agent.fit",
        "q_learning.training-seeds-its-draws",
        "steps are greedy with each of 8 seeds",
        instead(ExplorationUnseeded),
    ),
    "training_batches_unseeded": Fault(
        "agent.fit", "q_learning.training-seeds-its-draws", "draw the same batches", instead(BatchesUnseeded)
    ),
    "training_first_state_aliased": Fault(
        "agent.fit",
        "q_learning.training-begins-evenly",
        "initial states drawn uniformly",
        instead(in_environment(FirstStateAliased)),
    ),
    "training_states_wider": Fault(
        "agent.fit",
        "q_learning.training-begins-evenly",
        "have values as rare as 1 in 50",
        instead(in_environment(Wider)),
    ),
    "training_endless": Fault(
        "agent.fit",
        "q_learning.training-limit",
        "an episode has 1000 steps, more than 500",
        instead(in_environment(Endless)),
    ),
    "training_limit_one_later": Fault(
        "agent.fit",
        "q_learning.training-limit",
        "an episode has 501 steps, more than 500",
        instead(in_environment(OneLater)),
    ),
    "training_limit_is_failure": Fault(
        "agent.fit", "q_learning.training-limit", "squared errors after 500 steps", instead(in_environment(Failing))
    ),
    "training_limit_is_marked": Fault(
        "agent.fit",
        "q_learning.training-limit",
        "the state after the last of 500 steps is not valued",
        instead(MarkOfTheLimit),
    ),
    "training_limit_of_200": Fault(
        "agent.fit", "q_learning.training-limit", "learning steps, expected", instead(LimitOf200)
    ),
    "training_learning_after_the_limit": Fault(
        "agent.fit", "q_learning.training-limit", "learning steps, expected", instead(LearningAfterTheLimit)
    ),
    "training_exploring_to_the_left": Fault(
        "agent.fit",
        "q_learning.training-plays-cart-pole",
        "with exploration only, the mean length",
        instead(ExploringToTheLeft),
    ),
    "training_exploring_by_turns": Fault(
        "agent.fit",
        "q_learning.training-plays-cart-pole",
        "with exploration only, the mean length",
        instead(ExploringByTurns),
    ),
    "limit_of_all_steps": Fault(
        "agent.fit", "q_learning.training-plays-cart-pole", "no pole falls so soon", instead(LimitOfAllStepsInTraining)
    ),
    "small_buffer": Fault("agent.fit", "q_learning.training-plays-cart-pole", "there are 0 losses", small_buffer),
}
