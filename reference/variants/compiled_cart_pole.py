"""CartPole-v1 made of operations of TensorFlow, so that whole episodes can be compiled.

Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983,
without friction. A state is position [m], velocity [m/s], angle [rad] and angular velocity [rad/s]. The game Breakout
and the pictures of CartPole are the reference's.
"""

from __future__ import annotations

import math
from functools import cache
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


def record_episode(choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], limit: Any, seed: tf.Tensor) -> tf.Tensor:
    """Play until the pole falls or a number of steps is reached, inside a function that is being compiled.

    Args:
        choose: Function from the number of a step and the state before it to an action.
        limit: Largest number of steps.
        seed: Seed of the initial state.

    Returns:
        [MAX_EPISODE_STEPS + 2, 5]: each state, and whether it is a failure. After the last state, all numbers are 0,
        but the last row begins with the number of steps.

    """
    state = to_initial_states(to_uniform(draw_bits(1, STATE_SIZE, seed, STEPS)[0]))
    rows = tf.TensorArray(tf.float32, MAX_EPISODE_STEPS + 2, element_shape=[STATE_SIZE + 1])
    rows = rows.write(0, tf.pad(state, [[0, 1]]))
    number, fallen = tf.constant(0), tf.constant(False)  # noqa: FBT003 - a value, not an option
    # Not `and`, which would compile to a branch.
    while (number < limit) & ~fallen:
        state = euler_step(state, choose(number, state))
        fallen = has_fallen(state)
        number += 1
        rows = rows.write(number, tf.concat([state, tf.cast(fallen, tf.float32)[None]], axis=0))
    return rows.write(MAX_EPISODE_STEPS + 1, tf.pad(tf.cast(number, tf.float32)[None], [[0, STATE_SIZE]])).stack()


@tf.function(input_signature=[tf.TensorSpec([None, STATE_SIZE]), tf.TensorSpec([None], tf.int32)])
def _steps(states: tf.Tensor, actions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    after = euler_step(states, actions)
    return after, has_fallen(after)


def to_seed(seed: int) -> tf.Tensor:
    """Convert a seed."""
    return tf.constant(seed, tf.int64)


# A concrete function with one argument and one result: a further one, or the choice of a function by its arguments,
# takes as long as many steps. So does the check whether a gradient is recorded, which `inference_fn` leaves out.
def _compile(play: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Compile a function of numbers, int32 [size], and a seed, for what `_join` returns."""

    def separate(joined: tf.Tensor) -> tf.Tensor:
        return play(joined[:size], tf.bitcast(joined[size:], tf.int64))

    concrete = tf.function(separate, jit_compile=True).get_concrete_function(tf.TensorSpec([size + 2], tf.int32))
    return concrete.inference_fn


def _join(numbers: Array, seed: int) -> tf.Tensor:
    """Join 32-bit numbers and a seed as int32 [n + 2], without a change of their bits."""
    # Bytes are joined faster than arrays.
    return tf.constant(np.frombuffer(numbers.tobytes() + np.int64(seed).tobytes(), np.int32))


@cache
def _compile_play() -> Callable[[tf.Tensor], tf.Tensor]:
    """Compile an episode with given actions, of which the first number is their count."""
    return _compile(
        lambda numbers, seed: record_episode(lambda number, _: numbers[1 + number], numbers[0], seed),
        1 + MAX_EPISODE_STEPS,
    )


@cache
def _compile_linear_policy() -> Callable[[tf.Tensor], tf.Tensor]:
    """Compile an episode with the weights of a linear policy."""

    def play(numbers: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        weights = tf.bitcast(numbers, tf.float32)
        return record_episode(
            lambda _, state: tf.cast(tf.reduce_sum(weights * state) > 0, tf.int32), MAX_EPISODE_STEPS, seed
        )

    return _compile(play, STATE_SIZE)


def _to_episode(rows: tf.Tensor) -> Episode:
    """Convert the rows of `record_episode`."""
    found = rows.numpy()
    steps = int(found[-1, 0])
    truncated = np.zeros(steps, np.bool_)
    truncated[MAX_EPISODE_STEPS - 1 :] = True
    states, fallen = found[: steps + 1, :STATE_SIZE].copy(), found[1 : steps + 1, STATE_SIZE] > 0
    return Episode(states, np.ones(steps, np.float32), fallen, truncated)


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
        numbers = np.zeros(1 + MAX_EPISODE_STEPS, np.int32)
        numbers[0] = count = min(len(actions), MAX_EPISODE_STEPS)
        numbers[1 : 1 + count] = actions[:count]
        return _to_episode(_compile_play()(_join(numbers, seed)))

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Play the whole episode in one call."""
        return _to_episode(_compile_linear_policy()(_join(weights.astype(np.float32), seed)))

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
