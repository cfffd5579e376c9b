"""The group `environments`: what the agent acts in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, SupportsFloat

import numpy as np

from assay.contract.arrays import Array


class CartPole(NamedTuple):
    """Facts about the environment.

    Attributes:
        lowest: Smallest value of each number of a state, [4].
        highest: Largest value of each number of a state, [4].
        num_actions: Number of actions, which are numbered from 0.
        max_episode_steps: Number of steps after which an episode is cut off.

    """

    lowest: Array
    highest: Array
    num_actions: int
    max_episode_steps: int


class Episode(NamedTuple):
    """The steps of an episode from its start, up to its end or earlier.

    Attributes:
        states: Initial state, and the state after each step, [steps + 1, ...].
        rewards: Reward of each step, [steps].
        terminated: Whether the episode ended by itself in the step, bool [steps].
        truncated: Whether the limit of steps cut the episode off after the step, bool [steps].

    """

    states: Array
    rewards: Array
    terminated: Array
    truncated: Array

    @classmethod
    def record(
        cls,
        initial: Array,
        step: Callable[[int], tuple[Array, SupportsFloat, bool, bool]],
        choose: Callable[[Array], int | None],
    ) -> Episode:
        """Take steps until the actions or the episode end, for adapters of Gymnasium and similar libraries.

        Args:
            initial: First state, from `reset`.
            step: Function from an action to state, reward, terminated and truncated.
            choose: Function from a state to an action, or to None, which ends the recording.

        """
        states, taken = [initial], []
        while (action := choose(states[-1])) is not None:
            state, *rest = step(action)
            states.append(state)
            taken.append(rest)
            if any(rest[1:]):
                break
        rewards, terminated, truncated = np.array(taken, np.float32).reshape(-1, 3).T
        return cls(np.stack(states), rewards, terminated.astype(bool), truncated.astype(bool))


class Environments(Protocol):
    """CartPole-v1, and the game Breakout.

    A state of CartPole is position, velocity, angle and angular velocity. Action 0 pushes the cart to the left, where
    its position decreases, and action 1 to the right. At a positive angle the pole leans to the right.
    """

    def cart_pole(self) -> CartPole:
        """Describe CartPole."""

    def initial_states(self, count: int, seed: int) -> Array:
        """Reset one environment `count` times, the first time with the seed, and return its states: [count, 4]."""

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Take one step from each state, as the first step of an episode.

        Args:
            states: [n, 4], inside the bounds that end an episode.
            actions: Int32 [n].

        Returns:
            The next states [n, 4], the rewards [n], and whether the step ended the episode: bool [n].

        """

    def play(self, actions: Array, seed: int) -> Episode:
        """Reset with a seed, and take these actions, int32 [n], until the actions or the episode end."""

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Reset with a seed and play to the end: push right if weights @ state is positive, else left.

        Args:
            weights: [4].
            seed: Seed of the reset.

        """

    def frames(self, actions: Array, seed: int) -> Array:
        """Play as `play` does, and render every state off screen: uint8 [steps + 1, 400, 600, 3]."""

    def sample_actions(self, count: int, seed: int) -> Array:
        """Sample actions from the environment's action space: int32 [count]."""

    def has_breakout(self) -> bool:
        """Whether the game is installed. If not, the next two functions are not called."""

    def breakout_actions(self) -> Sequence[str]:
        """Return the names of the game's actions, in their order."""

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Play the game as `play` does CartPole; the states are frames, uint8 [steps + 1, height, width, 3]."""
