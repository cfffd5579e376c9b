"""CartPole-v1 made of operations of TensorFlow, so that whole episodes can be compiled.

Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983,
without friction. A state is position [m], velocity [m/s], angle [rad] and angular velocity [rad/s]. The game Breakout
and the pictures of CartPole are the reference's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from assay.contract import CartPole, Episode
from assay.reference import environments
from assay.reference.environments import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.contract import Array

GRAVITY = 9.8
CART_MASS, POLE_MASS = 1.0, 0.1
HALF_LENGTH = 0.5
FORCE = 10.0
TIME_STEP = 0.02
# Beyond these the pole counts as fallen.
FARTHEST_POSITION, FARTHEST_ANGLE = 2.4, math.radians(12)
INITIAL = 0.05
MAX_EPISODE_STEPS = 500
STATE_SIZE, NUM_ACTIONS = 4, 2

# TensorFlow's number of the generator Philox (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011),
# and how many numbers each value of its counter gives.
PHILOX, BLOCK = 1, 4
# Independent sequences of draws: numbers of states and decisions, and samples of actions or transitions.
STEPS, SAMPLES = 0, 1


def draw_bits(rows: int, columns: int, seed: tf.Tensor, stream: int, first: Any = 0) -> tf.Tensor:
    """Draw random bits, uint32 [rows, columns].

    A row depends only on the seed, the stream, its number and the number of columns, whatever rows are drawn with it.

    Args:
        rows: Number of rows.
        columns: Number of columns.
        seed: Seed, int64.
        stream: Number of the sequence of draws.
        first: Number of the first row.

    """
    blocks = -(-columns // BLOCK)
    bits = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[rows, BLOCK * blocks],
        key=tf.cast(seed, tf.uint64)[None],
        counter=tf.cast(tf.stack([tf.cast(first, tf.int64) * blocks, stream]), tf.uint64),
        alg=PHILOX,
        dtype=tf.uint32,
    )
    return bits[:, :columns]


def to_uniform(bits: tf.Tensor) -> tf.Tensor:
    """Convert random bits to float32 in [0, 1), multiples of 2^-24."""
    return tf.cast(tf.bitwise.right_shift(bits, 8), tf.float32) * 2**-24


def to_initial_states(uniform: tf.Tensor) -> tf.Tensor:
    """Convert uniform draws to initial states, [..., 4]."""
    return INITIAL * (2 * uniform - 1)


def euler_step(states: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Take one step of Euler's explicit method: states [..., 4] and actions [...] to the next states."""
    _, velocity, angle, turning = tf.unstack(states, axis=-1)
    sine, cosine, mass = tf.sin(angle), tf.cos(angle), CART_MASS + POLE_MASS
    force = tf.where(actions == 1, FORCE, -FORCE)
    pushed = (force + POLE_MASS * HALF_LENGTH * tf.square(turning) * sine) / mass
    angular = (GRAVITY * sine - cosine * pushed) / (HALF_LENGTH * (4 / 3 - POLE_MASS * tf.square(cosine) / mass))
    linear = pushed - POLE_MASS * HALF_LENGTH * angular * cosine / mass
    return states + TIME_STEP * tf.stack([velocity, linear, turning, angular], axis=-1)


def has_fallen(states: tf.Tensor) -> tf.Tensor:
    """Return whether states are failures: bool [...]."""
    return (tf.abs(states[..., 0]) > FARTHEST_POSITION) | (tf.abs(states[..., 2]) > FARTHEST_ANGLE)


def record_episode(
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], limit: Any, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Play until the pole falls or a number of steps is reached, inside a function that is being compiled.

    Args:
        choose: Function from the number of a step and the state before it to an action.
        limit: Largest number of steps.
        seed: Seed of the initial state.

    Returns:
        The states, [MAX_EPISODE_STEPS + 1, 4], of which those after the last step are 0; the number of steps; whether
        the pole fell in the last one.

    """
    state = to_initial_states(to_uniform(draw_bits(1, STATE_SIZE, seed, STEPS)[0]))
    states = tf.TensorArray(tf.float32, MAX_EPISODE_STEPS + 1, element_shape=[STATE_SIZE]).write(0, state)
    number, fallen = tf.constant(0), tf.constant(False)  # noqa: FBT003 - a value, not an option
    # Not `and`, which would compile to a branch.
    while (number < limit) & ~fallen:
        state = euler_step(state, choose(number, state))
        fallen = has_fallen(state)
        number += 1
        states = states.write(number, state)
    return states.stack(), number, fallen


@tf.function(input_signature=[tf.TensorSpec([None, STATE_SIZE]), tf.TensorSpec([None], tf.int32)])
def _steps(states: tf.Tensor, actions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    after = euler_step(states, actions)
    return after, has_fallen(after)


@tf.function(jit_compile=True)
def _play(actions: tf.Tensor, limit: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return record_episode(lambda number, _: actions[number], limit, seed)


@tf.function(jit_compile=True)
def _run_linear_policy(weights: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return record_episode(
        lambda _, state: tf.cast(tf.reduce_sum(weights * state) > 0, tf.int32), MAX_EPISODE_STEPS, seed
    )


def to_seed(seed: int) -> tf.Tensor:
    """Convert a seed."""
    return tf.constant(seed, tf.int64)


def _to_episode(states: tf.Tensor, number: tf.Tensor, fallen: tf.Tensor) -> Episode:
    """Cut off what lies behind the end of an episode."""
    count = int(number)
    steps = np.arange(1, count + 1)
    terminated = (steps == count) & fallen.numpy()
    return Episode(states.numpy()[: count + 1], np.ones(count, np.float32), terminated, steps == MAX_EPISODE_STEPS)


class Environments(environments.Environments):
    """See `assay.contract.Environments`."""

    def cart_pole(self) -> CartPole:
        """Return bounds of twice those of a failure, since an episode's last state lies beyond these."""
        highest = np.array([2 * FARTHEST_POSITION, np.inf, 2 * FARTHEST_ANGLE, np.inf], np.float32)
        return CartPole(-highest, highest, NUM_ACTIONS, MAX_EPISODE_STEPS)

    def initial_states(self, count: int, seed: int) -> Array:
        """Draw all states at once; the first is that of an episode with the seed."""
        return to_initial_states(to_uniform(draw_bits(count, STATE_SIZE, to_seed(seed), STEPS))).numpy()

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Step all states at once."""
        after, fallen = _steps(tf.constant(states), tf.constant(actions))
        return after.numpy(), np.ones(len(actions), np.float32), fallen.numpy()

    def play(self, actions: Array, seed: int) -> Episode:
        """Play a padded sequence of actions, so that only one length is compiled."""
        padded = np.zeros(MAX_EPISODE_STEPS, np.int32)
        count = min(len(actions), MAX_EPISODE_STEPS)
        padded[:count] = actions[:count]
        return _to_episode(*_play(tf.constant(padded), tf.constant(count), to_seed(seed)))

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Play the whole episode in one call."""
        return _to_episode(*_run_linear_policy(tf.constant(weights, tf.float32), to_seed(seed)))

    def frames(self, actions: Array, seed: int) -> Array:
        """Let the reference's environment draw every state."""
        environment = make(render_mode="rgb_array").wrapped
        environment.reset()
        drawn = []
        for state in self.play(actions, seed).states:
            environment.unwrapped.state = state
            drawn.append(environment.render())
        environment.close()
        return np.stack(drawn)

    def sample_actions(self, count: int, seed: int) -> Array:
        """Draw all actions at once."""
        bits = draw_bits(1, count, to_seed(seed), SAMPLES)[0]
        return tf.cast(bits % NUM_ACTIONS, tf.int32).numpy()
