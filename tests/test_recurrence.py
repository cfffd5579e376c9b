"""Recurrent cells and layers: lines 630 to 651 of the document."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.contract import Array
from assay.spec.error_bounds import recurrence_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import layers, recurrence
from assay.spec.semantics.recurrence import State
from assay.testing import cases as fixed
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.cases import ODD
from assay.testing.operations import (
    LSTM,
    LSTM_CELL,
    SIMPLE_RNN,
    SIMPLE_RNN_CELL,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    assert_steps_continue,
    one_by_one,
)
from assay.testing.strategies import arrays, whole_arrays

# Batch, time, input_dim and units: all 1, and twice with four different sizes.
SHAPES = ((1, 1, 1, 1), (2, 4, 3, 5), (3, 5, 4, 2))
activations = st.sampled_from([None, "relu", "tanh", "sigmoid"])
# Repeated products of numbers up to 1 do not overflow float32.
LIMIT = 1.0


def signs(shape):
    """Return a strategy for float32 arrays of -1, 0 and 1, whose products and sums are exact."""
    return whole_arrays(shape).map(np.sign)


class Case(NamedTuple):
    """A sequence for the simple recurrence, float32.

    Attributes:
        inputs: [batch, time, input_dim].
        kernel: U, [input_dim, units].
        recurrent_kernel: W, [units, units].

    """

    inputs: Array
    kernel: Array
    recurrent_kernel: Array


@st.composite
def cases(draw, of=lambda shape: arrays(shape, LIMIT)):
    """Draw a sequence, and kernels; `of` maps a shape to the strategy for an array."""
    batch, time, input_dim, units = draw(st.sampled_from(SHAPES))
    return Case(*(draw(of(shape)) for shape in ((batch, time, input_dim), (input_dim, units), (units, units))))


# Far above the overflow of exp in float32, but within the range of every format that products may be rounded to.
LARGEST_SUM = 1e4
some_shapes = pytest.mark.parametrize("shape", SHAPES[1:])


def case_of_signs(seed, shape):
    """Return a sequence and kernels of -1, 0 and 1, so that all sums are exact."""
    batch, time, input_dim, units = shape
    generator = np.random.default_rng(seed)
    shapes = ((batch, time, input_dim), (input_dim, units), (units, units))
    return Case(*(generator.integers(-1, 2, one).astype(np.float32) for one in shapes))


def compute_states(ops, case, activation="tanh"):
    """Run the recurrence over a sequence, and check the form of its states."""
    batch, time, _ = case.inputs.shape
    states = ops.simple_rnn(*case, activation=activation)
    return assert_form("simple_rnn", states, (batch, time, case.kernel.shape[1]))


def assert_step(case, before, after, t, activation):
    """Compare a state with the definition, applied to the state before."""
    arguments = (*map(to_float64, (case.inputs[:, t], before, case.kernel, case.recurrent_kernel)), activation)
    bound = recurrence_rounding.simple_rnn_cell(*arguments)
    assert_within(f"the state at {t}", after, recurrence.simple_rnn_cell(*arguments), bound)


@claim("recurrence.initial-state")
@given(case=cases(), activation=activations)
def test_initial_state(ops, case, activation):
    states = compute_states(ops, case, activation)
    assert_step(case, np.zeros_like(states[:, 0]), states[:, 0], 0, activation)


@claim("recurrence.step")
@given(case=cases(), activation=activations)
def test_step(ops, case, activation):
    states = compute_states(ops, case, activation)
    for t in range(1, states.shape[1]):
        assert_step(case, states[:, t - 1], states[:, t], t, activation)


@claim("recurrence.state-per-input")
@pytest.mark.parametrize(("batch", "time", "input_dim", "units"), SHAPES)
def test_state_per_input(ops, batch, time, input_dim, units):
    ones = (np.ones(shape, np.float32) for shape in ((batch, time, input_dim), (input_dim, units), (units, units)))
    assert_form("simple_rnn", ops.simple_rnn(*ones), (batch, time, units))


@claim("recurrence.looks-back-only")
@some_shapes
def test_looks_back_only(ops, seed, shape):
    case = case_of_signs(seed, shape)
    changed = case.inputs.copy()
    changed[:, -1] += 1
    expected = compute_states(ops, case, "relu")[:, :-1]
    found = compute_states(ops, case._replace(inputs=changed), "relu")
    assert_equal("the states before the last", found[:, :-1], expected)


@claim("recurrence.remembers")
@given(inputs=st.sampled_from([(1, 6, 2), (3, 4, 5)]).flatmap(whole_arrays))
def test_remembers(ops, inputs):
    unit = np.eye(inputs.shape[-1], dtype=np.float32)
    states = compute_states(ops, Case(inputs, unit, unit), None)
    assert_equal("the states", states, np.cumsum(inputs, axis=1))


@claim("recurrence.same-step-at-all-times")
@some_shapes
def test_same_step_at_all_times(ops, seed, shape):
    case = case_of_signs(seed, shape)
    later = np.concatenate([np.zeros_like(case.inputs[:, :1]), case.inputs], axis=1)
    found = compute_states(ops, case._replace(inputs=later), "relu")
    expected = np.concatenate([np.zeros_like(found[:, :1]), compute_states(ops, case, "relu")], axis=1)
    assert_equal("the states of the delayed sequence", found, expected)


@claim("recurrence.any-length")
@some_shapes
@pytest.mark.parametrize("length", [1, 2, 3])
def test_any_length(ops, seed, shape, length):
    case = case_of_signs(seed, shape)
    shorter = case._replace(inputs=case.inputs[:, :length].copy())
    assert_equal(
        "the first states", compute_states(ops, shorter, "relu"), compute_states(ops, case, "relu")[:, :length]
    )


@claim("recurrence.sequences-are-independent")
@some_shapes
def test_sequences_are_independent(ops, seed, shape):
    case = case_of_signs(seed, shape)
    alone = case._replace(inputs=case.inputs[:1].copy())
    assert_equal(
        "the states of a sequence alone", compute_states(ops, alone, "relu"), compute_states(ops, case, "relu")[:1]
    )


@claim("recurrence.input-transform")
@given(case=cases(signs))
def test_input_transform(ops, case):
    inputs, kernel, recurrent_kernel = case.inputs[:, 0].copy(), case.kernel, case.recurrent_kernel
    state = np.zeros((len(inputs), kernel.shape[1]), np.float32)
    assert_equal("the state", ops.simple_rnn_cell(inputs, state, kernel, recurrent_kernel, None), inputs @ kernel)


@claim("recurrence.state-transform")
@given(case=cases(signs), sign=st.sampled_from([-1, 1]))
def test_state_transform(ops, case, sign):
    # Every element of the state is different, so that a transposed product shows.
    state = sign * np.cumsum(np.ones((len(case.inputs), case.kernel.shape[1]), np.float32)).reshape(
        len(case.inputs), -1
    )
    state = state.astype(np.float32)
    found = ops.simple_rnn_cell(np.zeros_like(case.inputs[:, 0]), state, case.kernel, case.recurrent_kernel, None)
    assert_equal("the state", found, state @ case.recurrent_kernel)


@claim("recurrence.activation-of-the-sum")
def test_activation_of_the_sum(ops):
    one = np.ones((1, 1), np.float32)
    # The sums are 3 - 2 = 1 and -2 + 1 = -1. With relu applied to each part, the results would be 3 and 1.
    found = [ops.simple_rnn_cell(x * one, s * one, one, one, "relu").item() for x, s in ((3, -2), (-2, 1))]
    assert found == [1, 0], f"relu of the sums 3 - 2 and -2 + 1 is {found}, expected [1, 0]"


def run_cell_step(ops, case, activation):
    """Run one step on the first inputs of a sequence, from a state with the numbers of the recurrent kernel."""
    inputs = case.inputs[:, 0].copy()
    state = np.resize(case.recurrent_kernel, (len(inputs), case.kernel.shape[1]))
    arguments = (inputs, state, case.kernel, case.recurrent_kernel)
    return arguments, ops.simple_rnn_cell(*arguments, activation)


@claim("recurrence.cell")
@given(case=cases(), activation=activations)
def test_cell(ops, case, activation):
    arguments, found = run_cell_step(ops, case, activation)
    exact = (*map(to_float64, arguments), activation)
    assert_within("the state", found, recurrence.simple_rnn_cell(*exact), recurrence_rounding.simple_rnn_cell(*exact))


# Batch, input_dim and units: each larger than the usual block sizes once, and one case of equal sizes.
LARGE_SHAPES = ((67, 131, 33), (3, 5, 300), (ODD, 3, 4), (17, 17, 17))
any_size = pytest.mark.parametrize(("batch", "input_dim", "units"), LARGE_SHAPES)


def simple_arguments(seed, batch, input_dim, units):
    """Draw inputs, state and kernels of a step, with sums of about 1."""
    scale = 1 / np.sqrt(input_dim + units)
    inputs, state = fixed.normal(seed, (batch, input_dim), (batch, units))
    return inputs, state, *fixed.normal(seed + 1, (input_dim, units), (units, units), scale=scale)


def lstm_arguments(seed, batch, input_dim, units):
    """Draw the arguments of a step of the LSTM cell, with sums of about 1."""
    scale = 1 / np.sqrt(input_dim + units)
    inputs, hidden, carry, bias = fixed.normal(seed, (batch, input_dim), (batch, units), (batch, units), (4 * units,))
    kernels = fixed.normal(seed + 1, (input_dim, 4 * units), (units, 4 * units), scale=scale)
    return inputs, hidden, carry, *kernels, bias


@claim("recurrence.cell-any-size")
@any_size
def test_cell_any_size(ops, seed, batch, input_dim, units):
    arguments = simple_arguments(seed, batch, input_dim, units)
    for activation in ("tanh", {ODD: None, 67: "sigmoid"}.get(batch, "relu")):
        assert_correct(SIMPLE_RNN_CELL, ops.simple_rnn_cell, *arguments, activation)


# A multiple of the usual block sizes. For such sizes, some frameworks compute products with fewer bits.
BLOCKS = 64


def single_weights(seed, gates):
    """Draw two kernels with one weight for each unit, so that no sum hides the rounding error of a single product."""
    columns = gates * BLOCKS
    rows = np.random.default_rng(seed).integers(0, BLOCKS, (2, columns))
    kernels = np.zeros((2, BLOCKS, columns), np.float32)
    for kernel, row, weights in zip(kernels, rows, fixed.normal(seed, (columns,), (columns,)), strict=True):
        kernel[row, np.arange(columns)] = weights
    return kernels


@claim("recurrence.cell-any-size")
def test_cell_of_single_weights(ops, seed):
    inputs, state = fixed.normal(seed, (BLOCKS, BLOCKS), (BLOCKS, BLOCKS))
    assert_correct(SIMPLE_RNN_CELL, ops.simple_rnn_cell, inputs, state, *single_weights(seed, 1), None)


@claim("recurrence.cell-saturated")
@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
def test_cell_saturated(ops, activation):
    sums = fixed.EDGES[np.abs(fixed.EDGES) <= LARGEST_SUM][:, None]
    one, zeros = np.ones((1, 1), np.float32), np.zeros_like(sums)
    assert_correct(SIMPLE_RNN_CELL, ops.simple_rnn_cell, sums, zeros, one, one, activation)
    assert_correct(SIMPLE_RNN_CELL, ops.simple_rnn_cell, zeros, sums, one, one, activation)


def with_zeros_at_some_times(sequences):
    """Set the inputs to 0 at some times of one sequence, and at some times of all sequences."""
    silent = sequences.copy()
    silent[0, 1::3] = 0
    silent[:, [0, -2, -1]] = 0
    return silent


@claim("recurrence.long-sequence")
def test_long_sequence(ops, seed):
    inputs, _, *kernels = simple_arguments(seed, 131 * 2, 3, 5)
    sequences = inputs.reshape(2, 131, 3)
    assert_correct(SIMPLE_RNN, ops.simple_rnn, sequences, *kernels)
    assert_correct(SIMPLE_RNN, ops.simple_rnn, with_zeros_at_some_times(sequences), *kernels)


@claim("recurrence.sequence-any-size")
@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
def test_sequence_any_size(ops, seed, activation):
    inputs, _, *kernels = simple_arguments(seed, 33 * 3, 131, 65)
    sequences = inputs.reshape(33, 3, 131)
    # Sums of the usual size, and far above the overflow of exp.
    for scale in (1, 1000):
        assert_correct(SIMPLE_RNN, ops.simple_rnn, np.float32(scale) * sequences, *kernels, activation)


# Batch and time: one step; as many steps as sequences, where a recurrence over the wrong axis has the right shape; a
# single sequence, as in the generation of text; and more sequences than the usual block sizes.
EQUAL_AXES = pytest.mark.parametrize(("batch", "time"), [(1, 1), (3, 1), (5, 5), (1, 7), (ODD, 2)])


@claim("recurrence.sequence-any-size")
@EQUAL_AXES
def test_sequence_of_equal_axes(ops, seed, batch, time):
    inputs, _, *kernels = simple_arguments(seed, batch * time, 4, 4)
    assert_correct(SIMPLE_RNN, ops.simple_rnn, inputs.reshape(batch, time, 4), *kernels)


@claim("recurrence.sequence-any-size")
def test_sequence_of_single_weights(ops, seed):
    (sequences,) = fixed.normal(seed, (BLOCKS, 2, BLOCKS))
    assert_correct(SIMPLE_RNN, ops.simple_rnn, sequences, *single_weights(seed, 1), None)


@claim("recurrence.calls-are-independent")
def test_calls_are_independent(ops, seed):
    first, second, larger = (
        simple_arguments(seed + 2 * i, *shape) for i, shape in enumerate([(3, 4, 5), (3, 4, 5), (9, 7, 6)])
    )
    calls = *one_by_one((*first, "tanh"), (*second, "relu")), (*larger, None)
    assert_calls_are_independent(SIMPLE_RNN_CELL, ops.simple_rnn_cell, *calls)
    assert_steps_continue(SIMPLE_RNN_CELL, ops.simple_rnn_cell, first, lambda state, now: (now[0], state, *now[2:]))
    # `simple_rnn` takes inputs with a time axis, and no state.
    sequences = [(np.stack([inputs, 2 * inputs], axis=1), *weights) for inputs, _, *weights in calls]
    assert_calls_are_independent(SIMPLE_RNN, ops.simple_rnn, *sequences)


@claim("recurrence.memory-order")
def test_memory_order(ops, seed):
    inputs, state, *kernels = simple_arguments(seed, 3, 4, 5)
    assert_any_memory_order(SIMPLE_RNN_CELL, ops.simple_rnn_cell, inputs, state, *kernels)
    assert_any_memory_order(SIMPLE_RNN, ops.simple_rnn, np.stack([inputs, 2 * inputs], axis=1), *kernels)


@claim("recurrence.shapes")
@given(case=cases())
def test_shapes(ops, case):
    _, found = run_cell_step(ops, case, "tanh")
    assert_form("the state", found, (len(case.inputs), case.kernel.shape[1]))


@claim("recurrence.output")
@given(case=cases(), data=st.data())
def test_output(ops, case, data):
    states = compute_states(ops, case)
    output_kernel = data.draw(arrays((states.shape[-1], 3), LIMIT))
    arguments = (*map(to_float64, (states, output_kernel)), None)
    found = ops.dense(states, output_kernel)
    assert_within("the outputs", found, layers.dense(*arguments), rounding.dense(*arguments, None))


@claim("recurrence.layers")
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_layers(keras, name):
    found = [getattr(keras.namespace.layers, kind) for kind in (name, f"{name}Cell")]
    assert all(issubclass(kind, keras.namespace.layers.Layer) for kind in found)


@claim("recurrence.default-bias")
@pytest.mark.parametrize(("options", "count"), [({}, 3), ({"use_bias": False}, 2)])
def test_default_bias(keras, options, count):
    cell = keras.namespace.layers.SimpleRNNCell(4, **options)
    cell(keras.to_tensor(np.ones((2, 3), np.float32)), [keras.to_tensor(np.zeros((2, 4), np.float32))])
    assert [tuple(variable.shape) for variable in cell.trainable_variables] == [(3, 4), (4, 4), (4,)][:count]


@claim("recurrence.default-activation")
@given(case=cases())
def test_default_activation(keras, case):
    layer = keras.namespace.layers.SimpleRNN(units=case.kernel.shape[1], use_bias=False)
    first = case.inputs[:, :1].copy()
    layer(keras.to_tensor(first))
    layer.set_weights([case.kernel, case.recurrent_kernel])
    arguments = (*map(to_float64, (first[:, 0], case.kernel)), None)
    expected, bound = layers.dense(*arguments, "tanh"), rounding.dense(*arguments, "tanh")
    assert_within("the last state", keras.to_numpy(layer(keras.to_tensor(first))), expected, bound)


@st.composite
def lstm_cases(draw):
    """Draw the arguments of a step of the LSTM cell: inputs, hidden, carry, kernel, recurrent_kernel and bias."""
    batch, _, input_dim, units = draw(st.sampled_from(SHAPES))
    shapes = (
        (batch, input_dim),
        (batch, units),
        (batch, units),
        (input_dim, 4 * units),
        (units, 4 * units),
        (4 * units,),
    )
    return tuple(draw(arrays(shape, LIMIT)) for shape in shapes)


@claim("recurrence.lstm-cell")
@given(case=lstm_cases())
def test_lstm_cell(ops, case):
    inputs, hidden, carry, *weights = map(to_float64, case)
    expected = recurrence.lstm_cell(inputs, State(hidden, carry), *weights)
    bounds = recurrence_rounding.lstm_cell(inputs, State(hidden, carry), *weights)
    found = ops.lstm_cell(*case)
    assert len(found) == len(expected)
    for name, *values in zip(State._fields, found, expected, bounds, strict=True):
        assert_within(name, *values)


@claim("recurrence.lstm-any-size")
@any_size
def test_lstm_any_size(ops, seed, batch, input_dim, units):
    assert_correct(LSTM_CELL, ops.lstm_cell, *lstm_arguments(seed, batch, input_dim, units))


@claim("recurrence.lstm-any-size")
def test_lstm_of_single_weights(ops, seed):
    inputs, hidden, carry, _, _, bias = lstm_arguments(seed, BLOCKS, BLOCKS, BLOCKS)
    assert_correct(LSTM_CELL, ops.lstm_cell, inputs, hidden, carry, *single_weights(seed, 4), bias)


@claim("recurrence.lstm-saturated")
@pytest.mark.parametrize("gate", range(4), ids=["input gate", "forget gate", "candidate", "output gate"])
def test_lstm_saturated(ops, gate):
    # The sums of one gate reach the overflow of exp, once by the biases and once by the inputs.
    sums = fixed.EDGES[np.abs(fixed.EDGES) <= LARGEST_SUM]
    units = len(sums)
    bias = np.full((4, units), 0.5, np.float32)
    bias[gate] = sums
    carry = np.stack([np.full(units, 2.0), np.full(units, -0.75)]).astype(np.float32)
    kernels = np.zeros((1, 4 * units), np.float32), np.zeros((units, 4 * units), np.float32)
    zeros = np.zeros((2, 1), np.float32), np.zeros((2, units), np.float32), carry
    assert_correct(LSTM_CELL, ops.lstm_cell, *zeros, *kernels, bias.ravel())
    by_inputs = np.ones((2, 1), np.float32), zeros[1], carry, bias.ravel()[None], kernels[1]
    assert_correct(LSTM_CELL, ops.lstm_cell, *by_inputs, np.zeros(4 * units, np.float32))


@claim("recurrence.lstm-any-carry")
def test_lstm_any_carry(ops):
    carry = fixed.EDGES[None, np.abs(fixed.EDGES) <= LARGEST_SUM]
    units = carry.size
    kernels = np.zeros((1, 4 * units), np.float32), np.zeros((units, 4 * units), np.float32)
    inputs, hidden, bias = np.zeros((1, 1), np.float32), np.zeros_like(carry), np.ones(4 * units, np.float32)
    assert_correct(LSTM_CELL, ops.lstm_cell, inputs, hidden, carry, *kernels, bias)


@claim("recurrence.lstm-long-sequence")
def test_lstm_long_sequence(ops, seed):
    inputs, _, _, *weights = lstm_arguments(seed, 131 * 2, 3, 5)
    sequences = inputs.reshape(2, 131, 3)
    assert_correct(LSTM, ops.lstm, sequences, *weights)
    assert_correct(LSTM, ops.lstm, with_zeros_at_some_times(sequences), *weights)
    # A bias of 0 must not be replaced by a default, such as 1 for the forget gate.
    assert_correct(LSTM, ops.lstm, sequences, *weights[:2], np.zeros_like(weights[2]))
    # With open gates and a candidate of 1 or -1, the carry gains 1 or -1 at each step, up to 131.
    *kernels, _ = weights
    bias = np.array([[OPEN] * 5, [OPEN] * 5, [OPEN, -OPEN, OPEN, -OPEN, 0], [0] * 5], np.float32)
    assert_correct(LSTM, ops.lstm, sequences, *kernels, bias.ravel())


@claim("recurrence.lstm-sequence-any-size")
def test_lstm_sequence_any_size(ops, seed):
    # With one unit, four sequences have as many sums as there are gates in either direction.
    inputs, _, _, *weights = lstm_arguments(seed, 4 * 3, 2, 1)
    assert_correct(LSTM, ops.lstm, inputs.reshape(4, 3, 2), *weights)
    inputs, _, _, *weights = lstm_arguments(seed, 33 * 3, 131, 65)
    sequences = inputs.reshape(33, 3, 131)
    # Sums of the usual size, and far above the overflow of exp.
    for scale in (1, 1000):
        assert_correct(LSTM, ops.lstm, np.float32(scale) * sequences, *weights)


@claim("recurrence.lstm-sequence-any-size")
@EQUAL_AXES
def test_lstm_sequence_of_equal_axes(ops, seed, batch, time):
    inputs, _, _, *weights = lstm_arguments(seed, batch * time, 4, 4)
    assert_correct(LSTM, ops.lstm, inputs.reshape(batch, time, 4), *weights)


@claim("recurrence.lstm-sequence-any-size")
def test_lstm_sequence_of_single_weights(ops, seed):
    sequences, bias = fixed.normal(seed, (BLOCKS, 2, BLOCKS), (4 * BLOCKS,))
    assert_correct(LSTM, ops.lstm, sequences, *single_weights(seed, 4), bias)


@claim("recurrence.lstm-calls-are-independent")
def test_lstm_calls_are_independent(ops, seed):
    first, second, larger = (
        lstm_arguments(seed + 2 * i, *shape) for i, shape in enumerate([(3, 4, 5), (3, 4, 5), (9, 7, 6)])
    )
    calls = *one_by_one(first, second), larger
    assert_calls_are_independent(LSTM_CELL, ops.lstm_cell, *calls)
    assert_steps_continue(LSTM_CELL, ops.lstm_cell, first, lambda states, now: (now[0], *states, *now[3:]))
    # `lstm` takes inputs with a time axis, and no states.
    sequences = [(np.stack([inputs, 2 * inputs], axis=1), *weights) for inputs, _, _, *weights in calls]
    assert_calls_are_independent(LSTM, ops.lstm, *sequences)


@claim("recurrence.lstm-memory-order")
def test_lstm_memory_order(ops, seed):
    inputs, *states, kernel, recurrent_kernel, bias = lstm_arguments(seed, 3, 4, 5)
    weights = kernel, recurrent_kernel, bias
    assert_any_memory_order(LSTM_CELL, ops.lstm_cell, inputs, *states, *weights)
    assert_any_memory_order(LSTM, ops.lstm, np.stack([inputs, 2 * inputs], axis=1), *weights)


# The sigmoid of 40 differs from 1, and that of -40 from 0, by 4e-18, which is lost in a float32 sum with 1.
OPEN, SHUT = 40.0, -40.0


def carry_after(ops, *, write, keep, steps):
    """Return an initial carry, and the carry after some steps with the gates set by biases."""
    start = np.array([[1.0, -0.5]], np.float32)
    hidden, carry = np.zeros_like(start), start
    bias = np.repeat(np.array([write, keep, 1.0, 1.0], np.float32), 2)
    for _ in range(steps):
        hidden, carry = ops.lstm_cell(
            np.ones((1, 1), np.float32), hidden, carry, np.ones((1, 8), np.float32), np.ones((2, 8), np.float32), bias
        )
    return start, carry


@claim("recurrence.lstm-keeps")
def test_lstm_keeps(ops):
    steps = 100
    start, carry = carry_after(ops, write=SHUT, keep=OPEN, steps=steps)
    # Each step rounds the gate, one product and one sum. The value that is added is too small to change the carry.
    bound = np.abs(start) * steps * (rounding.sigmoid(np.ones_like(start)) + rounding.gamma(2))
    assert_within("the carry", carry, to_float64(start), bound)


@claim("recurrence.lstm-forgets")
def test_lstm_forgets(ops):
    _, carry = carry_after(ops, write=SHUT, keep=SHUT, steps=1)
    shut = layers.sigmoid(np.array([[SHUT, SHUT]]) + 3)
    # Inputs and hidden state add at most 3 to the sum of each gate, which opens the gates this far.
    assert_within("the carry", carry, np.zeros((1, 2)), 2 * (shut + rounding.sigmoid(shut)))


@claim("recurrence.lstm-fades")
def test_lstm_fades(ops):
    start = np.array([[1.0, -0.5]], np.float32)
    carry, weights = start, [np.zeros(shape, np.float32) for shape in ((1, 8), (2, 8), 8)]
    half = np.full_like(start, 0.5)
    for step in range(1, 11):
        _, carry = ops.lstm_cell(np.ones((1, 1), np.float32), np.zeros_like(start), carry, *weights)
        expected = to_float64(start) / 2**step
        # Each step rounds the gate, one product and one sum.
        bound = np.abs(expected) * step * (rounding.sigmoid(half) / half + rounding.gamma(2))
        assert_within(f"the carry after {step} steps", carry, expected, bound)


@claim("recurrence.fading")
def test_fading(ops):
    steps = 20
    inputs = np.zeros((1, steps, 2), np.float32)
    inputs[:, 0] = [1, -3]
    unit = np.eye(2, dtype=np.float32)
    states = compute_states(ops, Case(inputs, unit, unit / 2), None)
    assert_equal("the states", states, inputs[:, :1] * 0.5 ** np.arange(steps)[None, :, None])
