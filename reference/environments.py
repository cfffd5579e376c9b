"""Environments of Gymnasium, or of its predecessor Gym: one adapter for both."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from assay.contract import CartPole, Episode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.contract import Array

# Pygame, which draws the frames, needs no screen, and would print a greeting on standard output.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

NAME = "CartPole-v1"
BREAKOUT = "ALE/Breakout-v5"


class Step(NamedTuple):
    """Result of a step.

    Attributes:
        state: State after the step.
        reward: Reward of the step.
        terminated: Whether the step ended the episode by reaching a terminal state.
        truncated: Whether the step limit ended the episode.

    """

    state: Array
    reward: float
    terminated: bool
    truncated: bool


class Environment:
    """An environment of Gymnasium or Gym, with either form of `reset` and `step`."""

    def __init__(self, wrapped: Any) -> None:
        """Wrap an environment of either library."""
        self.wrapped = wrapped
        self.sample = wrapped.action_space.sample

    def seed(self, seed: int) -> None:
        """Seed all draws of the environment."""
        self.wrapped.reset(seed=seed)
        self.wrapped.action_space.seed(seed)

    def reset(self, seed: int | None = None) -> Array:
        """Begin an episode, and return its first state. Before Gym 0.26, `reset` returned only the state."""
        found = self.wrapped.reset(seed=seed)
        return found[0] if isinstance(found, tuple) else found

    def step(self, action: int) -> Step:
        """Take a step. Before Gym 0.26, one flag meant both kinds of end, and `info` distinguished them."""
        state, reward, done, *rest = self.wrapped.step(action)
        if len(rest) == 1:
            truncated = rest[0].get("TimeLimit.truncated", False)
            return Step(state, reward, done and not truncated, truncated)
        return Step(state, reward, done, rest[0])


def make(name: str = NAME, **options: Any) -> Environment:
    """Create an environment without the library's checks, which fail in Gym 0.26 under NumPy 2."""
    gym = library()
    return Environment(gym.make(name, disable_env_checker=True, **options))


def library() -> Any:
    """Return Gymnasium, or Gym if Gymnasium is not installed."""
    try:
        import gymnasium
    except ImportError:
        import gym

        return gym
    return gymnasium


class Environments:
    """See `assay.contract.Environments`."""

    def cart_pole(self) -> CartPole:
        """Read the spaces and the registered limit."""
        made = make().wrapped
        states = made.observation_space
        return CartPole(states.low, states.high, int(made.action_space.n), made.spec.max_episode_steps)

    def initial_states(self, count: int, seed: int) -> Array:
        """Seed only the first reset."""
        environment = make()
        return np.stack([environment.reset(seed if number == 0 else None) for number in range(count)])

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Set the environment to each state, and take a step."""
        environment = make()
        taken = []
        for state, action in zip(states, actions, strict=True):
            environment.reset()
            environment.wrapped.unwrapped.state = state.astype(np.float64)
            taken.append(environment.step(int(action)))
        next_states, rewards, terminated, _ = zip(*taken, strict=True)
        return np.stack(next_states), np.array(rewards, np.float32), np.array(terminated)

    def play(self, actions: Array, seed: int) -> Episode:
        """Take the actions in turn."""
        return play(make(), follow(actions), seed)[0]

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Compute each action from the state before the step."""
        return play(make(), lambda state: int(weights @ state > 0), seed)[0]

    def frames(self, actions: Array, seed: int) -> Array:
        """Render every state."""
        return np.stack(play(make(render_mode="rgb_array"), follow(actions), seed)[1])

    def sample_actions(self, count: int, seed: int) -> Array:
        """Draw from the action space."""
        environment = make()
        environment.seed(seed)
        return np.array([environment.sample() for _ in range(count)], np.int32)

    def has_breakout(self) -> bool:
        """Look for `ale-py`, which needs Gymnasium."""
        return None not in (find_spec("ale_py"), find_spec("gymnasium"))

    def breakout_actions(self) -> Sequence[str]:
        """Return the names of the game's actions."""
        return _breakout().wrapped.unwrapped.get_action_meanings()

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Take the actions in turn."""
        return play(_breakout(), follow(actions), seed)[0]


def _breakout() -> Environment:
    import ale_py

    library().register_envs(ale_py)
    return make(BREAKOUT)


def follow(actions: Array) -> Callable[[Array], int | None]:
    """Return a policy that takes these actions in turn, whatever the state, and then returns None."""
    remaining = iter(actions.tolist())
    return lambda _: next(remaining, None)


def play(environment: Environment, choose: Callable[[Array], int | None], seed: int) -> tuple[Episode, list[Array]]:
    """Play until the actions or the episode end; return the episode, and its frames if it renders."""
    frames: list[Array] = []

    def draw() -> None:
        if environment.wrapped.render_mode is not None:
            frames.append(environment.wrapped.render())

    def step(action: int) -> Step:
        taken = environment.step(action)
        draw()
        return taken

    initial = environment.reset(seed)
    draw()
    episode = Episode.record(initial, step, choose)
    environment.wrapped.close()
    return episode, frames
