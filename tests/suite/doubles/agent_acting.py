"""The agent that acts and does not learn, and its environment, for faults to exchange a part of."""

import numpy as np

from assay.alternatives.numpy.agent import Learner
from assay.alternatives.numpy.cart_pole import Environment
from assay.spec.semantics import q_learning
from doubles.agent_training import Training


def values_of(model, parameters, states):
    """Return the values of all actions."""
    return q_learning.q_values(model, parameters, states)


def acting(choose):
    """Return `act` with another rule: (values, epsilon, generator) to actions."""

    def wrong(_act, model, parameters, states, epsilon, seed):
        values = values_of(model, parameters, states)
        return choose(values, epsilon, np.random.default_rng(seed)).astype(np.int32)

    return wrong


class Collecting(Training):
    """Play as in training, and learn nothing."""

    def __init__(self, parameters, epsilon, num_episodes, seed):
        super().__init__(
            num_episodes=num_episodes,
            num_exploration_episodes=1,
            initial_epsilon=epsilon,
            final_epsilon=epsilon,
            max_len_episode=1_000,
            buffer_size=1_000_000,
            batch_size=1_000_001,
            learning_rate=0.0,
            gamma=1.0,
            seed=seed,
        )
        self.learner = Learner("q_network", parameters, 0.0, 1.0)

    def places(self):
        """Return all, in their order."""
        return range(len(self.buffer))

    def collect(self):
        """Return the transitions of all episodes."""
        self.run()
        return self.batch()

    def play_all(self):
        """Return the lengths of all episodes."""
        self.run()
        return np.array(self.scores, np.float32) + 1


class LimitOfAllSteps(Collecting):
    """Cut an episode off whenever all episodes together have come to a multiple of the limit."""

    def is_left(self):
        return self.length > 0 and len(self.buffer) % 500 == 0


class SeedOfEachEpisode(Environment):
    """Seed each reset, by a seed that is one higher than the last."""

    def __init__(self, seed):
        super().__init__(seed)
        self._next = seed

    def reset(self):
        self._states = np.random.default_rng(self._next)
        self._next += 1
        return super().reset()
