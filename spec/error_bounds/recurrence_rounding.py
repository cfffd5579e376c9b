"""Bounds on the error of a correct float32 result, for one step of a recurrence: see `rounding`."""

from __future__ import annotations

import numpy as np

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.rounding import TINY, gamma
from assay.spec.semantics.layers import Array, sigmoid
from assay.spec.semantics.recurrence import State


def simple_rnn_cell(
    inputs: Array, state: Array, input_kernel: Array, recurrent_kernel: Array, activation: str | None = "tanh"
) -> Array:
    """Bound the error of f(xU + sW): a Dense layer on the concatenation of inputs and state."""
    return rounding.dense(*_side_by_side(inputs, state, input_kernel, recurrent_kernel), None, activation)


def lstm_cell(inputs: Array, state: State, kernel: Array, recurrent_kernel: Array, bias: Array) -> State:
    """Bound the errors of hidden state and carry after a step of the LSTM cell.

    The error of a gate's sum passes through its activation. With errors e and g of two factors, a product is off by
    |x| g + |y| e + e g.
    """
    joined, both = _side_by_side(inputs, state.hidden, kernel, recurrent_kernel)
    linear, error = joined @ both + bias, rounding.dense(joined, both, bias, None)
    units = state.hidden.shape[-1]
    sums, errors = (np.split(array, range(units, 4 * units, units), axis=-1) for array in (linear, error))
    write, keep, read = (_sigmoid(sums[gate], errors[gate]) for gate in (0, 1, 3))
    candidate = _tanh(sums[2], errors[2])

    kept, added = _product(keep, (state.carry, np.zeros_like(state.carry))), _product(write, candidate)
    carry = kept[0] + added[0]
    carry_error = kept[1] + added[1] + gamma(1) * (np.abs(carry) + kept[1] + added[1])
    return State(_product(read, _tanh(carry, carry_error))[1], carry_error)


def _side_by_side(inputs: Array, state: Array, kernel: Array, recurrent_kernel: Array) -> tuple[Array, Array]:
    return np.concatenate([inputs, state], axis=-1), np.concatenate([kernel, recurrent_kernel])


def _sigmoid(values: Array, error: Array) -> tuple[Array, Array]:
    return sigmoid(values), rounding.bound_activation(values, error, "sigmoid")


def _tanh(values: Array, error: Array) -> tuple[Array, Array]:
    return np.tanh(values), rounding.bound_activation(values, error, "tanh")


def _product(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    (x, e), (y, g) = one, other
    error = np.abs(x) * g + np.abs(y) * e + e * g
    return x * y, error + gamma(1) * (np.abs(x * y) + error) + TINY
