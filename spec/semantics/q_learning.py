"""Deep Q-learning (lines 681 to 764): exploration, replay, targets and the loss.

Mnih and others, "Playing Atari with deep reinforcement learning", 2013, algorithm 1, with a network that is trained
after every step. The same code runs in float64, where it is the definition, and in float32, where it measures rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import autograd.numpy as np
from autograd import value_and_grad

from assay.spec.semantics import descent, layers, losses, models
from assay.spec.semantics.datasets import resize
from assay.spec.semantics.layers import Array
from assay.spec.semantics.models import MODELS, Parameters
from assay.spec.semantics.optimizers import Adam

# Replaces the environment's reward when an episode fails (line 741).
FAILURE_REWARD = -10.0


class Transitions(NamedTuple):
    """A batch of steps of an environment.

    Attributes:
        states: States before the steps, [n, ...].
        actions: Whole numbers [n].
        rewards: [n].
        next_states: States after the steps, [n, ...].
        dones: [n], 1 where the step ended its episode by failure, and 0 elsewhere.

    """

    states: Array
    actions: Array
    rewards: Array
    next_states: Array
    dones: Array


def epsilon(episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float) -> float:
    """Return epsilon in an episode: it decreases linearly towards 0, but not below its end (lines 727 to 729)."""
    left = 1 - episode / num_exploration_episodes
    return max(initial_epsilon * left, final_epsilon)


def q_values(model: str, parameters: Parameters, states: Array) -> Array:
    """Return the value of each action in each state: [n, actions]."""
    *_, last = models.layer_outputs(model, parameters, states).values()
    return last


def greedy(model: str, parameters: Parameters, states: Array) -> Array:
    """Return the action of the largest value in each state (line 715): [n]."""
    return np.argmax(q_values(model, parameters, states), axis=-1)


def targets(model: str, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
    """Return y = r + gamma max_a Q(s', a), and y = r where the episode has failed (line 757): [n]."""
    best = np.max(q_values(model, parameters, transitions.next_states), axis=1)
    return transitions.rewards + best.dtype.type(gamma) * best * (1 - transitions.dones)


def loss(model: str, parameters: Parameters, states: Array, actions: Array, y: Array) -> Array:
    """Return the mean of (Q(s, a) - y)^2 over a batch, a being the action that was taken (lines 759 to 762)."""
    values = q_values(model, parameters, states)
    taken = layers.one_hot(actions, values.shape[1]).astype(y.dtype)
    return losses.mean_squared_error(y, np.sum(values * taken, axis=1))


def loss_and_gradients(
    model: str, parameters: Parameters, transitions: Transitions, gamma: float
) -> tuple[Array, Parameters]:
    """Return the loss of a batch and its gradients, with y treated as a constant (lines 756 to 763)."""
    y = targets(model, parameters, transitions, gamma)
    found: tuple[Array, Parameters] = value_and_grad(loss, argnum=1)(
        model, parameters, transitions.states, transitions.actions, y
    )
    return found


def steps(
    model: str,
    parameters: Parameters,
    batches: Transitions,
    learning_rate: float,
    gamma: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> Iterator[descent.Step]:
    """Yield a learning step for each batch of [steps, batch, ...]."""
    gradients = (
        lambda parameters, batch=batch: loss_and_gradients(model, parameters, Transitions(*batch), gamma)
        for batch in zip(*batches, strict=True)
    )
    optimizer = MODELS[model].optimizer
    return descent.descend(optimizer, parameters, gradients, learning_rate, adam=adam)


def learn(
    model: str,
    parameters: Parameters,
    batches: Transitions,
    learning_rate: float,
    gamma: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> tuple[Array, Parameters]:
    """Return the loss of every batch before its step, and the parameters after the last."""
    return descent.ends(steps(model, parameters, batches, learning_rate, gamma, adam=adam))


# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114])


def luma(frames: Array) -> Array:
    """Convert frames [n, height, width, 3] of 0 to 255 to grey (line 768), and stack them as channels (line 770)."""
    return np.moveaxis(frames.astype(np.float64) @ LUMA, 0, -1)


def stack_frames(frames: Array, size: tuple[int, int]) -> Array:
    """Make a state from frames: convert them to grey, resize them (line 772) and scale them to [0, 1]: [*size, n]."""
    return resize(luma(frames), size)
