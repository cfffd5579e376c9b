"""CartPole-v1: a pole on a cart, with its equations, environment and rendering.

Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983,
without friction. A state is position [m], velocity [m/s], angle [rad] and angular velocity [rad/s].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from assay.contract import Array

GRAVITY = 9.8
CART_MASS, POLE_MASS = 1.0, 0.1
HALF_LENGTH = 0.5
FORCE = 10.0
TIME_STEP = 0.02
# Beyond these position and angle the pole counts as fallen.
FARTHEST = np.array([2.4, math.radians(12)])
INITIAL = 0.05
MAX_EPISODE_STEPS = 500
NUM_ACTIONS = 2

# Of a frame: its size, the pixels per metre, the row of the track, and lengths in pixels.
HEIGHT, WIDTH = 400, 600
METRE = WIDTH / (2 * FARTHEST[0])
TRACK = 300
CART = (25, 15)
POLE, THICKNESS = 2 * HALF_LENGTH * METRE, 5
WHITE, BLACK, BROWN = (255, 255, 255), (0, 0, 0), (202, 152, 101)


def euler_step(states: Array, actions: Array | int) -> Array:
    """Return the next states for states [..., 4] and actions [...]: Euler's explicit method."""
    _, velocity, angle, turning = np.moveaxis(states, -1, 0)
    sine, cosine, mass = np.sin(angle), np.cos(angle), CART_MASS + POLE_MASS
    force = np.where(actions == 1, FORCE, -FORCE)
    pushed = (force + POLE_MASS * HALF_LENGTH * turning**2 * sine) / mass
    angular = (GRAVITY * sine - cosine * pushed) / (HALF_LENGTH * (4 / 3 - POLE_MASS * cosine**2 / mass))
    linear = pushed - POLE_MASS * HALF_LENGTH * angular * cosine / mass
    return states + TIME_STEP * np.stack([velocity, linear, turning, angular], axis=-1)


def has_fallen(states: Array) -> Array:
    """Whether each of states [..., 4] has failed."""
    return np.any(np.abs(states[..., ::2]) > FARTHEST, axis=-1)


class Step(NamedTuple):
    """Result of a step.

    Attributes:
        state: State after the step.
        reward: Reward of the step.
        terminated: Whether the pole has fallen.
        truncated: Whether the step limit ended the episode.

    """

    state: Array
    reward: float
    terminated: bool
    truncated: bool


class Environment:
    """The environment, which computes in float64 and returns float32."""

    def __init__(self, seed: int) -> None:
        """Seed the initial states and, separately, the sampled actions."""
        self._states, self._actions = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))

    def reset(self) -> Array:
        """Begin an episode, and return its first state."""
        self._state = self._states.uniform(-INITIAL, INITIAL, 4)
        self._steps = 0
        return self._state.astype(np.float32)

    def step(self, action: int) -> Step:
        """Take an action."""
        self._state = euler_step(self._state, action)
        self._steps += 1
        shown = self._state.astype(np.float32)
        return Step(shown, 1.0, bool(has_fallen(self._state)), self._steps == MAX_EPISODE_STEPS)

    def sample(self) -> int:
        """Draw an action."""
        return int(self._actions.integers(NUM_ACTIONS))


def picture(state: Array) -> Array:
    """Draw a state: uint8 [height, width, 3]."""
    position, _, angle, _ = state
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    right, up = columns - (WIDTH / 2 + position * METRE), TRACK - rows
    # Distance of a pixel from the foot of the pole, along it and across.
    along = right * math.sin(angle) + up * math.cos(angle)
    across = right * math.cos(angle) - up * math.sin(angle)
    image = np.full((HEIGHT, WIDTH, 3), WHITE, np.uint8)
    image[TRACK] = BLACK
    image[(np.abs(right) <= CART[0]) & (np.abs(up) <= CART[1])] = BLACK
    image[(np.abs(across) <= THICKNESS) & (along >= 0) & (along <= POLE)] = BROWN
    return image
