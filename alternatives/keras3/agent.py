"""Deep Q-learning on CartPole of Gymnasium, with networks and Adam of Keras."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import gymnasium
import keras
import numpy as np

from assay.alternatives.keras3.backend import compiled, to_array, value_and_gradients
from assay.alternatives.keras3.models import NETWORKS, initial_parameters, parameter_names
from assay.contract import Learnt, Transitions
from assay.kit import episodes

if TYPE_CHECKING:
    from assay.contract import Array, Pair, Parameters, QModelName

# Everything here has 32 bits or fewer, which every backend takes as it is.
to_tensor = keras.ops.convert_to_tensor
# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class QFunctions:
    """What a Q-network computes, as functions of its parameters that the backend compiles.

    Arguments other than parameters may be NumPy arrays: JAX converts them faster when it calls what it has compiled.
    """

    def __init__(self, model: QModelName) -> None:
        """Build the network and its optimizer. Their variables only say which shapes there are."""
        self.network = NETWORKS[model]()
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.network.trainable_variables)
        self.values = compiled(self._values)
        self.targets = compiled(self._targets)
        self.differentiate = compiled(self._differentiate)
        self.step = compiled(self._step)

    def names(self) -> list[str]:
        """Return the canonical name of every parameter."""
        return parameter_names(self.network)

    def load(self, parameters: Parameters) -> list[Any]:
        """Make tensors of parameters, in the order of the network's."""
        return [to_tensor(parameters[name]) for name in self.names()]

    def named(self, tensors: list[Any]) -> Parameters:
        """Make arrays of tensors, one for each parameter."""
        return {name: to_array(tensor) for name, tensor in zip(self.names(), tensors, strict=True)}

    def new_state(self, learning_rate: float) -> list[Any]:
        """Return the variables of an Adam that has taken no step."""
        first = {id(self.optimizer.learning_rate): np.asarray(learning_rate)}
        return [
            to_tensor(first.get(id(one), np.zeros(one.shape)).astype(one.dtype)) for one in self.optimizer.variables
        ]

    def _values(self, weights: list[Any], states: Any) -> Any:
        outputs, _ = self.network.stateless_call(weights, [], to_tensor(states))
        return outputs

    def _targets(self, weights: list[Any], rewards: Any, next_states: Any, dones: Any, gamma: Any) -> Any:
        best = keras.ops.max(self._values(weights, next_states), axis=-1)
        return to_tensor(rewards) + gamma * best * (1 - to_tensor(dones))

    def _differentiate(
        self, weights: list[Any], states: Any, actions: Any, rewards: Any, next_states: Any, dones: Any, gamma: Any
    ) -> tuple[Any, Any]:
        # The gradient goes through the values of the states alone: the targets are computed before.
        targets = keras.ops.stop_gradient(self._targets(weights, rewards, next_states, dones, gamma))

        def loss(*weights: Any) -> Any:
            taken = keras.ops.take_along_axis(self._values([*weights], states), to_tensor(actions[:, None]), axis=-1)
            return keras.ops.mean(keras.ops.square(targets - taken[:, 0]))

        return value_and_gradients(loss, *weights)

    def _step(self, weights: list[Any], state: list[Any], *batch: Any) -> tuple[Any, list[Any], list[Any]]:
        loss, gradients = self._differentiate(weights, *batch)
        weights, state = self.optimizer.stateless_apply(state, [*gradients], weights)
        return loss, weights, state


functions = cache(QFunctions)


def read(losses: list[Any]) -> Array:
    """Make an array of losses: float32 [steps]."""
    return np.array([to_array(loss) for loss in losses], np.float32)


class Learner:
    """A Q-network with parameters of its own, and the Adam that changes them."""

    def __init__(self, model: QModelName, parameters: Parameters, learning_rate: float = 0.0) -> None:
        """Start from these parameters with a new optimizer."""
        self.functions = functions(model)
        self.weights = self.functions.load(parameters)
        self.state = self.functions.new_state(learning_rate)

    def act(self, state: Array) -> int:
        """Find the action of the highest value in a single state."""
        return int(to_array(self.functions.values(self.weights, state[None])).argmax())

    def step(self, batch: Transitions, gamma: float) -> Any:
        """Learn from a batch, and return its loss."""
        loss, self.weights, self.state = self.functions.step(self.weights, self.state, *batch, gamma)
        return loss

    def parameters(self) -> Parameters:
        """Read every parameter."""
        return self.functions.named(self.weights)


def seeded(seed: int) -> tuple[episodes.Gymnasium, int]:
    """Make CartPole, and say after how many steps it cuts an episode off."""
    environment: Any = gymnasium.make("CartPole-v1")
    return episodes.Gymnasium(environment, seed), environment.spec.max_episode_steps


class Agent:
    """See `assay.contract.Agent`."""

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Follow the schedule."""
        return episodes.compute_epsilon(
            episode,
            num_exploration_episodes=num_exploration_episodes,
            initial_epsilon=initial_epsilon,
            final_epsilon=final_epsilon,
        )

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose for all states by one output of the network."""
        network = functions(model)
        values = to_array(network.values(network.load(parameters), states))
        return episodes.choose_actions(values, epsilon, np.random.default_rng(seed))

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Fill a buffer."""
        return episodes.fill(buffer_size, transitions).read()

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw from a buffer that has room for all."""
        buffer = episodes.fill(len(transitions[0]), transitions)
        return buffer.draw(batch_size, np.random.default_rng(seed))

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Put the next states through the network."""
        network = functions(model)
        _, _, *after = transitions
        return to_array(network.targets(network.load(parameters), *after, gamma))

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Differentiate the loss of a batch."""
        network = functions(model)
        loss, gradients = network.differentiate(network.load(parameters), *transitions, gamma)
        return to_array(loss), network.named(gradients)

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
        learner = Learner(model, parameters, learning_rate)
        losses = [learner.step(Transitions(*batch), gamma) for batch in zip(*transitions, strict=True)]
        return read(losses), learner.parameters()

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training."""
        learner, generator = Learner("q_network", parameters), np.random.default_rng(seed)
        environment, limit = seeded(seed)

        def choose(state: Array) -> int:
            return environment.sample() if generator.random() < epsilon else learner.act(state)

        played = (episodes.play_episode(environment, choose, limit) for _ in range(num_episodes))
        return episodes.stack(transition for episode in played for transition, _ in episode)

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
        **schedule: Any,
    ) -> Learnt:
        """Play and learn."""
        learner = Learner("q_network", initial_parameters("q_network", seed), learning_rate)
        environment, _ = seeded(seed)
        generator, buffer = np.random.default_rng(seed), episodes.ReplayBuffer(buffer_size)
        scores, losses = [], []
        for episode in range(num_episodes):
            epsilon = self.epsilon(episode, **schedule)

            def choose(state: Array, epsilon: float = epsilon) -> int:
                return environment.sample() if generator.random() < epsilon else learner.act(state)

            scores.append(-1)
            for transition, over in episodes.play_episode(environment, choose, max_len_episode):
                scores[-1] += 1
                buffer.append(transition)
                if not over and len(buffer) >= batch_size:
                    losses.append(learner.step(buffer.draw(batch_size, generator), gamma))
        return Learnt(np.array(scores, np.int32), read(losses), learner.parameters())

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state."""
        act = Learner("q_network", parameters).act
        environment, limit = seeded(seed)
        # The environment gives 1 for every step.
        lengths = [sum(1 for _ in episodes.play_episode(environment, act, limit)) for _ in range(num_episodes)]
        return np.array(lengths, np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Turn grey, resize, and let the frames be channels."""
        grey = keras.ops.matmul(keras.ops.cast(to_tensor(frames), "float32"), to_tensor(LUMA / 255))
        resized = keras.ops.image.resize(grey[..., None], image_size, interpolation="bilinear", antialias=False)
        return to_array(keras.ops.transpose(resized[..., 0], (1, 2, 0)))
