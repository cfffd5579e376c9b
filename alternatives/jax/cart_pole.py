"""CartPole-v1 as pure functions, so that whole episodes can be compiled: all state is passed explicitly.

Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983,
without friction. A state is position [m], velocity [m/s], angle [rad] and angular velocity [rad/s].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

GRAVITY = 9.8
CART_MASS, POLE_MASS = 1.0, 0.1
HALF_LENGTH = 0.5
FORCE = 10.0
TIME_STEP = 0.02
# Beyond these the pole counts as fallen.
FARTHEST_POSITION, FARTHEST_ANGLE = 2.4, math.radians(12)
INITIAL = 0.05
MAX_EPISODE_STEPS = 500
NUM_ACTIONS = 2

# Of a frame: its size, the pixels per metre, the row of the track, and lengths in pixels.
HEIGHT, WIDTH = 400, 600
METRE = WIDTH / (2 * FARTHEST_POSITION)
TRACK = 300
CART = (25, 15)
POLE, THICKNESS = 2 * HALF_LENGTH * METRE, 5
WHITE, BLACK, BROWN = (255, 255, 255), (0, 0, 0), (202, 152, 101)


class Episode(NamedTuple):
    """A course of `MAX_EPISODE_STEPS` steps, of which the episode is the part up to its end.

    Attributes:
        states: Initial state, and the state after each step.
        actions: Actions of every step.
        fallen: Whether the pole has fallen, after each step.

    """

    states: jax.Array
    actions: jax.Array
    fallen: jax.Array


def reset(keys: jax.Array) -> jax.Array:
    """Draw an initial state."""
    return jax.random.uniform(keys, (4,), minval=-INITIAL, maxval=INITIAL)


def euler_step(state: jax.Array, action: jax.Array) -> jax.Array:
    """Return the next state for an action: Euler's explicit method."""
    _, velocity, angle, turning = state
    sine, cosine, mass = jnp.sin(angle), jnp.cos(angle), CART_MASS + POLE_MASS
    force = jnp.where(action == 1, FORCE, -FORCE)
    pushed = (force + POLE_MASS * HALF_LENGTH * turning**2 * sine) / mass
    angular = (GRAVITY * sine - cosine * pushed) / (HALF_LENGTH * (4 / 3 - POLE_MASS * cosine**2 / mass))
    linear = pushed - POLE_MASS * HALF_LENGTH * angular * cosine / mass
    return state + TIME_STEP * jnp.stack([velocity, linear, turning, angular])


def has_fallen(state: jax.Array) -> jax.Array:
    """Whether a state is a failure."""
    return (jnp.abs(state[0]) > FARTHEST_POSITION) | (jnp.abs(state[2]) > FARTHEST_ANGLE)


def episode(choose: Callable[[jax.Array, jax.Array], jax.Array], key: jax.Array) -> Episode:
    """Play up to the step limit; `choose` takes the number of the step, and the state."""

    def step(state: jax.Array, number: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        action = choose(number, state)
        after = euler_step(state, action)
        return after, (after, action, has_fallen(after))

    initial = reset(key)
    _, (after, *others) = lax.scan(step, initial, jnp.arange(MAX_EPISODE_STEPS))
    return Episode(jnp.concatenate([initial[None], after]), *others)


def length(episode: Episode) -> int:
    """Count the steps up to the first in which the pole falls, or to the limit."""
    return int(episode.fallen.argmax()) + 1 if episode.fallen.any() else MAX_EPISODE_STEPS


def picture(state: jax.Array) -> jax.Array:
    """Draw a state: uint8 [height, width, 3]."""
    position, _, angle, _ = state
    rows, columns = jnp.mgrid[:HEIGHT, :WIDTH]
    right, up = columns - (WIDTH / 2 + position * METRE), TRACK - rows
    # Distance of a pixel from the foot of the pole, along it and across.
    along = right * jnp.sin(angle) + up * jnp.cos(angle)
    across = right * jnp.cos(angle) - up * jnp.sin(angle)
    image = jnp.full((HEIGHT, WIDTH, 3), jnp.array(WHITE, jnp.uint8))
    for inside, colour in (
        (rows == TRACK, BLACK),
        ((jnp.abs(right) <= CART[0]) & (jnp.abs(up) <= CART[1]), BLACK),
        ((jnp.abs(across) <= THICKNESS) & (along >= 0) & (along <= POLE), BROWN),
    ):
        image = jnp.where(inside[..., None], jnp.array(colour, jnp.uint8), image)
    return image
