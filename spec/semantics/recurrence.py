"""Recurrent layers of the document. Every function keeps the floating-point type of its inputs."""

from __future__ import annotations

from typing import NamedTuple

import autograd.numpy as np

from assay.spec.semantics.layers import ACTIVATIONS, Array, sigmoid
from assay.spec.semantics.products import product


def simple_rnn_cell(
    inputs: Array, state: Array, input_kernel: Array, recurrent_kernel: Array, activation: str | None = "tanh"
) -> Array:
    """s_t = f(x_t U + s_{t-1} W) (lines 636 to 640), with the shapes that the sum requires.

    Args:
        inputs: Inputs `x_t`, [batch, m].
        state: State `s_{t-1}`, [batch, n].
        input_kernel: Matrix `U`, [m, n].
        recurrent_kernel: Matrix `W`, [n, n].
        activation: Name of `f`; None for the identity.

    Returns:
        State `s_t`, [batch, n].

    """
    return ACTIVATIONS[activation](
        product(np.matmul, inputs, input_kernel) + product(np.matmul, state, recurrent_kernel)
    )


def simple_rnn(inputs: Array, input_kernel: Array, recurrent_kernel: Array, activation: str | None = "tanh") -> Array:
    """Repeat `simple_rnn_cell` over time from a state of zeros (lines 632 to 634).

    Args:
        inputs: [batch, time, m].
        input_kernel: Matrix `U`, [m, n].
        recurrent_kernel: Matrix `W`, [n, n].
        activation: Name of `f`; None for the identity.

    Returns:
        The state after every step, [batch, time, n].

    """
    state = np.zeros((inputs.shape[0], recurrent_kernel.shape[0]), inputs.dtype)
    states = []
    for t in range(inputs.shape[1]):
        state = simple_rnn_cell(inputs[:, t], state, input_kernel, recurrent_kernel, activation)
        states.append(state)
    return np.stack(states, axis=1)


class State(NamedTuple):
    """State that an LSTM cell passes from one time step to the next.

    Attributes:
        hidden: Hidden state `h`, which is also the output, [batch, units].
        carry: Carry state `c`, [batch, units].

    """

    hidden: Array
    carry: Array


def lstm_cell(inputs: Array, state: State, kernel: Array, recurrent_kernel: Array, bias: Array) -> State:
    """Take one step of the LSTM cell (line 650), with Keras's order of gates: input, forget, candidate, output.

    Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of Gers, Schmidhuber and Cummins,
    "Learning to forget", 2000.

    Args:
        inputs: [batch, features].
        state: State before the step.
        kernel: [features, 4 units].
        recurrent_kernel: [units, 4 units].
        bias: [4 units].

    """
    return _advance_lstm(product(np.matmul, inputs, kernel), state, recurrent_kernel, bias)


def _advance_lstm(from_inputs: Array, state: State, recurrent_kernel: Array, bias: Array) -> State:
    """Finish `lstm_cell`, given the product of its inputs, [batch, 4 units]."""
    linear = from_inputs + product(np.matmul, state.hidden, recurrent_kernel) + bias
    units = state.hidden.shape[-1]
    write, keep, candidate, read = (linear[..., gate * units : (gate + 1) * units] for gate in range(4))
    carry = sigmoid(keep) * state.carry + sigmoid(write) * np.tanh(candidate)
    return State(sigmoid(read) * np.tanh(carry), carry)


def lstm(inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> State:
    """Repeat `lstm_cell` over time from a state of zeros (lines 539 to 541).

    Args:
        inputs: [batch, time, features].
        kernel: [features, 4 units].
        recurrent_kernel: [units, 4 units].
        bias: [4 units].

    Returns:
        Both states after every step, each [batch, time, units].

    """
    zeros = np.zeros((inputs.shape[0], recurrent_kernel.shape[0]), inputs.dtype)
    state = State(zeros, zeros)
    states = []
    # Product for all time steps at once, time first.
    from_inputs = product(np.matmul, np.swapaxes(inputs, 0, 1), kernel)
    for t in range(inputs.shape[1]):
        state = _advance_lstm(from_inputs[t], state, recurrent_kernel, bias)
        states.append(state)
    hidden, carry = zip(*states, strict=True)
    return State(np.stack(hidden, axis=1), np.stack(carry, axis=1))
