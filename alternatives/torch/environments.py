"""The environments of Gymnasium."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

# Pygame, which draws the frames, needs no screen, and would print a greeting on standard output.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import gymnasium
import numpy as np
from gymnasium.wrappers import RenderCollection

from assay.contract import CartPole, Episode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.contract import Array


def make(**options: Any) -> Any:
    """Create CartPole. Gymnasium's types lack its state, bounds and limit."""
    return gymnasium.make("CartPole-v1", **options)


def make_seeded(seed: int) -> Any:
    """Create CartPole, with all draws from a seed."""
    environment = make()
    environment.reset(seed=seed)
    environment.action_space.seed(seed)
    return environment


class Environments:
    """See `assay.contract.Environments`."""

    def cart_pole(self) -> CartPole:
        """Read the spaces and the registered step limit."""
        environment = make()
        states = environment.observation_space
        return CartPole(states.low, states.high, int(environment.action_space.n), environment.spec.max_episode_steps)

    def initial_states(self, count: int, seed: int) -> Array:
        """Seed only the first reset."""
        environment = make()
        return np.stack([environment.reset(seed=None if number else seed)[0] for number in range(count)])

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Set the environment to each state, and take a step."""
        environment, taken = make(), []
        for state, action in zip(states, actions, strict=True):
            environment.reset()
            environment.unwrapped.state = state.astype(np.float64)
            taken.append(environment.step(int(action)))
        next_states, rewards, terminated, *_ = zip(*taken, strict=True)
        return np.stack(next_states), np.array(rewards, np.float32), np.array(terminated)

    def play(self, actions: Array, seed: int) -> Episode:
        """Take one step after the other."""
        return play(make(), follow(actions), seed)

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Compute each action from the state before the step."""
        return play(make(), lambda state: int(weights @ state > 0), seed)

    def frames(self, actions: Array, seed: int) -> Array:
        """Render every state."""
        environment = RenderCollection(make(render_mode="rgb_array"), pop_frames=False)
        play(environment, follow(actions), seed)
        return np.stack(environment.render())

    def sample_actions(self, count: int, seed: int) -> Array:
        """Draw from the action space."""
        environment = make_seeded(seed)
        return np.array([environment.action_space.sample() for _ in range(count)], np.int32)

    def has_breakout(self) -> bool:
        """Look for `ale-py`."""
        return find_spec("ale_py") is not None

    def breakout_actions(self) -> Sequence[str]:
        """Return the game's action names."""
        return breakout().unwrapped.get_action_meanings()

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Take one step after the other."""
        return play(breakout(), follow(actions), seed)


def breakout() -> Any:
    """Create the game."""
    import ale_py

    gymnasium.register_envs(ale_py)
    return gymnasium.make("ALE/Breakout-v5")


def follow(actions: Array) -> Callable[[Array], int | None]:
    """Return a policy that takes these actions in turn, whatever the state, and then returns None."""
    remaining = iter(actions.tolist())
    return lambda _: next(remaining, None)


def play(environment: gymnasium.Env, choose: Callable[[Array], int | None], seed: int) -> Episode:
    """Play until the actions or the episode end."""
    initial, _ = environment.reset(seed=seed)
    return Episode.record(initial, lambda action: environment.step(action)[:4], choose)
