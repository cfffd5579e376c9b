"""Deep Q-learning around a network: the replay buffer, and episodes of an environment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from assay.contract import Array, Transitions

# Replaces the environment's reward when an episode fails.
FAILURE_REWARD = -10.0
# Dtypes of the arrays of `Transitions`.
DTYPES = np.float32, np.int32, np.float32, np.float32, np.float32
# A single transition: state, action, reward, next state and whether the episode failed.
Transition = tuple[Array, int, float, Array, float]


class Outcome(NamedTuple):
    """Result of a step of an environment.

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


class Environment(Protocol):
    """An environment of an agent. All of its draws follow from one seed."""

    def reset(self) -> Array:
        """Begin an episode, and return its first state."""

    def step(self, action: int) -> Outcome:
        """Take an action."""

    def sample(self) -> int:
        """Draw an action."""


class Gymnasium:
    """A Gymnasium environment as an `Environment`. The adapter creates it, so the kit need not import Gymnasium."""

    def __init__(self, environment: Any, seed: int) -> None:  # noqa: ANN401 - Gymnasium may not be installed
        """Seed the initial states and the actions."""
        self._environment = environment
        environment.reset(seed=seed)
        environment.action_space.seed(seed)

    def reset(self) -> Array:
        """Begin an episode, and return its first state."""
        state: Array = self._environment.reset()[0]
        return state

    def step(self, action: int) -> Outcome:
        """Take an action."""
        state, reward, terminated, truncated, _ = self._environment.step(action)
        return Outcome(state, float(reward), bool(terminated), bool(truncated))

    def sample(self) -> int:
        """Draw an action."""
        return int(self._environment.action_space.sample())


class ReplayBuffer:
    """The latest transitions: a new one replaces the oldest."""

    def __init__(self, size: int) -> None:
        """Create a buffer for `size` transitions."""
        self._transitions: deque[Any] = deque(maxlen=size)

    def __len__(self) -> int:
        """Return the number of transitions."""
        return len(self._transitions)

    def append(self, transition: Iterable[Any]) -> None:
        """Append one transition."""
        self._transitions.append(tuple(transition))

    def read(self) -> Transitions:
        """Return all transitions, oldest first."""
        return stack(self._transitions)

    def draw(self, batch_size: int, generator: np.random.Generator) -> Transitions:
        """Draw a batch without replacement."""
        places = generator.choice(len(self._transitions), batch_size, replace=False)
        return stack(self._transitions[place] for place in places)


def fill(size: int, transitions: Iterable[Array]) -> ReplayBuffer:
    """Append transitions one by one to a new buffer."""
    buffer = ReplayBuffer(size)
    for transition in zip(*transitions, strict=True):
        buffer.append(transition)
    return buffer


def stack(transitions: Iterable[Any]) -> Transitions:
    """Convert single transitions to the arrays of the contract."""
    columns = zip(*transitions, strict=True)
    return Transitions(*(np.array(column, dtype) for column, dtype in zip(columns, DTYPES, strict=True)))


def compute_epsilon(
    episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
) -> float:
    """Return the exploration rate of an episode: it decreases linearly towards 0, but not below the final value."""
    remaining = (num_exploration_episodes - episode) / num_exploration_episodes
    return max(initial_epsilon * remaining, final_epsilon)


def compute_targets(values: Array, rewards: Array, dones: Array, gamma: float) -> Array:
    """Return rewards + gamma * the best value, and the reward alone where an episode has failed: float32 [n].

    Args:
        values: Value of every action in the next states, [n, actions].
        rewards: [n].
        dones: [n].
        gamma: Discount factor.

    """
    return (rewards + np.float32(gamma) * values.max(axis=-1) * (1 - dones)).astype(np.float32)


def choose_actions(
    values: Array, epsilon: float, generator: np.random.Generator, sample: Callable[[], int] | None = None
) -> Array:
    """Choose an action for each row of values, greedy or, with probability epsilon, random: int32 [n].

    Args:
        values: Value of every action, [n, actions].
        epsilon: Probability of a random action.
        generator: Generator for the decision to explore.
        sample: Function that draws a random action; None draws uniformly.

    """
    explores = generator.random(len(values)) < epsilon
    actions = values.argmax(axis=-1)
    for place in np.flatnonzero(explores):
        actions[place] = sample() if sample else generator.integers(values.shape[-1])
    return actions.astype(np.int32)


def play_episode(
    environment: Environment, choose: Callable[[Array], int], max_len_episode: int
) -> Iterator[tuple[Transition, bool]]:
    """Play one episode.

    Args:
        environment: Environment, which is reset first.
        choose: Function from a state [...] to an action.
        max_len_episode: Maximum number of steps.

    Yields:
        Each transition as it happens, and whether it ended the episode. A truncated episode has not failed: its last
        state has a future, and its reward is not replaced.

    """
    state = environment.reset()
    for _ in range(max_len_episode):
        action = choose(state)
        after = environment.step(action)
        reward = FAILURE_REWARD if after.terminated else after.reward
        over = after.terminated or after.truncated
        yield (state, action, reward, after.state, float(after.terminated)), over
        if over:
            return
        state = after.state
