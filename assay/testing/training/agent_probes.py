"""Short trainings of the agent whose losses reveal what happened in them.

With a learning rate of 0 the network keeps its initial parameters. With a buffer of one transition, each loss is that
transition's (r + gamma max Q(s', a') - Q(s, a))^2. Two trainings with one seed that differ only in gamma have the same
transitions, so their losses together determine Q(s, a) and max Q(s', a'). These are related: under the greedy policy
the largest value of a next state is the value of the next action.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.semantics import cart_pole, layers, optimizers, q_learning
from assay.spec.semantics.cart_pole import INITIAL, MAX_EPISODE_STEPS
from assay.spec.semantics.models import MODELS, Parameters
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.q_learning import Transitions
from assay.testing.problems import QProblem
from assay.testing.training.agent_training import train

MODEL = "q_network"
SHAPES = MODELS[MODEL].shapes
SIGNS = (-1, 1)
# Number of steps in which no episode ends by itself.
LENGTH = cart_pole.shortest_length() - 1
# The squared error of a failure, with its reward of -10, is above this, and that of any other transition below. In all
# states of an episode, values of a new network lie between -4.4 and 4.4 (`tests/suite/test_agent_probes.py`).
FAILURE_LOSS = 30.0
# Number of transitions on which rounding is measured.
MEASURED = 64

PROBE: dict[str, Any] = {
    "num_episodes": 2,
    "num_exploration_episodes": 1,
    "initial_epsilon": 1.0,
    "final_epsilon": 0.0,
    "max_len_episode": LENGTH,
    "buffer_size": 1,
    "batch_size": 1,
    "learning_rate": 0.0,
    "gamma": 0.0,
}
ALWAYS_GREEDY = {"initial_epsilon": 0.0}
ALWAYS_EXPLORING = {"final_epsilon": 1.0}
WHOLE_EPISODES = {"max_len_episode": 2 * MAX_EPISODE_STEPS}


# Cached, since the tests of two sections use the same sample.
random_lengths = cache(cart_pole.random_lengths)


def probe(agent: GroupProxy, seed: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - arguments of `agent.fit`
    """Run a short training with the arguments of `PROBE`, except for the changes."""
    return train(agent, PROBE | changes, seed)


def count_learning_steps(scores: Array, batch_size: int, max_len_episode: int) -> int:
    """Count the learning steps: one after each transition that ends no episode, once the buffer holds a batch."""
    total = found = 0
    for score in scores.tolist():
        for step in range(score + 1):
            total += 1
            ended = step == score and score + 1 < max_len_episode
            found += total >= batch_size and not ended
    return found


class Errors(NamedTuple):
    """Errors |y - Q(s, a)| of every transition of a training, the roots of its losses.

    Attributes:
        now: Errors with a gamma of 0: |r - Q(s, a)|, [episodes, steps].
        later: Errors with a gamma of 1: |r + max Q(s', a') - Q(s, a)|, [episodes, steps].
        parameters: Parameters of the network.

    """

    now: Array
    later: Array
    parameters: Parameters


def errors_of(losses: Array, num_episodes: int, length: int = LENGTH) -> Array:
    """Return the error of each transition, [episodes, steps].

    Raises:
        NonConformanceError: The number of losses is not that of transitions.

    """
    if losses.shape != (num_episodes * length,):
        msg = f"expected a loss for each of {length} steps in {num_episodes} episodes, got {len(losses)} losses"
        raise NonConformanceError(msg)
    return np.sqrt(losses.astype(np.float64)).reshape(num_episodes, length)


def trace(agent: GroupProxy, seed: int, **changes: Any) -> Errors:  # noqa: ANN401 - arguments of `agent.fit`
    """Train with a gamma of 0 and with a gamma of 1, and return the errors of every transition."""
    num_episodes = (PROBE | changes)["num_episodes"]
    now, later = (probe(agent, seed, **changes, gamma=gamma) for gamma in (0.0, 1.0))
    return Errors(
        now=errors_of(now["losses"], num_episodes),
        later=errors_of(later["losses"], num_episodes),
        parameters=now["parameters"],
    )


def gaps(errors: Errors) -> Array:
    """Return max Q(s', a') of each transition minus Q(s', a') of the next action: [episodes, steps - 1].

    The signs of the errors are not known, so this is the smallest difference over all signs.
    """
    now, later, following = errors.now[:, :-1], errors.later[:, :-1], errors.now[:, 1:]
    found = [(one * later - other * now) - (1 - third * following) for one, other, third in product(SIGNS, repeat=3)]
    return np.abs(found).min(axis=0)


class Gaps(NamedTuple):
    """What the losses of whole episodes tell of their actions, those after the first of each: [actions].

    Attributes:
        explored: Whether the action is not greedy.
        episodes: Number of its episode.
        steps: Number of its step.

    """

    explored: Array
    episodes: Array
    steps: Array


def whole_gaps(agent: GroupProxy, seed: int, **changes: Any) -> Gaps:  # noqa: ANN401 - arguments of `agent.fit`
    """Train twice on whole episodes, with a gamma of 0 and of 1, and tell which actions are not greedy.

    Raises:
        NonConformanceError: The number of losses is not that of the transitions before the last of an episode.

    """
    now, later = (probe(agent, seed, **WHOLE_EPISODES, **changes, gamma=gamma) for gamma in (0.0, 1.0))
    scores = now["scores"]
    if not len(now["losses"]) == len(later["losses"]) == scores.sum():
        msg = f"episodes with {scores.sum()} transitions before their last have {len(now['losses'])} losses"
        raise NonConformanceError(msg)
    ends = np.cumsum(scores)[:-1]
    pairs = zip(*(np.split(np.sqrt(each["losses"].astype(np.float64)), ends) for each in (now, later)), strict=True)
    parameters = now["parameters"]
    found = [gaps(Errors(one[None], other[None], parameters))[0] for one, other in pairs]
    bound = np.sqrt(scores.sum()) * gap_bound(parameters)
    return Gaps(
        explored=np.concatenate(found) > bound,
        episodes=np.repeat(np.arange(len(found)), [len(each) for each in found]),
        steps=np.concatenate([np.arange(len(each)) for each in found]),
    )


def gap_bound(parameters: Parameters) -> float:
    """Bound the root mean square of `gaps` under the greedy policy by the rounding measured on random play."""
    found = error_bounds(parameters)
    return found["later"] + 2 * found["now"]


def error_bounds(parameters: Parameters) -> dict[str, float]:
    """Bound the root mean square of the rounding in `Errors`, as measured on random play."""
    generator = np.random.default_rng(0)
    states, actions, after = _random_play(generator)
    chosen = generator.choice(len(actions), MEASURED, replace=False)
    single = Transitions(
        states[chosen].astype(np.float32),
        actions[chosen].astype(np.int32),
        np.ones(MEASURED, np.float32),
        after[chosen].astype(np.float32),
        np.zeros(MEASURED, np.float32),
    )
    return measured_bounds.bounds_over(_errors, QProblem(MODEL, parameters, single).permutations())


def _random_play(generator: np.random.Generator) -> tuple[Array, Array, Array]:
    """Play the first steps of episodes at random, and return states, actions and next states."""
    states = generator.uniform(-INITIAL, INITIAL, (MEASURED, 4))
    found = []
    for _ in range(LENGTH):
        actions = generator.integers(0, 2, MEASURED)
        found.append((states, actions, cart_pole.step(states, actions)))
        states = found[-1][2]
    states, actions, after = (np.concatenate(values) for values in zip(*found, strict=True))
    return states, actions, after


@cache
def last_steps(count: int, seed: int) -> tuple[Array, Array]:
    """Play episodes at random until the pole falls; return the state and the action of each last step."""
    generator = np.random.default_rng(seed)
    states, found = generator.uniform(-INITIAL, INITIAL, (count, 4)), []
    while len(states):
        actions = generator.integers(0, 2, len(states))
        after = cart_pole.step(states, actions)
        failed = cart_pole.margin(after) < 0
        found.append((states[failed], actions[failed]))
        states = after[~failed]
    states, actions = (np.concatenate(values) for values in zip(*found, strict=True))
    return states, actions


def _errors(parameters: Parameters, *elements: Array) -> dict[str, Array]:
    transitions = Transitions(*elements)
    values = q_learning.q_values(MODEL, parameters, transitions.states)
    taken = np.sum(values * layers.one_hot(transitions.actions, 2).astype(values.dtype), axis=1)
    found = {}
    for name, gamma in (("now", 0.0), ("later", 1.0)):
        difference = q_learning.targets(MODEL, parameters, transitions, gamma) - taken
        found[name] = np.sqrt(difference * difference)
    return found


def largest_values(parameters: Parameters) -> Array:
    """Bound the values in the first states of an episode, by step: twice the largest value in many such states."""
    generator = np.random.default_rng(0)
    wide = measured_bounds.to_float64(parameters)
    states, found = generator.uniform(-INITIAL, INITIAL, (1_000, 4)), []
    for _ in range(LENGTH + 1):
        found.append(2 * np.abs(q_learning.q_values(MODEL, wide, states)).max())
        # Half of the episodes push in one direction only, which changes the state most.
        actions = np.where(
            np.arange(len(states)) % 2, generator.integers(0, 2, len(states)), np.arange(len(states)) // 2 % 2
        )
        states = cart_pole.step(states, actions)
    return np.maximum.accumulate(found)


def early_states(step: int) -> Array:
    """Return extreme states after a number of steps, [n, 4]: from all corners, by all sequences of actions."""
    corners = INITIAL * np.array([*product(SIGNS, repeat=4)])
    states = np.concatenate([corners, np.random.default_rng(0).uniform(-INITIAL, INITIAL, corners.shape)])
    for _ in range(step):
        states = np.concatenate([cart_pole.step(states, np.full(len(states), action)) for action in (0, 1)])
    return states


def bias_trajectories(
    losses: Array, learning_rate: float, *, adam: Adam = Adam.BEFORE_CORRECTION
) -> tuple[Array, Array]:
    """Return how Adam changes the output layer's biases, for every sequence of actions and signs.

    With one transition in a batch, the gradient of the bias of the action taken is -2 (y - Q), whose square is four
    times the loss. The gradient of the other bias is 0. Adam's epsilon is lost in rounding, unless an action is first
    taken where its value is nearly right.

    Args:
        losses: Float64 [steps].
        learning_rate: Learning rate of Adam.
        adam: Form of Adam.

    Returns:
        The changes of both biases, and bounds on their rounding: each [sequences, 2].

    """
    steps = len(losses)
    actions, signs = np.array([*product((0, 1), repeat=steps)]), np.array([*product(SIGNS, repeat=steps)])
    actions, signs = np.repeat(actions, len(signs), axis=0), np.tile(signs, (len(actions), 1))
    change, first, second, bound = (np.zeros((len(actions), 2)) for _ in range(4))
    for step in range(1, steps + 1):
        gradient = np.zeros_like(change)
        gradient[np.arange(len(actions)), actions[:, step - 1]] = 2 * signs[:, step - 1] * np.sqrt(losses[step - 1])
        arguments = change, gradient, first, second, step, learning_rate
        # Twice, since the moments have errors from earlier steps, and the gradient has that of the loss.
        bound += 2 * rounding.adam_step(*arguments, adam=adam)[0]
        change, first, second = optimizers.adam_step(*arguments, adam=adam)
    return change, bound
