"""Deep Q-learning (Mnih and others, 2013). An episode is one compiled loop, in which the agent acts and learns."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from assay.alternatives.jax import cart_pole
from assay.alternatives.jax.cart_pole import MAX_EPISODE_STEPS, length
from assay.alternatives.jax.losses import mean_squared_error, pick
from assay.alternatives.jax.models import MODELS, initial, loops, to_numpy
from assay.alternatives.jax.optimizers import ADAM
from assay.contract import Array, Learnt, Pair, Parameters, QModelName, Transitions

FAILURE_REWARD = -10.0
# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Batch(NamedTuple):
    """The contract's `Transitions`, as arrays of JAX."""

    states: jax.Array
    actions: jax.Array
    rewards: jax.Array
    next_states: jax.Array
    dones: jax.Array


class ReplayBuffer(NamedTuple):
    """The latest transitions: a new one replaces the oldest.

    Attributes:
        transitions: Arrays, whose length is the capacity.
        appended: Number of transitions appended so far.

    """

    transitions: Batch
    appended: jax.Array

    @property
    def size(self) -> int:
        """The capacity of the buffer."""
        return len(self.transitions.actions)

    @property
    def filled(self) -> jax.Array:
        """Return the number of transitions."""
        return jnp.minimum(self.appended, self.size)

    def append(self, transition: Batch) -> ReplayBuffer:
        """Return the buffer with one more transition."""
        place = self.appended % self.size
        arrays = (array.at[place].set(one) for array, one in zip(self.transitions, transition, strict=True))
        return ReplayBuffer(Batch(*arrays), self.appended + 1)

    def draw(self, batch_size: int, key: jax.Array) -> Batch:
        """Draw a batch, without replacement.

        Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", 1987): each round draws from one more number
        than the round before. The new number replaces a draw that has occurred already.
        """
        newest = self.filled - batch_size + jnp.arange(batch_size)
        draws = jax.random.randint(key, (batch_size,), 0, newest + 1)

        def pick(number: jax.Array, chosen: jax.Array) -> jax.Array:
            known = (chosen == draws[number]).any()
            return chosen.at[number].set(jnp.where(known, newest[number], draws[number]))

        places = lax.fori_loop(0, batch_size, pick, jnp.full(batch_size, -1))
        return Batch(*(array[places] for array in self.transitions))


def empty(size: int, state_shape: tuple[int, ...]) -> ReplayBuffer:
    """Create an empty buffer."""
    shape = (size, *state_shape)
    transitions = Batch(
        states=jnp.zeros(shape),
        actions=jnp.zeros(size, jnp.int32),
        rewards=jnp.zeros(size),
        next_states=jnp.zeros(shape),
        dones=jnp.zeros(size),
    )
    return ReplayBuffer(transitions, jnp.int32(0))


@partial(jax.jit, static_argnames="size")
def fill_buffer(transitions: Batch, size: int) -> ReplayBuffer:
    """Append transitions one by one to a new buffer."""
    buffer = empty(size, transitions.states.shape[1:])
    return lax.scan(lambda buffer, one: (buffer.append(one), None), buffer, transitions)[0]


def values(model: QModelName, parameters: Parameters, states: jax.Array) -> jax.Array:
    """Return the value of every action in each state: [n, actions]."""
    return MODELS[model].outputs(parameters, states)[MODELS[model].last]


def epsilon_greedy(
    model: QModelName, parameters: Parameters, states: jax.Array, epsilon: jax.Array | float, key: jax.Array
) -> jax.Array:
    """Choose an action in each state: int32 [n]."""
    valued = values(model, parameters, states)
    whether, which = jax.random.split(key)
    explores = jax.random.uniform(whether, (len(states),)) < epsilon
    return jnp.where(explores, jax.random.randint(which, (len(states),), 0, valued.shape[1]), valued.argmax(axis=1))


@partial(jax.jit, static_argnames="model")
def targets(model: QModelName, parameters: Parameters, transitions: Batch, gamma: float) -> jax.Array:
    """Return y of each transition."""
    best = values(model, parameters, transitions.next_states).max(axis=1)
    return transitions.rewards + gamma * best * (1 - transitions.dones)


@partial(jax.jit, static_argnames="model")
def loss_and_gradients(
    model: QModelName, parameters: Parameters, transitions: Batch, gamma: float
) -> tuple[jax.Array, Parameters]:
    """Return the loss of a batch and its gradients, for which y is a constant."""
    y = targets(model, parameters, transitions, gamma)

    def loss(some: Parameters) -> jax.Array:
        return mean_squared_error(y, pick(values(model, some, transitions.states), transitions.actions))

    return jax.value_and_grad(loss)(parameters)


class Learner(NamedTuple):
    """State of a training.

    Attributes:
        parameters: Parameters of the Q-network.
        moments: Moments of its optimizer.
        buffer: Buffer of transitions; None if transitions are passed in.

    """

    parameters: Parameters
    moments: Any
    buffer: ReplayBuffer | None = None


@partial(jax.jit, static_argnames="model")
def learn(
    model: QModelName, learner: Learner, transitions: Batch, learning_rate: float, gamma: float
) -> tuple[Learner, jax.Array]:
    """Take a step of Adam; also return the loss before it."""
    loss, gradients = loss_and_gradients(model, learner.parameters, transitions, gamma)
    parameters, moments = ADAM.step(learner.parameters, gradients, learner.moments, learning_rate)
    return learner._replace(parameters=parameters, moments=moments), loss


@partial(jax.jit, static_argnames="model")
def learn_all(
    model: QModelName, learner: Learner, batches: Batch, learning_rate: float, gamma: float
) -> tuple[Learner, jax.Array]:
    """Take a step with every batch, each array of which is [steps, ...], in one compiled loop."""
    return lax.scan(lambda learner, batch: learn(model, learner, batch, learning_rate, gamma), learner, batches)


class Playing(NamedTuple):
    """State of an episode.

    Attributes:
        learner: The agent that plays.
        state: State of the environment.
        over: Whether the episode has ended.
        length: Number of steps so far.
        losses: Losses of the learning steps in it, [MAX_EPISODE_STEPS].
        num_losses: Number of losses.

    """

    learner: Learner
    state: jax.Array
    over: jax.Array
    length: jax.Array
    losses: jax.Array
    num_losses: jax.Array


@partial(jax.jit, static_argnames="batch_size", donate_argnames="learner")
def train_episode(
    learner: Learner,
    key: jax.Array,
    *,
    epsilon: float,
    max_len_episode: int,
    batch_size: int,
    learning_rate: float,
    gamma: float,
) -> Playing:
    """Play an episode; learn after every transition except the last, once the buffer has a full batch.

    A truncated episode has not failed: its last state has a future, and its reward is not replaced.
    """
    model: QModelName = "q_network"

    def step(now: Playing) -> Playing:
        acting, drawing = jax.random.split(jax.random.fold_in(key, now.length))
        action = epsilon_greedy(model, now.learner.parameters, now.state[None], epsilon, acting)[0]
        state = cart_pole.euler_step(now.state, action)
        fallen = cart_pole.has_fallen(state)
        reward = jnp.where(fallen, FAILURE_REWARD, 1.0)
        assert now.learner.buffer is not None  # noqa: S101 - for mypy: set in training
        buffer = now.learner.buffer.append(Batch(now.state, action, reward, state, fallen.astype(jnp.float32)))
        over = fallen | (now.length + 1 == MAX_EPISODE_STEPS)
        learns = ~over & (buffer.filled >= batch_size)
        learner, loss = lax.cond(
            learns,
            lambda learner: learn(model, learner, learner.buffer.draw(batch_size, drawing), learning_rate, gamma),
            lambda learner: (learner, 0.0),
            now.learner._replace(buffer=buffer),
        )
        losses = now.losses.at[now.num_losses].set(loss)
        return Playing(learner, state, over, now.length + 1, losses, now.num_losses + learns)

    begin = Playing(
        learner,
        cart_pole.reset(jax.random.fold_in(key, MAX_EPISODE_STEPS)),
        jnp.array(False),  # noqa: FBT003 - a value, not an option
        jnp.int32(0),
        jnp.zeros(MAX_EPISODE_STEPS),
        jnp.int32(0),
    )
    return lax.while_loop(lambda now: ~now.over & (now.length < max_len_episode), step, begin)


@jax.jit
def play_episode(parameters: Parameters, epsilon: float, key: jax.Array) -> cart_pole.Episode:
    """Play an episode without learning."""

    def choose(number: jax.Array, state: jax.Array) -> jax.Array:
        return epsilon_greedy("q_network", parameters, state[None], epsilon, jax.random.fold_in(key, number))[0]

    return cart_pole.episode(choose, jax.random.fold_in(key, MAX_EPISODE_STEPS))


class Agent:
    """See `assay.contract.Agent`."""

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Decrease linearly to the final value."""
        return max(initial_epsilon * (1 - episode / num_exploration_episodes), final_epsilon)

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose actions in all states at once."""
        return to_numpy(act(model, parameters, states, epsilon, jax.random.key(seed)))

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append all transitions to a buffer, and read it, oldest first."""
        arrays, count = to_numpy(fill_buffer(to_batch(transitions), buffer_size))
        places = np.arange(max(count - buffer_size, 0), count) % buffer_size
        return Transitions(*(array[places] for array in arrays))

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch from a buffer with the transitions.

        Raises:
            ValueError: The buffer has fewer transitions than a batch.

        """
        count = len(transitions[0])
        if count < batch_size:
            msg = f"{count} transitions cannot make a batch of {batch_size}"
            raise ValueError(msg)
        buffer = fill_buffer(to_batch(transitions), count)
        return Transitions(*to_numpy(draw_batch(buffer, batch_size, jax.random.key(seed))))

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Compute the targets from the action values after each transition."""
        return to_numpy(targets(model, parameters, to_batch(transitions), gamma))

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Differentiate the loss."""
        return to_numpy(loss_and_gradients(model, parameters, to_batch(transitions), gamma))

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
        learner = Learner(parameters, ADAM.begin(parameters))
        if loops(model):
            learner, losses = learn_all(model, learner, to_batch(transitions), learning_rate, gamma)
            return to_numpy((losses, learner.parameters))
        losses = []
        for batch in zip(*transitions, strict=True):
            learner, loss = learn(model, learner, Batch(*batch), learning_rate, gamma)
            losses.append(loss)
        return np.array(jax.device_get(losses), np.float32), to_numpy(learner.parameters)

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play each episode with its own key, and concatenate the transitions before the ends."""
        keys = jax.random.split(jax.random.key(seed), num_episodes)
        found = [transitions_of(to_numpy(play_episode(parameters, epsilon, key))) for key in keys]
        return Transitions(*map(np.concatenate, zip(*found, strict=True)))

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
        """Train in successive episodes."""
        building, playing = jax.random.split(jax.random.key(seed))
        parameters = initial(MODELS["q_network"].initializers, building)
        learner = Learner(parameters, ADAM.begin(parameters), empty(buffer_size, (4,)))
        scores, losses = [], []
        for number, key in enumerate(jax.random.split(playing, num_episodes)):
            epsilon = self.epsilon(
                number,
                num_exploration_episodes=num_exploration_episodes,
                initial_epsilon=initial_epsilon,
                final_epsilon=final_epsilon,
            )
            found = train_episode(
                learner,
                key,
                epsilon=epsilon,
                max_len_episode=max_len_episode,
                batch_size=batch_size,
                learning_rate=learning_rate,
                gamma=gamma,
            )
            learner = found.learner
            scores.append(int(found.length) - 1)
            losses.append(to_numpy(found.losses)[: int(found.num_losses)])
        return Learnt(np.array(scores, np.int32), np.concatenate(losses), to_numpy(learner.parameters))

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Count the steps, each with a reward of 1."""
        keys = jax.random.split(jax.random.key(seed), num_episodes)
        return np.array([length(to_numpy(play_episode(parameters, 0.0, key))) for key in keys], np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Convert to grey, resize, and stack the frames as channels."""
        return to_numpy(stack(frames, image_size))


act = jax.jit(epsilon_greedy, static_argnums=0)
draw_batch = jax.jit(ReplayBuffer.draw, static_argnums=1)


def to_batch(transitions: Transitions) -> Batch:
    """Convert to arrays of JAX."""
    return Batch(*map(jnp.asarray, transitions))


def transitions_of(episode: Any) -> Transitions:
    """Return the transitions before the end of an episode, a `cart_pole.Episode` of NumPy arrays."""
    count = length(episode)
    fallen = episode.fallen[:count]
    rewards = np.where(fallen, FAILURE_REWARD, 1).astype(np.float32)
    states = episode.states
    return Transitions(states[:count], episode.actions[:count], rewards, states[1 : count + 1], fallen.astype("f4"))


@partial(jax.jit, static_argnames="image_size")
def stack(frames: jax.Array, image_size: Pair) -> jax.Array:
    """Convert frames [n, height, width, 3] to a state [*image_size, n]."""
    grey = jnp.moveaxis(frames.astype(jnp.float32) @ (LUMA / 255), 0, -1)
    return jax.image.resize(grey, (*image_size, len(frames)), "linear", antialias=False)
