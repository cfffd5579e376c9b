"""Sound environments that compute otherwise, or draw in another order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import CartPole, Episode
from doubles.sound_variants.generators import counted, hashed, python, uniform24

Variant = Callable[..., Any]
f32 = np.float32


def euler(state, action):
    """Step as Gym does, with Python's floats."""
    position, velocity, angle, turning = map(float, state)
    force = 10.0 if action == 1 else -10.0
    cosine, sine = math.cos(angle), math.sin(angle)
    pushed = (force + 0.05 * turning**2 * sine) / 1.1
    angular = (9.8 * sine - cosine * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cosine**2 / 1.1))
    linear = pushed - 0.05 * angular * cosine / 1.1
    return position + 0.02 * velocity, velocity + 0.02 * linear, angle + 0.02 * turning, turning + 0.02 * angular


def fell(state):
    """Whether a state ends an episode, as Gym writes it."""
    bound = 12 * 2 * math.pi / 360
    return bool(state[0] < -2.4 or state[0] > 2.4 or state[2] < -bound or state[2] > bound)


class Game:
    """CartPole with a state in Python's floats, or in float32 if that is rounded after each step."""

    def __init__(self, draw, kind=float):
        """Store a function from a count to numbers in [0, 1)."""
        self.draw, self.kind = draw, kind

    def reset(self):
        """Begin an episode."""
        self.state, self.steps = [-0.05 + 0.1 * float(number) for number in self.draw(4)], 0
        return np.array(self.state, f32)

    def step(self, action):
        """Take an action."""
        self.state = [float(self.kind(number)) for number in euler(self.state, action)]
        self.steps += 1
        return np.array(self.state, f32), 1.0, fell(self.state), self.steps >= 500


def game_of(seed, kind):
    """Return the environment of a seed."""
    return Game(hashed(seed, "episode").random, kind)


def cart_pole_of_gym(right):
    """Bound the speeds by the largest float32, as Gym does."""
    largest = np.finfo(f32).max
    highest = np.array([4.8, largest, 2 * 12 * 2 * math.pi / 360, largest], f32)
    return CartPole(-highest, highest, 2, 500)


def initial_states_24(right, count, seed):
    """Draw float32 numbers of 24 bits."""
    return (uniform24(counted(seed, (count, 4))) - f32(0.5)) * f32(0.1)


def initial_states_by_episode(right, count, seed):
    """Draw every state by a generator of its own."""
    return np.array([hashed(seed, number).uniform(-0.05, 0.05, 4) for number in range(count)], f32)


def steps_looped(right, states, actions):
    """Step with Python's floats, state by state."""
    after = [euler(state, action) for state, action in zip(states, actions.tolist(), strict=True)]
    return np.array(after, f32), np.full(len(after), 1, f32), np.array([*map(fell, after)], bool)


def steps_float32(right, states, actions):
    """Compute in float32, as environments on GPUs do."""
    x, v, angle, turning = states.T
    force = np.where(actions == 1, f32(10), f32(-10))
    sine, cosine = np.sin(angle), np.cos(angle)
    pushed = (force + f32(0.05) * turning * turning * sine) * f32(1 / 1.1)
    angular = (f32(9.8) * sine - cosine * pushed) / (f32(2 / 3) - f32(0.05 / 1.1) * cosine * cosine)
    linear = pushed - f32(0.05 / 1.1) * angular * cosine
    tau = f32(0.02)
    after = np.stack([x + tau * v, v + tau * linear, angle + tau * turning, turning + tau * angular], axis=1)
    over = (np.abs(after[:, 0]) > f32(2.4)) | (np.abs(after[:, 2]) > f32(math.radians(12)))
    return after, np.ones(len(after), f32), over


def recorded(game, choose):
    """Play an episode, and fill arrays of the longest episode."""
    states, rewards = np.empty((501, 4), f32), np.empty(500, f32)
    terminated, truncated, count = np.zeros(500, bool), np.zeros(500, bool), 0
    states[0] = game.reset()
    while (action := choose(states[count])) is not None:
        states[count + 1], rewards[count], terminated[count], truncated[count] = game.step(action)
        count += 1
        if terminated[count - 1] or truncated[count - 1]:
            break
    return Episode(states[: count + 1], rewards[:count], terminated[:count], truncated[:count])


def playing(kind):
    """Return the variant of `play` that keeps a state of this kind."""

    def variant(right, actions, seed):
        remaining = iter(actions.tolist())
        return recorded(game_of(seed, kind), lambda _: next(remaining, None))

    return variant


def running(kind):
    """Return the variant of `run_linear_policy` that keeps a state of this kind."""

    def variant(right, weights, seed):

        def choose(state):
            return int(math.fsum(float(w) * float(s) for w, s in zip(weights, state, strict=True)) > 0)

        return recorded(game_of(seed, kind), choose)

    return variant


def sample_actions_bits(right, count, seed):
    """Take single bits."""
    return (counted(seed, count) >> np.uint64(63)).astype(np.int32)


def sample_actions_choice(right, count, seed):
    """Choose one by one with Python's generator."""
    generator = python(f"actions {seed}")
    return np.array([generator.choice((0, 1)) for _ in range(count)], np.int32)


def frames_of(states):
    """Draw a thick pole on a flat cart, in other colours."""
    pictures = []
    across, up = np.meshgrid((np.arange(600) - 299.5) / 125, (320 - np.arange(400)) / 250)
    for position, _, angle, _ in states:
        image = np.full((400, 600, 3), (240, 240, 255), np.uint8)
        right_of = across - position
        image[(np.abs(right_of) < 0.3) & (np.abs(up) < 0.05)] = (90, 0, 0)
        along = right_of * math.sin(angle) + up * math.cos(angle)
        off = right_of * math.cos(angle) - up * math.sin(angle)
        image[(np.abs(off) < 0.06) & (along > 0) & (along < 1)] = (30, 90, 200)
        pictures.append(image)
    return np.array(pictures)


def environment_of(kind):
    """Return all functions that draw a first state or show one, for a state of this kind."""

    def initial_states(right, count, seed):
        game = game_of(seed, kind)
        return np.array([game.reset() for _ in range(count)])

    def frames(right, actions, seed):
        return frames_of(playing(kind)(None, actions, seed).states)

    return {
        "environments.initial_states": initial_states,
        "environments.play": playing(kind),
        "environments.run_linear_policy": running(kind),
        "environments.frames": frames,
    }


VARIANTS: dict[str, dict[str, Variant]] = {
    "cart_pole/bounds of Gym": {"environments.cart_pole": cart_pole_of_gym},
    "initial_states/24 bits": {"environments.initial_states": initial_states_24},
    "initial_states/seed by episode": {"environments.initial_states": initial_states_by_episode},
    "steps/Python floats": {"environments.steps": steps_looped},
    "steps/float32": {"environments.steps": steps_float32},
    "environments/Python floats": environment_of(float),
    "environments/float32": environment_of(f32),
    "sample_actions/bits": {"environments.sample_actions": sample_actions_bits},
    "sample_actions/choice": {"environments.sample_actions": sample_actions_choice},
}
