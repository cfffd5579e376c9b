"""Deep Q-learning (Mnih and others, 2013)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from assay.alternatives.numpy.cart_pole import MAX_EPISODE_STEPS, Environment
from assay.alternatives.numpy.losses import q_loss
from assay.alternatives.numpy.models import MODELS, copy_parameters
from assay.alternatives.numpy.optimizers import Adam
from assay.contract import Array, Learnt, Pair, Parameters, QModelName, Transitions

FAILURE_REWARD = -10.0
# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114])


class ReplayBuffer:
    """The latest transitions: a new one replaces the oldest."""

    def __init__(self, size: int, state_shape: tuple[int, ...]) -> None:
        """Create an empty buffer."""
        shapes = (state_shape, (), (), state_shape, ())
        self._arrays = Transitions(*(np.empty((size, *shape), np.float32) for shape in shapes))
        self._size, self._count = size, 0

    def __len__(self) -> int:
        """Return the number of transitions."""
        return min(self._count, self._size)

    def append(self, transition: tuple[Any, ...]) -> None:
        """Copy a transition."""
        for array, value in zip(self._arrays, transition, strict=True):
            array[self._count % self._size] = value
        self._count += 1

    def take(self, places: Array) -> Transitions:
        """Return the transitions at some indices."""
        found = Transitions(*(array[places] for array in self._arrays))
        return found._replace(actions=found.actions.astype(np.int32))

    def draw(self, batch_size: int, generator: np.random.Generator) -> Transitions:
        """Draw a batch, without replacement."""
        return self.take(generator.choice(len(self), batch_size, replace=False))

    def in_order(self) -> Transitions:
        """Return all transitions, oldest first."""
        return self.take((self._count - len(self) + np.arange(len(self))) % self._size)


class QNetwork:
    """A model with fixed parameters, which computes action values."""

    def __init__(self, model: QModelName, parameters: Parameters) -> None:
        """Store the parameters, which are never changed."""
        self.model, self.parameters = MODELS[model], parameters

    def values(self, states: Array) -> Array:
        """Return the value of every action in each state: [n, actions]."""
        *_, values = self.model.outputs(self.parameters, states).values()
        return values

    def greedy(self, state: Array) -> int:
        """Return the action with the largest value in a state."""
        return int(self.values(state[None]).argmax())

    def targets(self, transitions: Transitions, gamma: float) -> Array:
        """Return y of each transition."""
        best = self.values(transitions.next_states).max(axis=-1)
        return transitions.rewards + np.float32(gamma) * best * (1 - transitions.dones)

    def loss_and_gradients(self, transitions: Transitions, gamma: float) -> tuple[Array, dict[str, Array]]:
        """Return the loss of a batch and its gradients, for which y is a constant."""
        y = self.targets(transitions, gamma)
        return self.model.differentiate(
            self.parameters, transitions.states, lambda values: q_loss(y, transitions.actions, values)
        )


class Learner(QNetwork):
    """A Q-network with its optimizer."""

    def __init__(self, model: QModelName, parameters: Parameters, learning_rate: float, gamma: float) -> None:
        """Copy the parameters."""
        super().__init__(model, copy_parameters(parameters))
        self.optimizer, self.gamma = Adam(learning_rate), gamma

    def learn(self, transitions: Transitions) -> Array:
        """Take a step, and return the loss before it."""
        loss, gradients = self.loss_and_gradients(transitions, self.gamma)
        self.optimizer.step(self.parameters, gradients)
        return loss


def transitions_of(
    environment: Environment, choose: Callable[[Array], int], max_len_episode: int
) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Yield every transition of an episode as it happens, and whether it ended the episode.

    A truncated episode has not failed: its last state has a future, and its reward is not replaced.
    """
    state, over, length = environment.reset(), False, 0
    while not over and length < max_len_episode:
        action = choose(state)
        step = environment.step(action)
        over, length = step.terminated or step.truncated, length + 1
        reward = FAILURE_REWARD if step.terminated else step.reward
        yield (state, action, reward, step.state, float(step.terminated)), over
        state = step.state


def exploring(
    network: QNetwork, environment: Environment, epsilon: float, generator: np.random.Generator
) -> Callable[[Array], int]:
    """Return the policy, a function from a state to an action."""
    return lambda state: environment.sample() if generator.random() < epsilon else network.greedy(state)


class Agent:
    """See `assay.contract.Agent`."""

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Decrease linearly to the final value."""
        return max(initial_epsilon * (1 - episode / num_exploration_episodes), final_epsilon)

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Compute the action values in all states, and draw where to explore."""
        generator = np.random.default_rng(seed)
        values = QNetwork(model, parameters).values(states)
        explores = generator.random(len(states)) < epsilon
        anything = generator.integers(0, values.shape[-1], len(states))
        return np.where(explores, anything, values.argmax(axis=-1)).astype(np.int32)

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append all transitions to a buffer."""
        return fill_buffer(buffer_size, transitions).in_order()

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch from a buffer with the transitions."""
        return fill_buffer(len(transitions[0]), transitions).draw(batch_size, np.random.default_rng(seed))

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Compute the targets from the action values after each transition."""
        return QNetwork(model, parameters).targets(Transitions(*transitions), gamma)

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Run one forward and one backward pass."""
        return QNetwork(model, parameters).loss_and_gradients(Transitions(*transitions), gamma)

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        learner = Learner(model, parameters, learning_rate, gamma)
        losses = [learner.learn(Transitions(*batch)) for batch in zip(*transitions, strict=True)]
        return np.array(losses, np.float32), learner.parameters

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training."""
        environment, buffer = Environment(seed), ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
        choose = exploring(QNetwork("q_network", parameters), environment, epsilon, np.random.default_rng(seed))
        for _ in range(num_episodes):
            for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
                buffer.append(transition)
        return buffer.in_order()

    def fit(
        self,
        *,
        num_episodes: int,
        num_exploration_episodes: int,
        initial_epsilon: float,
        final_epsilon: float,
        max_len_episode: int,
        buffer_size: int,
        batch_size: int,
        learning_rate: float,
        gamma: float,
        seed: int,
    ) -> Learnt:
        """Learn after every transition except an episode's last, once the buffer has a full batch."""
        environment, generator = Environment(seed), np.random.default_rng(seed)
        initial = MODELS["q_network"].initial(generator)
        learner, buffer = Learner("q_network", initial, learning_rate, gamma), ReplayBuffer(buffer_size, (4,))
        scores, losses = [], []
        for episode in range(num_episodes):
            epsilon = self.epsilon(
                episode,
                num_exploration_episodes=num_exploration_episodes,
                initial_epsilon=initial_epsilon,
                final_epsilon=final_epsilon,
            )
            choose = exploring(learner, environment, epsilon, generator)
            scores.append(-1)
            for transition, over in transitions_of(environment, choose, max_len_episode):
                scores[-1] += 1
                buffer.append(transition)
                if not over and len(buffer) >= batch_size:
                    losses.append(learner.learn(buffer.draw(batch_size, generator)))
        return Learnt(np.array(scores, np.int32), np.array(losses, np.float32), learner.parameters)

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state."""
        environment, network = Environment(seed), QNetwork("q_network", parameters)
        return np.array([greedy_return(environment, network) for _ in range(num_episodes)], np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Convert to grey, resize one axis after the other, and stack the frames as channels."""
        grey = np.moveaxis(frames @ LUMA, 0, -1)
        for axis, length in enumerate(image_size):
            grey = resize(grey, axis, length)
        return (grey / 255).astype(np.float32)


def greedy_return(environment: Environment, network: QNetwork) -> float:
    """Play an episode with the greedy policy, and return the sum of the environment's rewards."""
    state, total, over = environment.reset(), 0.0, False
    while not over:
        step = environment.step(network.greedy(state))
        state, over = step.state, step.terminated or step.truncated
        total += step.reward
    return total


def fill_buffer(size: int, transitions: Transitions) -> ReplayBuffer:
    """Return a new buffer with these transitions."""
    buffer = ReplayBuffer(size, transitions[0].shape[1:])
    for transition in zip(*transitions, strict=True):
        buffer.append(transition)
    return buffer


def resize(images: Array, axis: int, length: int) -> Array:
    """Resize an axis: each new pixel interpolates between the centres of two old ones."""
    old = images.shape[axis]
    centres = np.clip((np.arange(length) + 0.5) * old / length - 0.5, 0, old - 1)
    before = centres.astype(int)
    after = np.minimum(before + 1, old - 1)
    share = np.expand_dims(centres - before, tuple(range(1, images.ndim - axis)))
    return np.take(images, before, axis) * (1 - share) + np.take(images, after, axis) * share
