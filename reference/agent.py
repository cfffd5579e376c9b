"""Deep Q-learning (lines 681 to 764)."""

from __future__ import annotations

from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from assay.contract import Learnt, Transitions
from assay.reference.environments import make
from assay.reference.models import RECIPES, Models, TrainingLoop, get_trainer, length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.contract import Array, Pair, Parameters, QModelName
    from assay.reference.environments import Environment

# Batch size of the document (line 692). Functions without training share the learner for this size.
BATCH_SIZE = 32
# Replaces the environment's reward when an episode fails (line 741).
FAILURE_REWARD = -10.0
# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class ReplayBuffer:
    """The latest transitions, one per row: passing one array is faster than passing five."""

    def __init__(self, size: int, state_shape: tuple[int, ...]) -> None:
        """Create a buffer for `size` transitions."""
        self.rows = np.empty((size, row_width(state_shape)), np.float32)
        self.count = 0

    def __len__(self) -> int:
        """Return the number of transitions."""
        return min(self.count, len(self.rows))

    def append(self, state: Array, action: int, reward: float, next_state: Array, done: float) -> None:
        """Append a transition; replace the oldest if the buffer is full."""
        row, width = self.rows[self.count % len(self.rows)], state.size
        row[:width], row[width : 2 * width] = state.ravel(), next_state.ravel()
        row[2 * width :] = action, reward, done
        self.count += 1

    def draw(self, batch_size: int, generator: np.random.Generator) -> Array:
        """Draw rows without replacement."""
        return self.rows[generator.choice(len(self), batch_size, replace=False)]

    def in_order(self) -> Array:
        """Return all rows, oldest first."""
        return np.roll(self.rows[: len(self)], -(self.count % len(self)), axis=0)


def row_width(state_shape: tuple[int, ...]) -> int:
    """Return the number of elements of a transition."""
    return 2 * int(np.prod(state_shape)) + 3


def unpack(rows: Any, state_shape: tuple[int, ...], reshape: Callable[..., Any] = np.reshape) -> Transitions:
    """Split rows [n, width] of NumPy or TensorFlow into transitions; actions stay floating-point numbers."""
    width = int(np.prod(state_shape))
    shape = (-1, *state_shape)
    states, next_states = (reshape(rows[:, start : start + width], shape) for start in (0, width))
    actions, rewards, dones = (rows[:, 2 * width + place] for place in range(3))
    return Transitions(states, actions, rewards, next_states, dones)


def fill_buffer(transitions: Transitions, size: int) -> ReplayBuffer:
    """Return a new buffer with these transitions."""
    buffer = ReplayBuffer(size, transitions.states.shape[1:])
    for transition in zip(*transitions, strict=True):
        buffer.append(*transition)
    return buffer


def to_contract(rows: Array, state_shape: tuple[int, ...]) -> Transitions:
    """Convert rows to transitions of the contract."""
    found = unpack(rows, state_shape)
    return found._replace(actions=found.actions.astype(np.int32))


class Learner:
    """A Q-network with its optimizer, and two compiled functions of the agent: to act, and to learn and act."""

    def __init__(self, model: QModelName, batch_size: int | None) -> None:
        """Build the network.

        Args:
            model: Name of the network.
            batch_size: Size of a batch, for which XLA compiles; None for any size, without XLA.

        """
        self.trainer = get_trainer(model, RECIPES[model].input_shape)
        self.state_shape = RECIPES[model].input_shape
        self.gamma = tf.Variable(1.0)
        self._ahead: tuple[Array | None, int] = None, 0
        self._batch_size = batch_size
        self._xla = self.trainer.recipe.xla_from is not None and batch_size is not None
        self._on_batches = TrainingLoop(self._learn_from, (2,), self.trainer.recipe.xla_from)

    # A concrete function skips the checks of arguments, which take half the time of a call of so small a network.
    @cached_property
    def _act(self) -> Callable[[tf.Tensor], tf.Tensor]:
        state = tf.TensorSpec([1, *self.state_shape])
        return tf.function(self._greedy, jit_compile=self._xla).get_concrete_function(state)

    @cached_property
    def _act_in_each(self) -> Callable[[tf.Tensor], tf.Tensor]:
        states = tf.TensorSpec([None, *self.state_shape])
        return tf.function(self._greedy_in_each).get_concrete_function(states)

    @cached_property
    def _learn(self) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        rows, state = (
            tf.TensorSpec([self._batch_size, row_width(self.state_shape)]),
            tf.TensorSpec([1, *self.state_shape]),
        )
        return tf.function(self._learn_and_act, jit_compile=self._xla).get_concrete_function(rows, state)

    def load(self, parameters: Parameters, *, learning_rate: float = 0.0, gamma: float = 1.0) -> None:
        """Set every variable, and reset the optimizer."""
        self.trainer.load(parameters)
        self.trainer.optimizer.learning_rate.assign(learning_rate)
        self.gamma.assign(gamma)
        self._ahead = None, 0

    def act(self, state: Array) -> int:
        """Return the greedy action, which the last learning step may have computed."""
        known, action = self._ahead
        return action if state is known else int(self._act(tf.constant(state[None])))

    def act_in_each(self, states: Array) -> Array:
        """Return the greedy action in each state."""
        return self._act_in_each(tf.constant(states)).numpy()

    def learn(self, rows: Array, state: Array) -> float:
        """Take one step of the optimizer, compute the greedy action in the state, and return the previous loss."""
        loss, action = self._learn(tf.constant(rows), tf.constant(state[None])).numpy()
        self._ahead = state, int(action)
        return float(loss)

    def targets(self, transitions: Transitions) -> tf.Tensor:
        """Return y of each transition (lines 756 and 757)."""
        best = tf.reduce_max(self.trainer.model(transitions.next_states), axis=1)
        return transitions.rewards + self.gamma * best * (1 - transitions.dones)

    def batch(self, rows: tf.Tensor) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        """Return states, and the targets: y, computed outside the gradient tape, and actions."""
        transitions = unpack(rows, self.state_shape, tf.reshape)
        return transitions.states, (self.targets(transitions), tf.cast(transitions.actions, tf.int32))

    def learn_from(self, rows: tf.Tensor) -> tf.Tensor:
        """Train on given batches, [steps, batch, width], in one compiled loop; return the losses."""
        return self._on_batches.run(rows, elements=rows.shape.num_elements())

    def _learn_from(self, rows: tf.Tensor) -> tf.Tensor:
        return self.trainer.loop(length(rows), lambda i: self.batch(rows[i]))

    def _greedy(self, states: tf.Tensor) -> tf.Tensor:
        return self._greedy_in_each(states)[0]

    def _greedy_in_each(self, states: tf.Tensor) -> tf.Tensor:
        return tf.argmax(self.trainer.model(states), axis=-1, output_type=tf.int32)

    def _learn_and_act(self, rows: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        loss = self.trainer.step(*self.batch(rows))
        # Returned in one tensor, so that only one is copied.
        return tf.stack([loss, tf.cast(self._greedy(state), tf.float32)])


def get_learner(model: QModelName, batch_size: int) -> Learner:
    """Return the cached learner of a model, either for batches of the document's size or for all others."""
    return _learner(model, batch_size if batch_size == BATCH_SIZE else None)


@cache
def _learner(model: QModelName, batch_size: int | None) -> Learner:
    return Learner(model, batch_size)


def exploration_rate(
    episode: Any,
    *,
    num_exploration_episodes: Any,
    initial_epsilon: Any,
    final_epsilon: Any,
    largest: Callable[..., Any] = max,
) -> Any:
    """Return epsilon in an episode (lines 727 to 729); `tf.maximum` takes scalars of TensorFlow."""
    return largest(
        initial_epsilon * (num_exploration_episodes - episode) / num_exploration_episodes,
        final_epsilon,
    )


def epsilon_greedy(
    state: Array,
    epsilon: float,
    generator: np.random.Generator,
    greedy: Callable[[Array], int],
    sample: Callable[[], int],
) -> int:
    """Choose an action (lines 732 to 736)."""
    return int(sample()) if generator.random() < epsilon else greedy(state)


def transitions_of(
    environment: Environment, choose: Callable[[Array], int], max_len_episode: int
) -> Iterator[tuple[tuple[Array, int, float, Array, float], bool]]:
    """Yield every transition of an episode, as it happens, and whether it ended the episode (lines 726 to 749).

    An episode truncated by the environment's step limit has not failed: its last state has a future.
    """
    state = environment.reset()
    for _ in range(max_len_episode):
        action = choose(state)
        step = environment.step(action)
        over = step.terminated or step.truncated
        reward = FAILURE_REWARD if step.terminated else step.reward
        yield (state, action, reward, step.state, float(step.terminated)), over
        if over:
            break
        state = step.state


def training(
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
) -> Iterator[tuple[int, list[float]]]:
    """Train a new Q-network, and yield the score of every episode and the losses in it (lines 720 to 764)."""
    learner = get_learner("q_network", batch_size)
    learner.load(Models().initial_parameters("q_network", seed), learning_rate=learning_rate, gamma=gamma)
    environment, generator = make(), np.random.default_rng(seed)
    environment.seed(seed)
    buffer = ReplayBuffer(buffer_size, learner.state_shape)
    for episode in range(num_episodes):
        epsilon = exploration_rate(
            episode,
            num_exploration_episodes=num_exploration_episodes,
            initial_epsilon=initial_epsilon,
            final_epsilon=final_epsilon,
        )

        def choose(state: Array, epsilon: float = epsilon) -> int:
            return epsilon_greedy(state, epsilon, generator, learner.act, environment.sample)

        score, losses = -1, []
        for transition, over in transitions_of(environment, choose, max_len_episode):
            score += 1
            buffer.append(*transition)
            if not over and len(buffer) >= batch_size:
                losses.append(learner.learn(buffer.draw(batch_size, generator), transition[3]))
        yield score, losses


class Agent:
    """See `assay.contract.Agent`."""

    def epsilon(self, episode: int, **schedule: Any) -> float:
        """Return epsilon by the schedule."""
        return exploration_rate(episode, **schedule)

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Compute the greedy actions of all states in one call, and choose for each state in turn."""
        learner, generator = load_learner(model, parameters), np.random.default_rng(seed)
        num_actions = learner.trainer.variables[-1].shape[0]

        def sample() -> int:
            return int(generator.integers(num_actions))

        chosen = [
            epsilon_greedy(state, epsilon, generator, partial(_known, int(best)), sample)
            for state, best in zip(states, learner.act_in_each(states), strict=True)
        ]
        return np.array(chosen, np.int32)

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append all transitions to a buffer."""
        transitions = Transitions(*transitions)
        return to_contract(fill_buffer(transitions, buffer_size).in_order(), transitions.states.shape[1:])

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch from a buffer with the transitions."""
        transitions = Transitions(*transitions)
        buffer = fill_buffer(transitions, len(transitions.states))
        return to_contract(buffer.draw(batch_size, np.random.default_rng(seed)), transitions.states.shape[1:])

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Compute the targets from the network's values of the next states."""
        learner = load_learner(model, parameters, gamma=gamma)
        return learner.targets(Transitions(*map(tf.constant, transitions))).numpy()

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Record the loss on a tape, and compute the gradients."""
        learner = load_learner(model, parameters, gamma=gamma)
        loss, gradients = learner.trainer.loss_and_gradients(
            *learner.batch(tf.constant(pack(Transitions(*transitions))))
        )
        named = zip(learner.trainer.names(), gradients, strict=True)
        return loss.numpy(), {name: gradient.numpy() for name, gradient in named}

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Run one compiled loop over the batches."""
        learner = load_learner(model, parameters, learning_rate=learning_rate, gamma=gamma)
        return learner.learn_from(tf.constant(pack(Transitions(*transitions)))).numpy(), learner.trainer.parameters()

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training."""
        learner, environment, generator = load_learner("q_network", parameters), make(), np.random.default_rng(seed)
        environment.seed(seed)

        def choose(state: Array) -> int:
            return epsilon_greedy(state, epsilon, generator, learner.act, environment.sample)

        limit = environment.wrapped.spec.max_episode_steps
        buffer = ReplayBuffer(num_episodes * limit, learner.state_shape)
        for _ in range(num_episodes):
            for transition, _ in transitions_of(environment, choose, limit):
                buffer.append(*transition)
        return to_contract(buffer.in_order(), learner.state_shape)

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
        episodes = training(
            num_episodes=num_episodes,
            max_len_episode=max_len_episode,
            buffer_size=buffer_size,
            batch_size=batch_size,
            learning_rate=learning_rate,
            gamma=gamma,
            seed=seed,
            **schedule,
        )
        scores, losses = zip(*episodes, strict=True)
        parameters = get_learner("q_network", batch_size).trainer.parameters()
        return Learnt(np.array(scores, np.int32), np.concatenate(losses).astype(np.float32), parameters)

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state."""
        learner, environment = load_learner("q_network", parameters), make()
        environment.seed(seed)
        return np.array([greedy_return(environment, learner.act) for _ in range(num_episodes)], np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Convert to grey, resize, and stack the frames as channels."""
        grey = frames.astype(np.float32) @ (LUMA / 255)
        return tf.image.resize(np.moveaxis(grey, 0, -1), image_size).numpy()


def greedy_return(environment: Environment, act: Callable[[Array], int]) -> float:
    """Play an episode with the greedy policy, and return the sum of the environment's rewards."""
    state, total, over = environment.reset(), 0.0, False
    while not over:
        state, reward, *ends = environment.step(act(state))
        total += reward
        over = any(ends)
    return total


def _known(action: int, _state: Array) -> int:
    """Return the greedy action of a state, which was computed in one call with others."""
    return action


def load_learner(
    model: QModelName, parameters: Parameters, *, learning_rate: float = 0.0, gamma: float = 1.0
) -> Learner:
    """Return a learner with these parameters, for functions without training."""
    learner = get_learner(model, BATCH_SIZE)
    learner.load(parameters, learning_rate=learning_rate, gamma=gamma)
    return learner


def pack(transitions: Transitions) -> Array:
    """Convert transitions to rows, for one or more batches at once."""
    states, actions, rewards, next_states, dones = transitions
    columns = states, next_states, actions, rewards, dones
    rows = [np.reshape(column, (*np.shape(actions), -1)) for column in columns]
    return np.concatenate(rows, axis=-1, dtype=np.float32)
