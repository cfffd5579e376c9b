"""The environments of Gymnasium."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

# What draws the frames needs no screen, and would greet on the standard output.
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
    """Make CartPole, whose state, bounds and limit Gymnasium's types do not know."""
    return gymnasium.make("CartPole-v1", **options)


def seeded(seed: int) -> Any:
    """Make CartPole, with all that it draws by a seed."""
    environment = make()
    environment.reset(seed=seed)
    environment.action_space.seed(seed)
    return environment


class Environments:
    """See `assay.contract.Environments`."""

    def cart_pole(self) -> CartPole:
        """Read the spaces and the registered limit."""
        environment = make()
        states = environment.observation_space
        return CartPole(states.low, states.high, int(environment.action_space.n), environment.spec.max_episode_steps)

    def initial_states(self, count: int, seed: int) -> Array:
        """Seed the first reset alone."""
        environment = make()
        return np.stack([environment.reset(seed=None if number else seed)[0] for number in range(count)])

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Put the environment into each state."""
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
        """Look at the state before every step."""
        return play(make(), lambda state: int(weights @ state > 0), seed)

    def frames(self, actions: Array, seed: int) -> Array:
        """Let the environment draw every state that it comes to."""
        environment = RenderCollection(make(render_mode="rgb_array"), pop_frames=False)
        play(environment, follow(actions), seed)
        return np.stack(environment.render())

    def sample_actions(self, count: int, seed: int) -> Array:
        """Draw from the action space."""
        environment = seeded(seed)
        return np.array([environment.action_space.sample() for _ in range(count)], np.int32)

    def has_breakout(self) -> bool:
        """Look for `ale-py`."""
        return find_spec("ale_py") is not None

    def breakout_actions(self) -> Sequence[str]:
        """Ask the game."""
        return breakout().unwrapped.get_action_meanings()

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Take one step after the other."""
        return play(breakout(), follow(actions), seed)


def breakout() -> Any:
    """Make the game."""
    import ale_py

    gymnasium.register_envs(ale_py)
    return gymnasium.make("ALE/Breakout-v5")


def follow(actions: Array) -> Callable[[Array], int | None]:
    """Return what takes these actions one after the other, whatever the state, and then None."""
    remaining = iter(actions.tolist())
    return lambda _: next(remaining, None)


def play(environment: gymnasium.Env, choose: Callable[[Array], int | None], seed: int) -> Episode:
    """Play until the actions or the episode end."""
    initial, _ = environment.reset(seed=seed)
    return Episode.record(initial, lambda action: environment.step(action)[:4], choose)
