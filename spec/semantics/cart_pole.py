"""The cart-pole system (line 660): its dynamics, and when an episode ends.

Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983,
without friction; Florian, "Correct equations for the dynamics of the cart-pole system", 2007, equations 23 and 24.
A state is position [m], velocity [m/s], angle [rad], which is positive to the right, and angular velocity [rad/s].
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from assay.spec.semantics.layers import Array

GRAVITY = 9.8
CART_MASS = 1.0
POLE_MASS = 0.1
HALF_LENGTH = 0.5
FORCE = 10.0
# Time between two states [s].
TIME_STEP = 0.02

# An episode fails beyond these limits. Observation bounds are twice as wide: the state after failure is returned too.
FARTHEST_POSITION = 2.4
FARTHEST_ANGLE = math.radians(12)
# The time limit of `CartPole-v1`.
MAX_EPISODE_STEPS = 500
# Each number of the initial state is uniform between -INITIAL and INITIAL.
INITIAL = 0.05

LEFT, RIGHT = 0, 1


class State(NamedTuple):
    """The four parts of a state, of any numeric type."""

    position: Any
    velocity: Any
    angle: Any
    angular_velocity: Any


def accelerations(force: Any, sine: Any, cosine: Any, angular_velocity: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return the accelerations of the cart and the angle, given the sine and cosine of the angle."""
    mass = CART_MASS + POLE_MASS
    pushed = (force + POLE_MASS * HALF_LENGTH * angular_velocity * angular_velocity * sine) / mass
    inertia = HALF_LENGTH * (4 / 3 - POLE_MASS * cosine * cosine / mass)
    angular = (GRAVITY * sine - cosine * pushed) / inertia
    return pushed - POLE_MASS * HALF_LENGTH * angular * cosine / mass, angular


def euler_step(state: State, force: Any, sine: Any, cosine: Any) -> State:  # noqa: ANN401
    """Take one step of the explicit Euler method: positions change by the velocities before the step."""
    position, velocity, angle, angular_velocity = state
    linear, angular = accelerations(force, sine, cosine, angular_velocity)
    return State(
        position + TIME_STEP * velocity,
        velocity + TIME_STEP * linear,
        angle + TIME_STEP * angular_velocity,
        angular_velocity + TIME_STEP * angular,
    )


def parts(states: Array) -> State:
    """Split states [n, 4] into their parts."""
    return State(*states.T)


def forces(actions: Array) -> Array:
    """Return the force of every action: a push to the left or to the right (line 666)."""
    return np.where(actions == RIGHT, FORCE, -FORCE)


def step(states: Array, actions: Array) -> Array:
    """Return the next state for each state [n, 4] and action [n]."""
    state = parts(states)
    after = euler_step(state, forces(actions), np.sin(state.angle), np.cos(state.angle))
    return np.stack(after, axis=-1)


def margin(states: Array) -> Array:
    """Return the distance of each state [n, 4] from failure, as a fraction of the bound; negative after failure."""
    state = parts(states)
    return 1 - np.maximum(np.abs(state.position) / FARTHEST_POSITION, np.abs(state.angle) / FARTHEST_ANGLE)


def shortest_length() -> int:
    """Return the smallest number of steps of an episode: constant pushes to one side, from extreme initial states."""
    corners = INITIAL * np.array([*product((-1, 1), repeat=len(State._fields))])
    states, actions = np.tile(corners, (2, 1)), np.repeat([LEFT, RIGHT], len(corners))
    length = 0
    while (margin(states) >= 0).all():
        states = step(states, actions)
        length += 1
    return length


def random_lengths(count: int, seed: int) -> Array:
    """Play `count` episodes with uniformly random actions, and return the number of steps of each."""
    generator = np.random.default_rng(seed)
    states = generator.uniform(-INITIAL, INITIAL, (count, len(State._fields)))
    lengths = np.zeros(count, int)
    playing = np.arange(count)
    for _ in range(MAX_EPISODE_STEPS):
        states = step(states, generator.integers(0, 2, len(states)))
        lengths[playing] += 1
        standing = margin(states) >= 0
        states, playing = states[standing], playing[standing]
    return lengths
