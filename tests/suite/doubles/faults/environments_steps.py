"""Faults of the steps of the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array
from assay.spec.semantics import cart_pole
from doubles.faulty import Fault
from doubles.kept_results import keeping_results
from doubles.memory_order import reading, without_strides


def with_constants(**changes):
    """Return steps by the definition with other constants."""

    def wrong(_steps, states, actions):
        kept = {name: getattr(cart_pole, name) for name in changes}
        try:
            for name, value in changes.items():
                setattr(cart_pole, name, value)
            after = cart_pole.step(states.astype(float), actions)
        finally:
            for name, value in kept.items():
                setattr(cart_pole, name, value)
        return after.astype(np.float32), np.ones(len(after), np.float32), cart_pole.margin(after) < 0

    return wrong


def in_float16(steps, states, actions):
    """Show states with the resolution of float16."""
    after, *others = steps(states, actions)
    return (after.astype(np.float16).astype(np.float32), *others)


def semi_implicit(steps, states, actions):
    """Move positions by the velocities after the step."""
    after, rewards, terminated = steps(states, actions)
    after = after.copy()
    after[:, [0, 2]] += np.float32(0.02) * (after[:, [1, 3]] - states[:, [1, 3]])
    return after, rewards, terminated


def no_reward_at_the_end(steps, states, actions):
    """Reward only a pole that stands."""
    after, rewards, terminated = steps(states, actions)
    return after, np.where(terminated, 0, rewards).astype(np.float32), terminated


def ended_by(margin):
    """Return steps whose end is decided in another way."""

    def wrong(steps, states, actions):
        after, rewards, _ = steps(states, actions)
        return after, rewards, margin(np.abs(after[:, 0]), np.abs(after[:, 2]), states)

    return wrong


def rounded_bound(steps: Callable[..., Any], states: Array, actions: Array) -> Any:
    """End an episode at an angle of 0.2094, which is 12 degrees with four digits."""
    after, rewards, _ = steps(states, actions)
    return after, rewards, (np.abs(after[:, 0]) > 2.4) | (np.abs(after[:, 2]) > 0.2094)


def velocities_limited(steps, states, actions):
    """Keep velocities between -10 and 10."""
    limits = np.array([np.inf, 10, np.inf, 10], np.float32)
    return steps(np.clip(states, -limits, limits), actions)


def last_block_missing(steps, states, actions):
    """Leave what is beyond whole blocks of 1,024 where it was."""
    after, rewards, terminated = steps(states, actions)
    whole = len(states) // 1024 * 1024
    if whole:
        after = np.concatenate([after[:whole], states[whole:]])
    return after, rewards, terminated


FAULTS = {
    "gravity_of_9_81": Fault(
        "environments.steps", "cartpole.dynamics", "the states after a step", with_constants(GRAVITY=9.81)
    ),
    "cart_of_1_1_kg": Fault(
        "environments.steps", "cartpole.dynamics", "the states after a step", with_constants(CART_MASS=1.1)
    ),
    "pole_of_no_mass": Fault(
        "environments.steps", "cartpole.dynamics", "the states after a step", with_constants(POLE_MASS=0.0)
    ),
    "pole_of_double_length": Fault(
        "environments.steps", "cartpole.dynamics", "the states after a step", with_constants(HALF_LENGTH=1.0)
    ),
    "force_of_9": Fault(
        "environments.steps", "cartpole.dynamics", "the states after a step", with_constants(FORCE=9.0)
    ),
    "time_step_of_1_50_0001": Fault(
        "environments.steps", "cartpole.dynamics", "the states after a step", with_constants(TIME_STEP=0.0200001)
    ),
    "steps_in_float16": Fault("environments.steps", "cartpole.dynamics", "the states after a step", in_float16),
    "environments_steps_kept_whatever_actions": Fault(
        "environments.steps",
        "cartpole.dynamics",
        "steps returns the same as before for another",
        keeping_results("environments.steps", "actions"),
    ),
    "semi_implicit": Fault(
        "environments.steps", "cartpole.push-left-first-step", "after one step from rest", semi_implicit
    ),
    "no_reward_at_the_end": Fault("environments.steps", "cartpole.last-reward", "a reward of 0", no_reward_at_the_end),
    "angle_of_15_degrees": Fault(
        "environments.steps",
        "cartpole.angle-ends",
        "close to 12 degrees",
        ended_by(lambda x, a, _: (x > 2.4) | (a > np.radians(15))),
    ),
    "angle_of_12_rounded": Fault(
        "environments.steps",
        "cartpole.angle-ends",
        "close to 12 degrees",
        ended_by(lambda x, a, _: (x > 2.4) | (a > 0.2)),
    ),
    "both_at_once": Fault(
        "environments.steps",
        "cartpole.angle-ends",
        "close to 12 degrees",
        ended_by(lambda x, a, _: (x > 2.4) & (a > np.radians(12))),
    ),
    "twelve_degrees_with_four_digits": Fault(
        "environments.steps", "cartpole.angle-ends", "close to 12 degrees", rounded_bound
    ),
    "track_of_2_5": Fault(
        "environments.steps",
        "cartpole.position-ends",
        "close to 2.4",
        ended_by(lambda x, a, _: (x > 2.5) | (a > np.radians(12))),
    ),
    "track_in_the_angle_only": Fault(
        "environments.steps", "cartpole.position-ends", "close to 2.4", ended_by(lambda x, a, _: a > np.radians(12))
    ),
    "steps_without_strides": Fault(
        "environments.steps", "cartpole.memory-order", "sliced", reading(without_strides, 1)
    ),
    "velocities_limited": Fault(
        "environments.steps", "cartpole.dynamics-of-many", "the states after a step", velocities_limited
    ),
    "end_by_the_state_before": Fault(
        "environments.steps",
        "cartpole.dynamics-of-many",
        "whether each has failed",
        ended_by(lambda x, a, states: (np.abs(states[:, 0]) > 2.4) | (np.abs(states[:, 2]) > np.radians(12))),
    ),
    "steps_of_whole_blocks": Fault(
        "environments.steps", "cartpole.dynamics-of-many", "the states after a step", last_block_missing
    ),
}
