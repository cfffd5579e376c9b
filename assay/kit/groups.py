"""Complete groups of the contract, for which an adapter only defines one class of networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from assay.contract import (
    Array,
    EncodedText,
    Learnt,
    ModelName,
    Ops,
    Pair,
    Parameters,
    QModelName,
    Trained,
    Transitions,
)
from assay.kit import episodes, metrics, sampling, text
from assay.kit.episodes import Environment, ReplayBuffer, choose_actions, compute_epsilon, compute_targets
from assay.kit.networks import NUM_CHARS

# Number of steps after which CartPole-v1 truncates an episode.
LONGEST_EPISODE = 500
# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114])


class Network(Protocol):
    """One of the document's models in the framework, with its own new optimizer.

    Inputs and targets are those of the contract's `Models`. The targets of `q_network` and `q_cnn` are two arrays, the
    taken actions, int32 [n], and the target values, [n].
    """

    def parameters(self) -> Parameters:
        """Return every parameter by its canonical name."""

    def outputs(self, inputs: Array) -> Mapping[str, Array]:
        """Return the output of every layer by name, in order."""

    def predict(self, inputs: Array) -> Array:
        """Return the output of the last layer."""

    def gradients(self, inputs: Array, *targets: Array) -> tuple[Array, Parameters]:
        """Return the mean loss of a batch, and its gradient for every parameter."""

    def step(self, inputs: Array, *targets: Array) -> Array | float:
        """Take one step of the optimizer, and return the loss before it."""


class Backend(Protocol):
    """Factory of networks."""

    def build(self, model: ModelName, seed: int, *, num_chars: int = NUM_CHARS, learning_rate: float = 0.0) -> Network:
        """Build a new model with parameters drawn from a seed."""

    def load(self, model: ModelName, parameters: Parameters, *, learning_rate: float = 0.0) -> Network:
        """Build a model with these parameters."""


def train(network: Network, batches: Iterable[tuple[Array, ...]]) -> Array:
    """Take a step with every batch of inputs and targets, and return the losses: float32 [steps]."""
    return np.array([network.step(*batch) for batch in batches], np.float32)


class Models:
    """See `assay.contract.Models`."""

    def __init__(self, backend: Backend) -> None:
        """Store the factory of networks."""
        self.backend = backend

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Build a new network and read its parameters."""
        return self.backend.build(model, seed).parameters()

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Read the output of every layer."""
        return self.backend.load(model, parameters).outputs(inputs)

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Return the network's loss and gradients."""
        return self.backend.load(model, parameters).gradients(inputs, targets)

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        network = self.backend.load(model, parameters, learning_rate=learning_rate)
        return train(network, zip(inputs, targets, strict=True)), network.parameters()


class Datasets:
    """See `assay.contract.Datasets`: preprocessing on the host, done with NumPy."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Scale, add the channel axis, and convert."""
        return images[..., np.newaxis].astype(np.float32) / np.float32(255), labels.astype(np.int32)

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw indices with replacement."""
        index = sampling.draw_indices(len(images), batch_size, seed)
        return images[index], labels[index]


class Training:
    """See `assay.contract.Training`."""

    def __init__(self, backend: Backend) -> None:
        """Store the factory of networks."""
        self.backend = backend

    def fit(
        self,
        model: ModelName,
        images: Array,
        labels: Array,
        *,
        num_batches: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Take a step with every batch."""
        building, drawing = sampling.derive_seeds(seed, 2)
        network = self.backend.build(model, building, learning_rate=learning_rate)
        losses = train(network, sampling.draw_batches(images, labels, num_batches, batch_size, drawing))
        return Trained(losses, network.parameters())

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Count the network's correct predictions over all batches."""
        return metrics.evaluate(self.backend.load(model, parameters).predict, images, labels, batch_size)


class Text:
    """See `assay.contract.Text`."""

    def __init__(self, backend: Backend, ops: Ops) -> None:
        """Store the factory of networks, and the operations for drawing characters."""
        self.backend, self.ops = backend, ops

    def encode(self, content: bytes) -> EncodedText:
        """Number the characters in their order."""
        return text.encode(content)

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw windows with replacement."""
        windows, following = text.view_windows(indices, seq_length)
        index = sampling.draw_indices(len(windows), batch_size, seed)
        return windows[index], following[index]

    def fit(
        self,
        indices: Array,
        num_chars: int,
        *,
        num_batches: int,
        batch_size: int,
        seq_length: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Take a step with every batch of windows."""
        building, drawing = sampling.derive_seeds(seed, 2)
        network = self.backend.build("rnn", building, num_chars=num_chars, learning_rate=learning_rate)
        windows = text.view_windows(indices, seq_length)
        losses = train(network, sampling.draw_batches(*windows, num_batches, batch_size, drawing))
        return Trained(losses, network.parameters())

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Run the network on the last window for each new character."""
        sampling.check_temperature(temperature)
        network = self.backend.load("rnn", parameters)
        found = np.empty(0, np.int32)
        for draw, (before, place) in zip(sampling.derive_seeds(seed, count), text.slide(window, count), strict=True):
            logits = network.outputs(before[np.newaxis])["dense"]
            place[:] = self.ops.sample(self.ops.softmax_with_temperature(logits, temperature), draw)
            found = np.append(found, place)
        return found


class Agent:
    """See `assay.contract.Agent`."""

    def __init__(self, backend: Backend, environment: Callable[[int], Environment]) -> None:
        """Store the factories of networks and of seeded CartPole environments."""
        self.backend, self.environment = backend, environment

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Return epsilon by the schedule."""
        return compute_epsilon(
            episode,
            num_exploration_episodes=num_exploration_episodes,
            initial_epsilon=initial_epsilon,
            final_epsilon=final_epsilon,
        )

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Compute the action values in all states, and draw where to explore."""
        values = self.backend.load(model, parameters).predict(states)
        return choose_actions(values, epsilon, np.random.default_rng(seed))

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append all transitions to a buffer."""
        return episodes.fill(buffer_size, transitions).read()

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch from a buffer with the transitions."""
        return episodes.fill(len(transitions[0]), transitions).draw(batch_size, np.random.default_rng(seed))

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Compute the targets from the action values in the next states."""
        return _targets(self.backend.load(model, parameters), Transitions(*transitions), gamma)

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Return the network's loss and gradients."""
        network = self.backend.load(model, parameters)
        return network.gradients(*_batch(network, Transitions(*transitions), gamma))

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch, with targets from the current network."""
        network = self.backend.load(model, parameters, learning_rate=learning_rate)
        batches = (_batch(network, Transitions(*batch), gamma) for batch in zip(*transitions, strict=True))
        return train(network, batches), network.parameters()

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training, without learning."""
        choose, environment = self._player(self.backend.load("q_network", parameters), seed)
        found = [
            transition
            for _ in range(num_episodes)
            for transition, _ in episodes.play_episode(environment, choose(epsilon), LONGEST_EPISODE)
        ]
        return episodes.stack(found)

    def fit(
        self,
        *,
        num_episodes: int,
        max_len_episode: int,
        buffer_size: int,
        batch_size: int,
        learning_rate: float,
        gamma: float,
        seed: int,
        **schedule: Any,  # noqa: ANN401 - the arguments of `epsilon`
    ) -> Learnt:
        """Play, and learn after every transition except an episode's last, once the buffer has a full batch."""
        building, playing, drawing = sampling.derive_seeds(seed, 3)
        network = self.backend.build("q_network", building, learning_rate=learning_rate)
        choose, environment = self._player(network, playing)
        buffer, generator = ReplayBuffer(buffer_size), np.random.default_rng(drawing)
        scores: list[int] = []
        losses: list[Array | float] = []
        for episode in range(num_episodes):
            score = -1
            acting = choose(self.epsilon(episode, **schedule))
            for transition, over in episodes.play_episode(environment, acting, max_len_episode):
                score += 1
                buffer.append(transition)
                if not over and len(buffer) >= batch_size:
                    losses.append(network.step(*_batch(network, buffer.draw(batch_size, generator), gamma)))
            scores.append(score)
        return Learnt(np.array(scores, np.int32), np.array(losses, np.float32), network.parameters())

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state; the environment's reward is 1 for each step."""
        choose, environment = self._player(self.backend.load("q_network", parameters), seed)
        lengths = [
            sum(1 for _ in episodes.play_episode(environment, choose(0.0), LONGEST_EPISODE))
            for _ in range(num_episodes)
        ]
        return np.array(lengths, np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Convert to grey, resize one axis after the other, and stack the frames as channels."""
        grey = np.moveaxis(frames @ LUMA, 0, -1)
        for axis, length in enumerate(image_size):
            grey = _resize(grey, axis, length)
        return (grey / 255).astype(np.float32)

    def _player(self, network: Network, seed: int) -> tuple[Callable[[float], Callable[[Array], int]], Environment]:
        """Return a function from epsilon to a policy, and the environment."""
        playing, exploring = sampling.derive_seeds(seed, 2)
        environment, generator = self.environment(playing), np.random.default_rng(exploring)

        def choose(epsilon: float) -> Callable[[Array], int]:
            def act(state: Array) -> int:
                values = network.predict(state[np.newaxis])
                return int(choose_actions(values, epsilon, generator, environment.sample)[0])

            return act

        return choose, environment


def _targets(network: Network, transitions: Transitions, gamma: float) -> Array:
    values = network.predict(transitions.next_states)
    return compute_targets(values, transitions.rewards, transitions.dones, gamma)


def _batch(network: Network, transitions: Transitions, gamma: float) -> tuple[Array, Array, Array]:
    """Return states, actions and targets, as arguments of `Network.step`."""
    return transitions.states, transitions.actions, _targets(network, transitions, gamma)


def _resize(images: Array, axis: int, length: int) -> Array:
    """Resize an axis: each new pixel interpolates between the centres of two old ones."""
    old = images.shape[axis]
    centres = np.clip((np.arange(length) + 0.5) * old / length - 0.5, 0, old - 1)
    before = centres.astype(int)
    share = np.expand_dims(centres - before, tuple(range(1, images.ndim - axis)))
    return np.take(images, before, axis) * (1 - share) + np.take(images, np.minimum(before + 1, old - 1), axis) * share
