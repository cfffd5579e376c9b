"""Problems for the document's models: parameters and batches from one seed, since single draws would be slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from assay.contract import Array
from assay.spec.error_bounds.measured_bounds import (
    PERMUTATIONS,
    has_safe_margins,
    is_well_conditioned,
    permutations,
    to_float64,
)
from assay.spec.semantics import q_learning
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.models import MODELS, NUM_CHARS, UNITS, Parameters, rnn_shapes
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import use_precision
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions

# Learning rate of the document's training programs (lines 201 and 374).
LEARNING_RATE = 0.001
# Discount factor of the agent (line 694).
GAMMA = 1.0


class Problem(NamedTuple):
    """Parameters of a model, with one or more batches.

    Attributes:
        model: Name of the model.
        parameters: Float32, by canonical name.
        inputs: Float32 [batch, ...], or [steps, batch, ...] for several batches.
        targets: Targets, with the same leading axes.

    """

    model: str
    parameters: Parameters
    inputs: Array
    targets: Array


def mlp(
    seed: int,
    *,
    batch: int = 8,
    steps: int | None = None,
    learning_rate: float = LEARNING_RATE,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> Problem:
    """Make a problem for the MLP, without black pixels, since the weights of a black pixel have no effect.

    Args:
        seed: Seed of all draws.
        batch: Number of images.
        steps: Number of batches; None for a single batch without a leading axis.
        learning_rate: Learning rate of a training on the batches.
        adam: Form of Adam, where the optimizer is Adam.

    """
    return _digits("mlp", seed, batch, steps, learning_rate, adam=adam)


def cnn(seed: int, *, batch: int = 4, steps: int | None = None, adam: Adam = Adam.BEFORE_CORRECTION) -> Problem:
    """Make a problem for the CNN, without uniform image areas, which would cause ties in pooling windows."""
    return _digits("cnn", seed, batch, steps, LEARNING_RATE, adam=adam)


def _digits(model: str, seed: int, batch: int, steps: int | None, learning_rate: float, *, adam: Adam) -> Problem:
    """Draw until no decision of the network depends on rounding; one or two draws suffice."""
    leading = (batch,) if steps is None else (steps, batch)
    for attempt in count():
        generator = np.random.default_rng((seed, attempt))
        images = generator.random((*leading, 28, 28, 1), np.float32)
        labels = generator.integers(0, 10, leading, np.int32)
        problem = Problem(model, parameters(model, generator), images, labels)
        rate = None if steps is None else learning_rate
        if is_well_conditioned(*problem, learning_rate=rate, adam=adam):
            return problem
    raise AssertionError


# Length of the document's windows in characters (line 551).
SEQ_LENGTH = 40
# A forget gate that keeps 98 %, so the first character still affects the state at the end of a window.
KEEPING = 4.0
# An input gate that admits 12 %. Otherwise 40 characters add up to so much that tanh is 1 up to rounding, and the
# gradient consists of rounding alone.
ADDING = -2.0


def rnn(
    seed: int,
    *,
    batch: int = 4,
    steps: int | None = None,
    num_chars: int = NUM_CHARS,
    seq_length: int = SEQ_LENGTH,
) -> Problem:
    """Make a problem for the RNN: random characters, and gates that preserve the state."""
    generator = np.random.default_rng(seed)
    leading = (batch,) if steps is None else (steps, batch)
    windows = generator.integers(0, num_chars, (*leading, seq_length), np.int32)
    drawn = _draw(rnn_shapes(num_chars), generator)
    drawn["cell/bias"][:UNITS] += np.float32(ADDING)
    drawn["cell/bias"][UNITS : 2 * UNITS] += np.float32(KEEPING)
    return Problem("rnn", drawn, windows, generator.integers(0, num_chars, leading, np.int32))


def linear(seed: int, *, batch: int = 8, steps: int | None = None) -> Problem:
    """Make a problem for the linear model: inputs and targets between -1 and 1."""
    generator = np.random.default_rng(seed)
    leading = (batch,) if steps is None else (steps, batch)
    inputs = generator.uniform(-1, 1, (*leading, 3)).astype(np.float32)
    targets = generator.uniform(-1, 1, (*leading, 1)).astype(np.float32)
    return Problem("linear", parameters("linear", generator), inputs, targets)


class QProblem(NamedTuple):
    """Parameters of a Q-network, with one or more batches of transitions.

    Attributes:
        model: Name of the model.
        parameters: Float32, by canonical name.
        transitions: Arrays of float32 and int32, each [batch, ...], or [steps, batch, ...] for several batches.

    """

    model: str
    parameters: Parameters
    transitions: Transitions

    @property
    def flat(self) -> tuple[Any, ...]:
        """The parameters, and the elements of the transitions."""
        return self.parameters, *self.transitions

    @property
    def on_states(self) -> Problem:
        """The network applied to the states alone, for tests of its layers."""
        return Problem(self.model, self.parameters, self.transitions.states, self.transitions.rewards)

    def permutations(self, number: int = PERMUTATIONS, seed: int = 0) -> Iterator[tuple[Any, ...]]:
        """Yield `flat` in other orders, as `measured_bounds.permutations` does; states of a transition stay together.

        Args:
            number: Number of orders.
            seed: Seed of the orders.

        """
        given = self.transitions
        pairs, others = (
            np.stack([given.states, given.next_states]),
            np.stack([given.actions, given.rewards, given.dones]),
        )
        found = permutations(
            self.model, self.parameters, pairs, others, batch_axis=given.actions.ndim, count=number, seed=seed
        )
        for parameters, (states, next_states), (actions, rewards, dones) in found:
            single = Transitions(states, actions, rewards, next_states, dones)
            yield parameters, *(values.astype(known.dtype) for values, known in zip(single, given, strict=True))

    def permutations_of(self, tree: Parameters) -> Iterator[tuple[Any, ...]]:
        """Yield `flat` in the orders of `permutations`, with gradients in place of the parameters."""
        return self._replace(parameters=tree).permutations()


# Shape of a state for each Q-network: CartPole's four numbers, or pixels of frames.
Q_STATES = {"q_network": (4,), "q_cnn": (84, 84, 4)}


@use_precision("float32")
def q_learning_of(
    model: str, seed: int, *, batch: int = 32, steps: int | None = None, adam: Adam = Adam.BEFORE_CORRECTION
) -> QProblem:
    """Make a problem for a Q-network, in which a quarter of the transitions end an episode by failure.

    As for the other networks, draws are repeated until no decision depends on rounding.
    """
    leading = (batch,) if steps is None else (steps, batch)
    shape, low = Q_STATES[model], -1.0 if model == "q_network" else 0.0
    *_, (num_actions,) = MODELS[model].shapes.values()
    for attempt in count():
        generator = np.random.default_rng((seed, attempt))
        states, next_states = (generator.uniform(low, 1, (*leading, *shape)).astype(np.float32) for _ in range(2))
        dones = (generator.random(leading) < 1 / 4).astype(np.float32)
        actions = generator.integers(0, num_actions, leading, np.int32)
        rewards = np.where(dones == 1, FAILURE_REWARD, 1).astype(np.float32)
        problem = QProblem(
            model, parameters(model, generator), Transitions(states, actions, rewards, next_states, dones)
        )
        single, double = (_visit(model, *values, adam=adam) for values in (problem.flat, map(to_float64, problem.flat)))
        if all(has_safe_margins(model, *pair) for pair in zip(single, double, strict=True)):
            return problem
    raise AssertionError


def _visit(model: str, parameters: Parameters, *elements: Array, adam: Adam) -> Iterator[tuple[Parameters, Array]]:
    """Yield the parameters before each learning step, and the states used in it."""
    transitions = Transitions(*elements)
    if transitions.actions.ndim == 1:
        yield parameters, transitions.states
        return
    yield parameters, transitions.states[0]
    later = q_learning.steps(model, parameters, transitions, LEARNING_RATE, GAMMA, adam=adam)
    for states, step in zip(transitions.states[1:], later, strict=False):
        yield step.parameters, states


def parameters(model: str, generator: np.random.Generator) -> Parameters:
    """Draw Glorot-uniform kernels, and biases far from 0, so that a missing bias is noticed."""
    return _draw(MODELS[model].shapes, generator)


def _draw(shapes: Mapping[str, tuple[int, ...]], generator: np.random.Generator) -> Parameters:
    return {name: generator.uniform(*_range(shape), shape).astype(np.float32) for name, shape in shapes.items()}


def _range(shape: tuple[int, ...]) -> tuple[float, float]:
    limit = glorot_limit(*fans(shape)) if len(shape) > 1 else 0.5
    return -limit, limit
