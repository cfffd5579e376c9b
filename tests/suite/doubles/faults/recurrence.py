"""Faults of recurrent cells and of their sequences: the simple RNN and the LSTM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.activations import sigmoid
from assay.alternatives.numpy.recurrence import simple_rnn_cell, states_after
from assay.contract import Array
from doubles.faulty import Fault
from doubles.kept_results import KeptForResults, keep_argument
from doubles.lost_remainders import lose_remainder
from doubles.memory_order import read_raw_memory
from doubles.narrow_numbers import in_float16
from doubles.sigmoids import limited_sigmoid, sigmoid_of

BLOCK = 8
FLOAT = np.float32
Function = Callable[..., Any]


class Masked:
    """A cell with recurrent dropout, whose mask is there from the second step on."""

    def __init__(self):
        """Start with nothing."""
        self._own = KeptForResults()

    def __call__(self, right, inputs, state, *rest):
        """Drop the first unit of a state that this cell has returned."""
        if self._own.of(state):
            state = state * (np.arange(state.shape[-1], dtype=np.float32) > 0)
        result = right(inputs, state, *rest)
        self._own.keep(result[0] if isinstance(result, tuple) else result, value=True)
        return result


def recurrent_kernel_transposed(simple_rnn_cell, inputs, state, kernel, recurrent_kernel, activation="tanh"):
    """Multiply the state from the other side."""
    return simple_rnn_cell(inputs, state, kernel, recurrent_kernel.T.copy(), activation)


def cell_activates_64_units(simple_rnn_cell, inputs, state, kernel, recurrent_kernel, activation="tanh"):
    """Apply tanh to the units after the first 64, whatever the activation."""
    outputs = np.array(simple_rnn_cell(inputs, state, kernel, recurrent_kernel, activation))
    outputs[:, 64:] = simple_rnn_cell(inputs, state, kernel, recurrent_kernel)[:, 64:]
    return outputs


def recurrent_kernel_in_float16(place):
    """Return a fault that rounds the recurrent kernel, an argument, to float16 where its units are a multiple of 8."""

    def wrong(function, *arguments):
        kernel = arguments[place]
        rounded = kernel if len(kernel) % BLOCK else in_float16(kernel)
        return function(*arguments[:place], rounded, *arguments[place + 1 :])

    return wrong


# The function, its claim, and the place of the recurrent kernel.
OF_BLOCKS = {
    "simple_rnn_cell": ("recurrence.cell-any-size", 3),
    "simple_rnn": ("recurrence.sequence-any-size", 2),
    "lstm_cell": ("recurrence.lstm-any-size", 4),
    "lstm": ("recurrence.lstm-sequence-any-size", 2),
}


def states_clipped(cell, inputs, state, *weights, **options):
    """Keep states within 50."""
    return cell(inputs, np.clip(state, -50, 50), *weights, **options)


def started_from_ones(simple_rnn, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Start from the state that follows an input of ones."""
    before = np.ones_like(inputs[:, :1])
    return simple_rnn(np.concatenate([before, inputs], axis=1), kernel, recurrent_kernel, activation)[:, 1:]


def simple_rnn_skips_zeros(_simple_rnn, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Keep the state where all inputs of a step are 0, as padding."""
    state, states = np.zeros((len(inputs), len(recurrent_kernel)), np.float32), []
    for t in range(inputs.shape[1]):
        read = inputs[:, t].any(axis=-1, keepdims=True)
        state = np.where(read, simple_rnn_cell(inputs[:, t], state, kernel, recurrent_kernel, activation), state)
        states.append(state)
    return np.stack(states, axis=1)


def begun_anew_after_32(simple_rnn, inputs, *weights, **options):
    """Start from zeros again every 32 steps."""
    parts = [inputs[:, start : start + 32].copy() for start in range(0, inputs.shape[1], 32)]
    return np.concatenate([simple_rnn(part, *weights, **options) for part in parts], axis=1)


def sequences_repeat_after_1024(recurrence, inputs, *weights):
    """Run over 1,024 sequences, and return the first ones again for the rest."""
    results = recurrence(inputs[:1024], *weights)
    found = results if isinstance(results, tuple) else (results,)
    whole = [np.concatenate([each, each[: len(inputs) - len(each)]]) for each in found]
    return tuple(whole) if isinstance(results, tuple) else whole[0]


def run_backwards(simple_rnn, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Begin with the last input."""
    return simple_rnn(inputs[:, ::-1].copy(), kernel, recurrent_kernel, activation)[:, ::-1]


def gates_in_another_order(lstm_cell, inputs, hidden, carry, *weights):
    """Take the forget gate for the input gate."""
    units = hidden.shape[-1]
    order = [*range(units, 2 * units), *range(units), *range(2 * units, 4 * units)]
    return lstm_cell(inputs, hidden, carry, *(weight[..., order].copy() for weight in weights))


def cell_limits_its_gates(_lstm_cell, inputs, hidden, carry, kernel, recurrent_kernel, bias):
    """Keep the sums of the gates between -15 and 15."""
    write, keep, candidate, read = np.split(inputs @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
    return states_after(
        (limited_sigmoid(write), limited_sigmoid(keep), np.tanh(candidate), limited_sigmoid(read)), carry
    )


def gate_overflows(gate):
    """Return a fault whose gate is one half where exp overflows; the candidate is then 0."""

    def wrong(_lstm_cell, inputs, hidden, carry, kernel, recurrent_kernel, bias):
        sums = np.split(inputs @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        gates = [np.tanh(one) if place == 2 else sigmoid_of(one) for place, one in enumerate(sums)]
        gates[gate] = np.where(np.abs(sums[gate]) > 88, FLOAT(0 if gate == 2 else 0.5), gates[gate])
        write, keep, candidate, read = gates
        after = keep * carry + write * candidate
        return (read * np.tanh(after)).astype(FLOAT), after.astype(FLOAT)

    return wrong


def carries_clipped(lstm_cell, inputs, hidden, carry, *weights):
    """Keep carries within 10."""
    return lstm_cell(inputs, hidden, np.clip(carry, -10, 10), *weights)


def clip_carry(limit: float) -> Function:
    """Return a layer that keeps its carries between two limits."""

    def wrong(right: Function, *args: Array) -> tuple[Array, Array]:
        hidden, carry = right(*args)
        return hidden, np.clip(carry, np.float32(-limit), np.float32(limit))

    return wrong


def lstm_skips_zeros(_lstm, inputs, kernel, recurrent_kernel, bias):
    """Keep the states where all inputs of a step are 0, as padding."""
    hidden = carry = np.zeros((len(inputs), len(recurrent_kernel)), np.float32)
    states = []
    for t in range(inputs.shape[1]):
        sums = np.split(inputs[:, t] @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        gates = [sigmoid(sums[0]), sigmoid(sums[1]), np.tanh(sums[2]), sigmoid(sums[3])]
        read = inputs[:, t].any(axis=-1, keepdims=True)
        following = states_after(tuple(gates), carry)
        hidden, carry = (np.where(read, new, old) for new, old in zip(following, (hidden, carry), strict=True))
        states.append((hidden, carry))
    return tuple(np.stack(kind, axis=1) for kind in zip(*states, strict=True))


def forget_gate_open_by_default(lstm, inputs, kernel, recurrent_kernel, bias):
    """Give biases that are all 0 the usual 1 at the forget gate."""
    units = len(recurrent_kernel)
    opened = np.repeat(np.array([0, 1, 0, 0], np.float32), units)
    return lstm(inputs, kernel, recurrent_kernel, bias if bias.any() else opened)


def lstm_begun_anew_after_64(lstm, inputs, *weights):
    """Start from zeros again every 64 steps."""
    parts = [lstm(inputs[:, start : start + 64].copy(), *weights) for start in range(0, inputs.shape[1], 64)]
    return tuple(np.concatenate(states, axis=1) for states in zip(*parts, strict=True))


def one_step_alone(lstm, inputs, *weights):
    """Drop the time axis of a single step."""
    states = lstm(inputs, *weights)
    return tuple(state[:, 0] for state in states) if inputs.shape[1] == 1 else states


def over_the_batch(lstm, inputs, *weights):
    """Go through the sequences instead of through time, where there are as many of both."""
    if inputs.shape[0] != inputs.shape[1]:
        return lstm(inputs, *weights)
    return tuple(states.swapaxes(0, 1) for states in lstm(inputs.swapaxes(0, 1).copy(), *weights))


def last_sequence_first_for_one_unit(lstm, inputs, kernel, recurrent_kernel, bias):
    """Split the sums of four sequences and one unit along the wrong axis, and so reverse the sequences."""
    square = len(inputs) == bias.size == 4
    return lstm(inputs[::-1] if square else inputs, kernel, recurrent_kernel, bias)


def repeat_last_carry(right, inputs, *weights):
    """Return the last carry of a single sequence at every time."""
    hidden, carry = right(inputs, *weights)
    return hidden, np.repeat(carry[:, -1:], carry.shape[1], axis=1) if len(inputs) == 1 else carry


FAULTS = {
    "weights_of_the_first_call": Fault(
        "ops.simple_rnn_cell", "recurrence.calls-are-independent", "in turn", keep_argument(2)
    ),
    "cell_masks_own_state": Fault("ops.simple_rnn_cell", "recurrence.calls-are-independent", "step 2 of 3", Masked()),
    "recurrent_kernel_transposed": Fault(
        "ops.simple_rnn_cell", "recurrence.state-transform", "the state", recurrent_kernel_transposed
    ),
    "cell_activates_64_units": Fault(
        "ops.simple_rnn_cell", "recurrence.cell-any-size", "float32[5, 300]", cell_activates_64_units
    ),
    "states_over_a_block_lost": Fault(
        "ops.simple_rnn_cell", "recurrence.cell-any-size", "actual 0", lose_remainder(-1, 32)
    ),
    **{
        f"{name}_of_blocks_in_float16": Fault(f"ops.{name}", claim, "64", recurrent_kernel_in_float16(place))
        for name, (claim, place) in OF_BLOCKS.items()
    },
    "states_clipped": Fault("ops.simple_rnn_cell", "recurrence.cell-saturated", "differ", states_clipped),
    "started_from_ones": Fault("ops.simple_rnn", "recurrence.initial-state", "the state at 0", started_from_ones),
    "simple_rnn_skips_zeros": Fault(
        "ops.simple_rnn", "recurrence.long-sequence", "state from the one before", simple_rnn_skips_zeros
    ),
    "begun_anew_after_32": Fault("ops.simple_rnn", "recurrence.long-sequence", "state from", begun_anew_after_32),
    "sequence_units_lost": Fault(
        "ops.simple_rnn", "recurrence.sequence-any-size", "state from the one before", lose_remainder(-1, 32)
    ),
    "sequences_repeat_after_1024": Fault(
        "ops.simple_rnn", "recurrence.sequence-any-size", "float32[1031, 2, 4]", sequences_repeat_after_1024
    ),
    "run_backwards": Fault("ops.simple_rnn", "recurrence.looks-back-only", "before the last", run_backwards),
    "gates_in_another_order": Fault("ops.lstm_cell", "recurrence.lstm-cell", "hidden", gates_in_another_order),
    "units_over_256_lost": Fault("ops.lstm_cell", "recurrence.lstm-any-size", "actual 0", lose_remainder(-1, 256)),
    "cell_limits_its_gates": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "differ", cell_limits_its_gates),
    "forget_gate_overflows": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "hidden: 60", gate_overflows(1)),
    "output_gate_overflows": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "hidden", gate_overflows(3)),
    "candidate_overflows": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "hidden: 60", gate_overflows(2)),
    "carries_clipped": Fault("ops.lstm_cell", "recurrence.lstm-any-carry", "carry", carries_clipped),
    "lstm_cell_masks_own_state": Fault(
        "ops.lstm_cell", "recurrence.lstm-calls-are-independent", "step 2 of 3", Masked()
    ),
    "lstm_reads_raw_memory": Fault("ops.lstm_cell", "recurrence.lstm-memory-order", "transposed", read_raw_memory),
    "lstm_carry_clipped_at_10": Fault("ops.lstm", "recurrence.lstm-long-sequence", "each carry", clip_carry(10)),
    "lstm_carry_clipped_at_100": Fault("ops.lstm", "recurrence.lstm-long-sequence", "each carry", clip_carry(100)),
    "lstm_skips_zeros": Fault("ops.lstm", "recurrence.lstm-long-sequence", "from the states before", lstm_skips_zeros),
    "forget_gate_open_by_default": Fault(
        "ops.lstm", "recurrence.lstm-long-sequence", "from the states before", forget_gate_open_by_default
    ),
    "lstm_begun_anew_after_64": Fault(
        "ops.lstm", "recurrence.lstm-long-sequence", "from the states before", lstm_begun_anew_after_64
    ),
    "one_step_alone": Fault("ops.lstm", "recurrence.lstm-sequence-any-size", "[1, 4]", one_step_alone),
    "over_the_batch": Fault("ops.lstm", "recurrence.lstm-sequence-any-size", "from the states before", over_the_batch),
    "last_sequence_first_for_one_unit": Fault(
        "ops.lstm", "recurrence.lstm-sequence-any-size", "lstm(float32[4, 3, 2]", last_sequence_first_for_one_unit
    ),
    "last_carry_repeated": Fault(
        "ops.lstm", "recurrence.lstm-sequence-any-size", "from the states before", repeat_last_carry
    ),
    "lstm_sequences_lost": Fault(
        "ops.lstm", "recurrence.lstm-sequence-any-size", "from the states before", lose_remainder(0, 16)
    ),
    "lstm_sequences_repeat_after_1024": Fault(
        "ops.lstm", "recurrence.lstm-sequence-any-size", "float32[1031, 2, 4]", sequences_repeat_after_1024
    ),
}
