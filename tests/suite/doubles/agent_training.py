"""A training of the agent, in NumPy, each part of which a deliberate fault may exchange."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from assay.alternatives.numpy.agent import Learner
from assay.alternatives.numpy.cart_pole import Environment, Step
from assay.alternatives.numpy.models import MODELS
from assay.contract import Array, Learnt, Transitions


class Training:
    """The document's program (lines 720 to 764). A fault overrides one method."""

    def __init__(self, **recipe: Any) -> None:
        """Take the arguments of `agent.fit`."""
        for name, value in recipe.items():
            setattr(self, name, value)
        self.generator = np.random.default_rng(self.seed)
        self.environment = Environment(self.seed)
        self.learner = self.new_learner(MODELS["q_network"].initial(self.generator))
        self.buffer = self.new_buffer()
        self.scores, self.losses = [], []
        self.episode = self.length = 0

    def new_learner(self, parameters: dict[str, Array]) -> Learner:
        """Return the network with its optimizer."""
        return Learner("q_network", parameters, self.learning_rate, self.gamma)

    def new_buffer(self) -> Any:
        """Return an empty replay buffer."""
        return deque(maxlen=self.buffer_size)

    def begin(self) -> Array:
        """Begin an episode, and return its first state."""
        return self.environment.reset()

    def epsilon(self) -> float:
        """Return the exploration rate of this episode."""
        left = 1 - self.episode / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)

    def explore(self) -> int:
        """Draw an action."""
        return self.environment.sample()

    def act(self, state: Array) -> int:
        """Choose an action."""
        return self.explore() if self.generator.random() < self.epsilon() else self.learner.greedy(state)

    def reward(self, step: Step) -> float:
        """Return what is remembered as the reward."""
        return -10.0 if step.terminated else step.reward

    def done(self, step: Step) -> float:
        """Return what is remembered as the mark of a failure."""
        return float(step.terminated)

    def remembered(self, state: Array, action: int, step: Step) -> tuple[Any, ...]:
        """Return a transition as the buffer has it."""
        return state, action, self.reward(step), step.state, self.done(step)

    def places(self) -> Any:
        """Draw the places of a batch in the buffer."""
        return self.generator.choice(len(self.buffer), self.batch_size, replace=False)

    def batch(self) -> Transitions:
        """Draw a batch."""
        columns = zip(*(self.buffer[place] for place in self.places()), strict=True)
        kinds = (np.float32, np.int32, np.float32, np.float32, np.float32)
        return Transitions(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))

    def learns(self, *, over: bool) -> bool:
        """Whether a learning step follows this transition."""
        return not over and len(self.buffer) >= self.batch_size

    def learn(self) -> None:
        """Take a learning step."""
        self.losses.append(self.learner.learn(self.batch()))

    def is_left(self) -> bool:
        """Whether the episode has had all the steps that it may have."""
        return self.length >= self.max_len_episode

    def play(self) -> None:
        """Play an episode and learn."""
        state, over, self.length = self.begin(), False, 0
        while not over and not self.is_left():
            action = self.act(state)
            step = self.environment.step(action)
            over = step.terminated or step.truncated
            self.length += 1
            self.buffer.append(self.remembered(state, action, step))
            if self.learns(over=over):
                self.learn()
            state = step.state
        self.scores.append(self.length - 1)

    def run(self) -> Learnt:
        """Play all episodes."""
        for number in range(self.num_episodes):
            self.episode = number
            self.play()
        return Learnt(np.array(self.scores, np.int32), np.array(self.losses, np.float32), self.learner.parameters)


def instead(training: type[Training]) -> Any:
    """Return the `wrong` of a `Fault` of `agent.fit`: a training in the place of the right one."""
    return lambda _fit, **recipe: training(**recipe).run()
