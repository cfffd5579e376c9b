"""Recurrent layers: the steps over time, and backpropagation through them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.alternatives.numpy.activations import ACTIVATIONS, sigmoid
from assay.alternatives.numpy.layers import Backward, Variables, matrix
from assay.contract import Activation, Array


def simple_rnn_cell(
    inputs: Array, state: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None
) -> Array:
    """Take one step of the simple recurrence: [batch, units]."""
    return ACTIVATIONS[activation].function(inputs @ kernel + state @ recurrent_kernel)


def gates_of(sums: Array) -> tuple[Array, ...]:
    """Activate the sums of a cell, [batch, 4 units]: input gate, forget gate, candidate and output gate."""
    write, keep, candidate, read = np.split(sums, 4, axis=-1)
    return sigmoid(write), sigmoid(keep), np.tanh(candidate), sigmoid(read)


def states_after(gates: tuple[Array, ...], carry: Array) -> tuple[Array, Array]:
    """Return hidden state and carry after a step."""
    write, keep, candidate, read = gates
    carry = keep * carry + write * candidate
    return read * np.tanh(carry), carry


class LSTM:
    """The LSTM cell over time, from states of zeros: [batch, time, input_dim] to the last output, [batch, units]."""

    def forward(self, variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Store the gates and the states of every step for the backward pass."""
        gates, hidden, carry = self.run(variables, inputs)

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            time = inputs.shape[1]
            sums = np.empty((len(inputs), time, variables["bias"].size), np.float32)
            to_hidden, to_carry = upstream, np.zeros_like(upstream)
            transposed = np.ascontiguousarray(variables["recurrent_kernel"].T)
            for t in reversed(range(time)):
                write, keep, candidate, read = gates[t]
                squashed = np.tanh(carry[t + 1])
                to_carry = to_carry + to_hidden * read * (1 - squashed * squashed)
                sums[:, t] = np.concatenate(
                    [
                        to_carry * candidate * write * (1 - write),
                        to_carry * carry[t] * keep * (1 - keep),
                        to_carry * write * (1 - candidate * candidate),
                        to_hidden * squashed * read * (1 - read),
                    ],
                    axis=-1,
                )
                to_hidden, to_carry = sums[:, t] @ transposed, to_carry * keep
            before = np.stack(hidden[:-1], axis=1)
            gradients = {
                "kernel": matrix(inputs).T @ matrix(sums),
                "recurrent_kernel": matrix(before).T @ matrix(sums),
                "bias": matrix(sums).sum(axis=0),
            }
            return lambda: sums @ variables["kernel"].T, gradients

        return hidden[-1], backward

    def run(self, variables: Variables, inputs: Array) -> tuple[list[tuple[Array, ...]], list[Array], list[Array]]:
        """Return the gates of every step, and the states before the first step and after every one."""
        # The contribution of the inputs is one product for all times.
        of_inputs = inputs @ variables["kernel"] + variables["bias"]
        zeros = np.zeros((len(inputs), len(variables["recurrent_kernel"])), np.float32)
        gates, hidden, carry = [], [zeros], [zeros]
        for t in range(inputs.shape[1]):
            gates.append(gates_of(of_inputs[:, t] + hidden[-1] @ variables["recurrent_kernel"]))
            for states, state in zip((hidden, carry), states_after(gates[-1], carry[-1]), strict=True):
                states.append(state)
        return gates, hidden, carry
