"""The environments of an agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from assay.alternatives.numpy import breakout
from assay.alternatives.numpy.cart_pole import (
    FARTHEST,
    MAX_EPISODE_STEPS,
    NUM_ACTIONS,
    Environment,
    Step,
    euler_step,
    has_fallen,
    picture,
)
from assay.contract import Array, CartPole, Episode


class Environments:
    """See `assay.contract.Environments`."""

    def cart_pole(self) -> CartPole:
        """Return bounds of twice the failure bounds, since an episode's last state lies beyond these."""
        highest = np.array([2 * FARTHEST[0], np.inf, 2 * FARTHEST[1], np.inf], np.float32)
        return CartPole(-highest, highest, NUM_ACTIONS, MAX_EPISODE_STEPS)

    def initial_states(self, count: int, seed: int) -> Array:
        """Reset the environment repeatedly."""
        environment = Environment(seed)
        return np.stack([environment.reset() for _ in range(count)])

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Step all states at once."""
        after = euler_step(states.astype(np.float64), actions)
        return after.astype(np.float32), np.ones(len(after), np.float32), has_fallen(after)

    def play(self, actions: Array, seed: int) -> Episode:
        """Take the actions in turn."""
        remaining = iter(actions.tolist())
        return episode_of(take_steps(Environment(seed), lambda _: next(remaining, None)))

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Compute each action from the state before the step."""
        return episode_of(take_steps(Environment(seed), lambda state: int(weights @ state > 0)))

    def frames(self, actions: Array, seed: int) -> Array:
        """Draw every state."""
        return np.stack([picture(state) for state in self.play(actions, seed).states])

    def sample_actions(self, count: int, seed: int) -> Array:
        """Let the environment draw."""
        environment = Environment(seed)
        return np.array([environment.sample() for _ in range(count)], np.int32)

    def has_breakout(self) -> bool:
        """Check whether the emulator is installed."""
        return breakout.is_installed()

    def breakout_actions(self) -> Sequence[str]:
        """Return the emulator's action names."""
        return breakout.actions()

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Take the actions in turn."""
        return episode_of(breakout.play(actions, seed))


def take_steps(environment: Environment, choose: Callable[[Array], int | None]) -> Iterator[Step]:
    """Yield the first state of an episode, and every step, until the actions or the episode end."""
    step = Step(environment.reset(), 0.0, terminated=False, truncated=False)
    yield step
    while not (step.terminated or step.truncated) and (action := choose(step.state)) is not None:
        step = environment.step(action)
        yield step


def episode_of(steps: Iterable[Step]) -> Episode:
    """Convert a first state and the steps after it to arrays."""
    states, rewards, *ends = zip(*steps, strict=True)
    terminated, truncated = (np.array(end[1:], bool) for end in ends)
    return Episode(np.stack(states), np.array(rewards[1:], np.float32), terminated, truncated)
