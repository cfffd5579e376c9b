"""Deep Q-learning whose whole training is one compiled function: acting, CartPole, the replay buffer and learning.

The chapter's loop (lines 718 to 764) calls the environment in every step. Here the environment is made of operations of
TensorFlow, so XLA compiles everything. Everything that neither draws nor plays is the reference's.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from assay.contract import Learnt, Transitions
from assay.reference import agent
from assay.reference.agent import (
    FAILURE_REWARD,
    Learner,
    exploration_rate,
    load_learner,
    pack,
    row_width,
    to_contract,
)
from assay.reference.models import Models
from assay.reference.variants.compiled_cart_pole import (
    MAX_EPISODE_STEPS,
    NUM_ACTIONS,
    SAMPLES,
    STATE_SIZE,
    STEPS,
    draw_bits,
    euler_step,
    has_fallen,
    to_initial_states,
    to_seed,
    to_uniform,
)

if TYPE_CHECKING:
    from assay.contract import Array, Parameters, QModelName

STATE_SHAPE = (STATE_SIZE,)
ROW = row_width(STATE_SHAPE)
# Largest number of steps in a call of the function that XLA compiles. Their draws are made at once, before the first.
MAX_STEPS = 1024
# To find what a batch has drawn already, it compares every pair of its draws. Largest number of pairs in a call.
MAX_PAIRS = MAX_STEPS * 32**2
# XLA compiles for a capacity of the replay buffer. Smaller buffers use a part of it.
MIN_CAPACITY = 2**14


class Settings(NamedTuple):
    """Arguments of a training: scalars, for which nothing is compiled again.

    Attributes:
        num_episodes: Number of episodes, int32.
        num_exploration_episodes: Number of episodes in which epsilon decreases, float32.
        initial_epsilon: Epsilon of the first episode, float32.
        final_epsilon: Smallest epsilon, float32.
        max_len_episode: Number of steps after which an episode is left, int32.
        buffer_size: Size of the replay buffer, int32.
        seed: Seed of all draws, int64.

    """

    num_episodes: tf.Tensor
    num_exploration_episodes: tf.Tensor
    initial_epsilon: tf.Tensor
    final_epsilon: tf.Tensor
    max_len_episode: tf.Tensor
    buffer_size: tf.Tensor
    seed: tf.Tensor


class Progress(NamedTuple):
    """State of a training between two steps, apart from the network and its optimizer.

    Attributes:
        rows: Replay buffer, a transition per row, [capacity, ROW].
        step: Number of steps so far, int32.
        episode: Number of episodes that are over, int32.
        length: Number of steps of this episode so far, int32.
        state: State of the environment, [4], which the first step of an episode replaces.

    """

    rows: tf.Tensor
    step: tf.Tensor
    episode: tf.Tensor
    length: tf.Tensor
    state: tf.Tensor


def draw_places(bits: tf.Tensor, filled: tf.Tensor) -> tf.Tensor:
    """Draw batches of places in a buffer, without replacement.

    Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", 1987): each draw is from one more number than the
    draw before. The new number replaces a number that has been chosen already. Here all draws are made at once. A draw
    has been chosen already if an earlier draw equals it, or if it is the new number of an earlier draw, which has been
    replaced itself. The second case leads from draw to draw; each round doubles how far it has been followed.

    Args:
        bits: Random bits, uint32 [n, batch].
        filled: Number of transitions in the buffer for each batch, int32 [n]. With fewer than `batch`, the places mean
            nothing.

    Returns:
        Places, int32 [n, batch].

    """
    count = bits.shape[1]
    order = tf.range(count)
    newest = filled[:, None] - count + order
    draws = tf.cast(bits % tf.cast(tf.maximum(newest + 1, 1), tf.uint32), tf.int32)
    is_earlier = order[:, None] > order
    is_taken = tf.reduce_any((draws[:, :, None] == draws[:, None]) & is_earlier, axis=-1)
    # Draw whose new number this is, or the draw itself.
    source = draws - newest[:, :1]
    source = tf.where((source >= 0) & (source < order), source, order)
    for _ in range(count.bit_length()):
        is_taken |= tf.gather(is_taken, source, batch_dims=1)
        source = tf.gather(source, source, batch_dims=1)
    return tf.where(is_taken, newest, draws)


def choose(greedy: tf.Tensor, epsilon: Any, uniform: tf.Tensor, num_actions: int) -> tf.Tensor:
    """Choose actions (lines 732 to 736).

    Args:
        greedy: Greedy actions, int32 [...].
        epsilon: Probability of a random action.
        uniform: Draws for whether to explore, and for the random action, [..., 2].
        num_actions: Number of actions.

    Returns:
        Actions, int32 [...].

    """
    explores, which = tf.unstack(uniform, axis=-1)
    return tf.where(explores < epsilon, tf.cast(which * num_actions, tf.int32), greedy)


class Player(Learner):
    """A Q-network that plays and learns in one compiled function."""

    def __init__(self, batch_size: int) -> None:
        """Share the network of all learners; with a batch size of 0, this one plays without learning."""
        super().__init__("q_network", batch_size)
        self.num_draws = batch_size
        self.max_steps = max(1, MAX_STEPS if batch_size == 0 else min(MAX_STEPS, MAX_PAIRS // batch_size**2))
        self.advance = tf.function(self._advance, jit_compile=True)
        self.run = tf.function(self._run)

    def _run(self, settings: Settings, capacity: int) -> tf.Tensor:
        """Play all episodes, and return the records of all steps: see `_advance`."""
        records = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
        zero = tf.constant(0)
        progress = Progress(tf.zeros([capacity, ROW]), zero, zero, zero, tf.zeros(STATE_SHAPE))
        while progress.episode < settings.num_episodes:
            before = progress.step
            progress, record = self.advance(progress, settings)
            records = records.write(records.size(), record[: progress.step - before])
        return records.concat()

    def _advance(self, progress: Progress, settings: Settings) -> tuple[Progress, tf.Tensor]:
        """Take up to `max_steps` steps.

        Returns:
            The state after the last step; a record of every step, [max_steps, ROW + 3]: the transition, the loss,
            whether the agent has learnt, and whether the episode is over.

        """
        first = progress.step
        uniform = to_uniform(draw_bits(self.max_steps, STATE_SIZE + 2, settings.seed, STEPS, first))
        filled = tf.minimum(first + 1 + tf.range(self.max_steps), settings.buffer_size)
        places = draw_places(draw_bits(self.max_steps, self.num_draws, settings.seed, SAMPLES, first), filled)
        records = tf.TensorArray(tf.float32, self.max_steps, element_shape=[ROW + 3])
        number = tf.constant(0)
        # Not `and`, which would compile to a branch.
        while (number < self.max_steps) & (progress.episode < settings.num_episodes):
            transition, after, ended = self._act_once(progress, settings, uniform[number])
            rows, loss, learns = progress.rows, tf.constant(0.0), tf.constant(False)  # noqa: FBT003 - a value
            if self.num_draws:
                rows = tf.tensor_scatter_nd_update(rows, [[progress.step % settings.buffer_size]], transition[None])
                learns = ~ended & (filled[number] >= self.num_draws)
                loss = self._learn_if(learns, rows, places[number])
            length = progress.length + 1
            over = ended | (length == settings.max_len_episode)
            flags = tf.cast(tf.stack([learns, over]), tf.float32)
            records = records.write(number, tf.concat([transition, loss[None], flags], axis=0))
            progress = Progress(
                rows,
                progress.step + 1,
                progress.episode + tf.cast(over, tf.int32),
                tf.where(over, 0, length),
                after,
            )
            number += 1
        return progress, records.stack()

    def _act_once(
        self, progress: Progress, settings: Settings, uniform: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Take a step of the environment.

        An episode at the environment's step limit has not failed: its last state has a future.

        Args:
            progress: State before the step.
            settings: Arguments of the training.
            uniform: Draws for an initial state, for whether to explore, and for the random action, [STATE_SIZE + 2].

        Returns:
            The transition, [ROW]; the state after it, [4]; whether the environment ended the episode.

        """
        state = tf.where(progress.length == 0, to_initial_states(uniform[:STATE_SIZE]), progress.state)
        epsilon = exploration_rate(
            tf.cast(progress.episode, tf.float32),
            num_exploration_episodes=settings.num_exploration_episodes,
            initial_epsilon=settings.initial_epsilon,
            final_epsilon=settings.final_epsilon,
            largest=tf.maximum,
        )
        action = choose(self._greedy(state[None]), epsilon, uniform[STATE_SIZE:], NUM_ACTIONS)
        after = euler_step(state, action)
        failed = has_fallen(after)
        reward = tf.where(failed, FAILURE_REWARD, 1.0)
        others = tf.stack([tf.cast(action, tf.float32), reward, tf.cast(failed, tf.float32)])
        ended = failed | (progress.length + 1 == MAX_EPISODE_STEPS)
        return tf.concat([state, after, others], axis=0), after, ended

    def _learn_if(self, learns: tf.Tensor, rows: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        """Take one step of the optimizer with the rows at some places, or none; return the previous loss, or 0."""
        return tf.cond(
            learns, lambda: self.trainer.step(*self.batch(tf.gather(rows, places))), lambda: tf.constant(0.0)
        )


get_player = cache(Player)


class Steps(NamedTuple):
    """What happened in a training or in play, step by step.

    Attributes:
        rows: Transitions, [steps, ROW].
        losses: Loss of each learning step, [learning steps].
        lengths: Number of steps of each episode, int32 [num_episodes].

    """

    rows: Array
    losses: Array
    lengths: Array


def run(
    player: Player,
    *,
    num_episodes: int,
    num_exploration_episodes: int,
    initial_epsilon: float,
    final_epsilon: float,
    max_len_episode: int,
    buffer_size: int,
    seed: int,
) -> Steps:
    """Let a player play and learn, and sort what it returns."""
    settings = Settings(
        num_episodes=tf.constant(num_episodes),
        num_exploration_episodes=tf.constant(num_exploration_episodes, tf.float32),
        initial_epsilon=tf.constant(initial_epsilon, tf.float32),
        final_epsilon=tf.constant(final_epsilon, tf.float32),
        max_len_episode=tf.constant(max_len_episode),
        buffer_size=tf.constant(buffer_size),
        seed=to_seed(seed),
    )
    capacity = max(MIN_CAPACITY, 1 << (buffer_size - 1).bit_length())
    records = player.run(settings, capacity).numpy()
    losses, learns, over = records[:, ROW:].T
    lengths = np.diff(np.flatnonzero(over), prepend=-1).astype(np.int32)
    return Steps(records[:, :ROW], losses[learns == 1], lengths)


def play(parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Steps:
    """Play whole episodes without learning."""
    player = get_player(0)
    player.load(parameters)
    return run(
        player,
        num_episodes=num_episodes,
        num_exploration_episodes=1,
        initial_epsilon=epsilon,
        final_epsilon=epsilon,
        max_len_episode=MAX_EPISODE_STEPS,
        buffer_size=1,
        seed=seed,
    )


class Agent(agent.Agent):
    """See `assay.contract.Agent`."""

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose the actions of all states in one call."""
        learner = load_learner(model, parameters)
        uniform = to_uniform(draw_bits(len(states), 2, to_seed(seed), STEPS))
        return choose(learner.act_in_each(states), epsilon, uniform, learner.trainer.variables[-1].shape[0]).numpy()

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch from a buffer with the transitions.

        Raises:
            ValueError: The buffer has fewer transitions than a batch.

        """
        rows, state_shape = pack(Transitions(*transitions)), np.shape(transitions[0])[1:]
        if len(rows) < batch_size:
            msg = f"expected at least {batch_size} transitions for a batch of {batch_size}, got {len(rows)}"
            raise ValueError(msg)
        places = draw_places(draw_bits(1, batch_size, to_seed(seed), SAMPLES), tf.constant([len(rows)]))
        return to_contract(rows[places[0]], state_shape)

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training."""
        return to_contract(play(parameters, epsilon, num_episodes, seed).rows, STATE_SHAPE)

    def fit(self, *, batch_size: int, learning_rate: float, gamma: float, seed: int, **options: Any) -> Learnt:
        """Run the whole training in one call."""
        player = get_player(batch_size)
        player.load(Models().initial_parameters("q_network", seed), learning_rate=learning_rate, gamma=gamma)
        steps = run(player, seed=seed, **options)
        return Learnt(steps.lengths - 1, steps.losses, player.trainer.parameters())

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Count the steps, each with a reward of 1."""
        return play(parameters, 0.0, num_episodes, seed).lengths.astype(np.float32)
