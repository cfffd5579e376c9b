"""The recurrent network: lines 516 to 547 of the document."""

from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given

from assay.contract import INT
from assay.spec.error_bounds import recurrence_rounding, rounding
from assay.spec.error_bounds.measured_bounds import root_mean_square, to_float64
from assay.spec.semantics import layers, recurrence
from assay.spec.semantics.models import MODELS, NUM_CHARS, UNITS
from assay.spec.semantics.precision import use_precision
from assay.spec.semantics.recurrence import State
from assay.spec.vectors import read
from assay.testing import handcrafted_weights, initial_rnn, problems
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, few_examples
from assay.testing.initial_parameters import assert_unrelated_to
from assay.testing.networks import (
    assert_certain,
    assert_dense,
    assert_parameters,
    assert_solved_in_any_order,
    case,
    layer_outputs,
    outputs_of,
    solve,
)
from assay.testing.problems import SEQ_LENGTH
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_results_are_new
from assay.testing.strategies import seeds

DOCUMENT = read("rnn")
NAMES = ["one_hot", "cell", "dense", "softmax"]
SHAPES = MODELS["rnn"].shapes
BATCH = 4
KERNELS = ["cell/kernel", "dense/kernel"]

problem_of = cache(problems.rnn)
any_batch = pytest.mark.parametrize("batch", [1, BATCH, 7])


def run(models, problem):
    """Run the model of a problem, and check the names of its layers."""
    return outputs_of(models, problem, NAMES)


def with_windows(problem, windows):
    """Return the problem with other windows, and with its targets repeated to their number."""
    return problem._replace(inputs=windows, targets=np.resize(problem.targets, len(windows)))


def assert_shape(models, seed, layer, batch, shape):
    """Compare the shape of a layer's output with the comment in the document."""
    problem = problem_of(seed)
    found = run(models, with_windows(problem, np.resize(problem.inputs, (batch, SEQ_LENGTH))))
    assert_form(layer, found[layer], (batch, *shape))


@claim("rnn.layer-order")
def test_layer_order(models, seed):
    found = list(run(models, problem_of(seed)))
    assert found == NAMES, f"the layers are in the order {', '.join(found)}, expected {', '.join(NAMES)}"


@claim("rnn.one-hot")
@few_examples(2)
@given(seed=seeds())
def test_one_hot(models, seed):
    problem = problem_of(seed)
    assert_equal("one_hot", run(models, problem)["one_hot"], layers.one_hot(problem.inputs, NUM_CHARS))


@claim("rnn.one-hot-shape")
@any_batch
def test_one_hot_shape(models, seed, batch):
    assert_shape(models, seed, "one_hot", batch, (SEQ_LENGTH, NUM_CHARS))


@claim("rnn.one-hot-any-rank")
@pytest.mark.parametrize(
    "shape", [(), (3,), (2, 3), (2, 3, 4), (3, 1), (1, 3), (3, 3, 3), (5,), (3, 5), (5, 5), (2, 5, 3)]
)
def test_one_hot_any_rank(ops, seed, shape):
    labels = np.random.default_rng(seed).integers(0, 5, shape, np.int32)
    assert_equal("one_hot", ops.one_hot(labels, 5), layers.one_hot(labels, 5))


@claim("rnn.cell-shape")
@any_batch
def test_cell_shape(models, seed, batch):
    assert_shape(models, seed, "cell", batch, (DOCUMENT["units"],))


@claim("rnn.dense-shape")
@any_batch
def test_dense_shape(models, seed, batch):
    assert_shape(models, seed, "dense", batch, (NUM_CHARS,))


def cell_parameters(problem):
    """Return kernel, recurrent kernel and bias of the cell, float32."""
    return [problem.parameters[f"cell/{name}"] for name in ("kernel", "recurrent_kernel", "bias")]


def compute_states(ops, problem, time=6):
    """Run the cell over the first characters of a problem, and check the form of its states."""
    one_hot = layers.one_hot(problem.inputs[:, :time], NUM_CHARS).astype(np.float32)
    found = ops.lstm(one_hot, *cell_parameters(problem))
    assert len(found) == len(State._fields)
    shape = (len(one_hot), time, UNITS)
    return one_hot, State(*(assert_form(*one, shape) for one in zip(State._fields, found, strict=True)))


def assert_step(problem, inputs, before, after, t):
    """Compare both states with the definition, applied to the states before."""
    arguments = (to_float64(inputs), State(*map(to_float64, before)), *map(to_float64, cell_parameters(problem)))
    bounds = recurrence_rounding.lstm_cell(*arguments)
    for name, *one in zip(State._fields, after, recurrence.lstm_cell(*arguments), bounds, strict=True):
        assert_within(f"{name} at {t}", *one)


@claim("rnn.two-states")
def test_two_states(ops, seed):
    compute_states(ops, problem_of(seed))


@claim("rnn.initial-state")
@few_examples(2)
@given(seed=seeds())
def test_initial_state(ops, seed):
    problem = problem_of(seed)
    one_hot, states = compute_states(ops, problem)
    first = State(*(kind[:, 0] for kind in states))
    zeros = State(*map(np.zeros_like, first))
    assert_step(problem, one_hot[:, 0], zeros, first, 0)


@claim("rnn.carried-on")
@few_examples(2)
@given(seed=seeds())
def test_carried_on(ops, seed):
    problem = problem_of(seed)
    one_hot, states = compute_states(ops, problem)
    for t in range(1, one_hot.shape[1]):
        before, after = (State(*(kind[:, at] for kind in states)) for at in (t - 1, t))
        assert_step(problem, one_hot[:, t], before, after, t)


# New carry and output for a carry of 3, if the named part has a large negative bias, and all others a positive one.
GATES = {
    "input gate": (3.0, np.tanh(3)),
    "forget gate": (1.0, np.tanh(1)),
    "candidate": (2.0, np.tanh(2)),
    "output gate": (4.0, 0.0),
}


@claim("rnn.gates")
@pytest.mark.parametrize("gate", GATES)
def test_gates(ops, gate):
    carry, hidden = GATES[gate]
    bias = np.full((len(GATES), 2), handcrafted_weights.OPEN, np.float32)
    bias[list(GATES).index(gate)] *= -1
    inputs, before = np.zeros((1, 3), np.float32), State(np.zeros((1, 2), np.float32), np.full((1, 2), 3, np.float32))
    weights = (np.zeros((3, 8), np.float32), np.zeros((2, 8), np.float32), bias.ravel())
    bounds = recurrence_rounding.lstm_cell(
        to_float64(inputs), State(*map(to_float64, before)), *map(to_float64, weights)
    )
    # What a closed gate lets through of a value up to 4.
    leak = 4 * layers.sigmoid(-handcrafted_weights.OPEN)
    found = ops.lstm_cell(inputs, *before, *weights)
    for name, actual, expected, bound in zip(State._fields, found, (hidden, carry), bounds, strict=True):
        assert_within(name, actual, np.full((1, 2), expected), bound + leak)


@claim("rnn.cell-output")
@few_examples(2)
@given(seed=seeds())
def test_cell_output(models, seed):
    one = case(problems.rnn, layer_outputs, seed)
    assert_close("layer_outputs", run(models, one.problem), {"cell": one.expected["cell"]}, one.bounds)


@claim("rnn.dense-output")
@few_examples(2)
@given(seed=seeds())
def test_dense_output(models, seed):
    problem = problem_of(seed)
    assert_dense(run(models, problem), problem, "dense", "cell")


@claim("rnn.dense-is-linear")
@few_examples(2)
@given(seed=seeds())
def test_dense_is_linear(models, seed):
    result = assert_form("dense", run(models, problem_of(seed))["dense"], (BATCH, NUM_CHARS))
    assert result.min() < 0 < result.max(), (
        f"the outputs of dense are {result.min()} to {result.max()}, expected both signs"
    )


@claim("rnn.softmax-output")
@few_examples(2)
@given(seed=seeds())
def test_softmax_output(models, seed):
    found = run(models, problem_of(seed))
    scores = to_float64(found["dense"])
    assert_within("softmax", found["softmax"], layers.softmax(scores), rounding.softmax(scores))


@claim("rnn.softmax-output")
def test_certain_output(models, seed):
    assert_certain(models, "rnn", "dense/bias", problem_of(seed))


@claim("rnn.output-is-a-distribution")
@few_examples(2)
@given(seed=seeds())
def test_output_is_a_distribution(models, seed):
    found = run(models, problem_of(seed))
    result = assert_form("the output", found["softmax"], (BATCH, NUM_CHARS))
    assert (result >= 0).all(), f"there are negative probabilities, down to {result.min()}"
    bound = rounding.softmax(to_float64(found["dense"])).sum(axis=-1)
    assert_within("the sum of a row", to_float64(result).sum(axis=-1), np.ones(BATCH), bound, np.dtype(np.float64))


@claim("rnn.whole-network")
@few_examples(2)
@given(seed=seeds())
def test_whole_network(models, seed):
    one = case(problems.rnn, layer_outputs, seed)
    assert_close("layer_outputs", run(models, one.problem), one.expected, one.bounds)


def most_probable_characters(models, parameters, windows):
    """Return the most probable character after each window."""
    found = models.layer_outputs("rnn", parameters, windows)["dense"]
    return assert_form("dense", found, (len(windows), NUM_CHARS)).argmax(axis=-1)


@claim("rnn.last-output-is-used")
def test_last_output_is_used(models, seed):
    windows = problem_of(seed).inputs
    found = most_probable_characters(models, handcrafted_weights.successor_of_the_last(), windows)
    assert_equal("the most probable characters", found.astype(np.int32), (windows[:, -1] + 1) % NUM_CHARS, INT)


@claim("rnn.remembers")
def test_remembers(models, seed):
    windows = problem_of(seed).inputs
    found = most_probable_characters(models, handcrafted_weights.first_of_the_window(), windows)
    assert_equal("the most probable characters", found.astype(np.int32), windows[:, 0], INT)


def assert_outputs_change(models, one, windows):
    """Check that other windows change every output of `cell` by more than two rounding errors."""
    found, others = (
        to_float64(run(models, problem)["cell"]) for problem in (one.problem, with_windows(one.problem, windows))
    )
    changes = [root_mean_square(row) for row in others - found]
    # The root mean square over the batch is at least half of that over one of its four windows.
    bound = 2 * 2 * one.bounds["cell"]
    assert min(changes) > bound, f"the outputs change by {changes}, expected more than {bound:.3g}"


@use_precision("float32")
def solve_in_float32(seed):
    """Return a problem and its bounds in float32; an input without effect changes nothing in any precision."""
    return solve(problems.rnn(seed), layer_outputs)


@claim("rnn.first-character-counts")
@few_examples(2)
@given(seed=seeds())
def test_first_character_counts(models, seed):
    one = solve_in_float32(seed)
    windows = one.problem.inputs.copy()
    windows[:, 0] = (windows[:, 0] + 1) % NUM_CHARS
    assert_outputs_change(models, one, windows)


@claim("rnn.order-counts")
@few_examples(2)
@given(seed=seeds())
def test_order_counts(models, seed):
    one = case(problems.rnn, layer_outputs, seed)
    assert_outputs_change(models, one, one.problem.inputs[:, ::-1].copy())


@claim("rnn.begins-anew")
@few_examples(2)
@given(seed=seeds())
def test_begins_anew(models, seed):
    one = case(problems.rnn, layer_outputs, seed)
    run(models, with_windows(one.problem, one.problem.inputs[::-1].copy()))
    assert_close("layer_outputs after another batch", run(models, one.problem), one.expected, one.bounds)


@claim("rnn.windows-are-independent")
@few_examples(2)
@given(seed=seeds())
def test_windows_are_independent(models, seed):
    one = case(problems.rnn, layer_outputs, seed)
    first = solve(with_windows(one.problem, one.problem.inputs[:1]), layer_outputs)
    assert_close("layer_outputs of a window alone", run(models, first.problem), first.expected, first.bounds)


@claim("rnn.any-length")
@pytest.mark.parametrize("length", [1, SEQ_LENGTH - 1, SEQ_LENGTH + 1])
def test_any_length(models, seed, length):
    problem = problem_of(seed)
    one = solve(with_windows(problem, np.resize(problem.inputs, (BATCH, length))), layer_outputs)
    assert_close(f"layer_outputs of windows of {length}", run(models, one.problem), one.expected, one.bounds)


@claim("rnn.any-batch-size")
@pytest.mark.parametrize("batch", [1, 2, 50, 131])
def test_any_batch_size(models, seed, batch):
    windows = np.random.default_rng(seed).integers(0, NUM_CHARS, (batch, SEQ_LENGTH), np.int32)
    found = most_probable_characters(models, handcrafted_weights.successor_of_the_last(), windows)
    assert_equal("the most probable characters", found.astype(np.int32), (windows[:, -1] + 1) % NUM_CHARS, INT)


# Number of windows in a batch of the document (line 571), and in the first part of it.
WHOLE, PART = 50, 3


@claim("rnn.parts-of-a-batch")
def test_parts_of_a_batch(models, seed):
    windows = np.random.default_rng(seed).integers(0, NUM_CHARS, (WHOLE, SEQ_LENGTH), np.int32)
    bounds = case(problems.rnn, layer_outputs, seed).bounds
    whole, first, others = (run(models, with_windows(problem_of(seed), some)) for some in split_batch(windows))
    for name in NAMES[1:]:
        together = np.concatenate([first[name], others[name]])
        # Each of the two results has its own rounding errors.
        twice = {name: 2 * bounds[name]}
        assert_close("layer_outputs of 50 windows", {name: whole[name]}, {name: to_float64(together)}, twice)


def split_batch(batch):
    """Return a batch, its first windows, and its other windows."""
    return batch, batch[:PART].copy(), batch[PART:].copy()


@claim("rnn.any-size")
def test_any_size(models, seed):
    # More characters than a byte has values, and windows longer than the usual block sizes.
    one = case(problems.rnn, layer_outputs, seed, batch=3, num_chars=300, seq_length=67)
    assert_close("layer_outputs", run(models, one.problem), one.expected, one.bounds)


@claim("rnn.batch-of-1-by-accident")
def test_batch_of_1_by_accident(keras, seed):
    problem = problem_of(seed)
    cell = create_cell(keras, problem)
    states = [keras.to_tensor(np.zeros((BATCH, UNITS), np.float32))] * 2
    one_hot = layers.one_hot(problem.inputs[:, 0], NUM_CHARS).astype(np.float32)
    output, _ = cell(keras.to_tensor(one_hot[:1]), states)
    rows = assert_form("the output", keras.to_numpy(output), (BATCH, UNITS))
    assert_equal("the rows of the output", rows, np.repeat(rows[:1], BATCH, axis=0))
    with pytest.raises(Exception):  # noqa: B017, PT011 - the class of the error depends on the framework
        cell(keras.to_tensor(one_hot[:2]), states)


@cache
def initial_parameters(models, seed):
    """Return the parameters of a new model."""
    return models.initial_parameters("rnn", seed)


@claim("rnn.parameter-names")
def test_parameter_names(models, seed):
    assert sorted(initial_parameters(models, seed)) == sorted(SHAPES)


@claim("rnn.cell-parameters")
def test_cell_parameters(models, seed):
    assert_parameters(initial_parameters(models, seed), "rnn", "cell", 321_536)


@claim("rnn.dense-parameters")
def test_dense_parameters(models, seed):
    assert_parameters(initial_parameters(models, seed), "rnn", "dense", 14_649)


@claim("rnn.parameter-count")
def test_parameter_count(models, seed):
    assert sum(np.size(value) for value in initial_parameters(models, seed).values()) == 336_185


@claim("rnn.initial-kernels")
@pytest.mark.parametrize("name", KERNELS)
def test_initial_kernels(models, seed, name):
    kernel = assert_form(name, initial_parameters(models, seed)[name], SHAPES[name])
    initial_rnn.assert_glorot_uniform(name, kernel)


@claim("rnn.initial-recurrent-kernel")
def test_initial_recurrent_kernel(models, permitted, seed):
    name = "cell/recurrent_kernel"
    kernel = assert_form(name, initial_parameters(models, seed)[name], SHAPES[name])
    permitted(initial_rnn.check_recurrent_kernel(name, kernel))


@claim("rnn.forget-bias")
def test_forget_bias(models, permitted, seed):
    initial = initial_parameters(models, seed)
    assert_equal("dense/bias", initial["dense/bias"], np.zeros(NUM_CHARS))
    bias = assert_form("cell/bias", initial["cell/bias"], SHAPES["cell/bias"])
    permitted(initial_rnn.check_bias("cell/bias", bias))


@claim("rnn.initial-draws")
def test_initial_draws(models, seed):
    initial = initial_parameters(models, seed)
    kernels = {name: assert_form(name, initial[name], SHAPES[name]) for name in KERNELS}
    for name, kernel in kernels.items():
        initial_rnn.assert_fully_resolved(name, kernel)
    initial_rnn.assert_drawn_apart(kernels)
    assert_unrelated_to(initial, initial_parameters(models, seed + 1))
    assert_results_are_new("initial_parameters", models.initial_parameters, ("rnn", seed))


@claim("rnn.new-models-differ")
@pytest.mark.parametrize("name", ["cell/kernel", "cell/recurrent_kernel", "dense/kernel"])
def test_new_models_differ(models, seed, name):
    first, second = (initial_parameters(models, one)[name] for one in (seed, seed + 1))
    assert (first != second).any(), f"the seeds {seed} and {seed + 1} give the same {name}"


@claim("rnn.new-models-differ")
def test_confusable_seeds(models, seed):
    assert_told_apart(
        "kernels", confusable_seeds(seed), lambda one: models.initial_parameters("rnn", one)["cell/kernel"]
    )


@claim("rnn.memory-order")
def test_memory_order(models, seed):
    assert_solved_in_any_order(case(problems.rnn, layer_outputs, seed), partial(run, models))


def create_cell(keras, problem):
    """Create an LSTMCell with the parameters of a problem."""
    cell = keras.namespace.layers.LSTMCell(units=UNITS)
    cell.build((None, NUM_CHARS))
    cell.set_weights(cell_parameters(problem))
    return cell


def initial_state(cell, batch):
    """Return the initial state of a cell; Keras 2 requires the dtype as well as the batch size."""
    try:
        return cell.get_initial_state(batch_size=batch)
    except (TypeError, ValueError):
        return cell.get_initial_state(batch_size=batch, dtype="float32")


@claim("rnn.state-size")
def test_state_size(keras):
    assert list(keras.namespace.layers.LSTMCell(units=UNITS).state_size) == [UNITS, UNITS]


@claim("rnn.cell-initializers")
def test_cell_initializers(keras):
    cell = keras.namespace.layers.LSTMCell(units=UNITS)
    cell.build((None, NUM_CHARS))
    kernel, recurrent_kernel, bias = cell.get_weights()
    initial_rnn.assert_glorot_uniform("the kernel", kernel)
    initial_rnn.check_recurrent_kernel("the recurrent kernel", recurrent_kernel)["orthogonal"]()
    initial_rnn.check_bias("the bias", bias)["forget-open"]()


@claim("rnn.get-initial-state")
def test_get_initial_state(keras, seed):
    cell = create_cell(keras, problem_of(seed))
    # A call must not change the initial state, and neither must an earlier number of examples.
    for batch, when in ((1, "at first"), (1, "after a call"), (50, "of more examples"), (2, "of fewer examples")):
        states = initial_state(cell, batch)
        assert len(states) == len(State._fields)
        for name, state in zip(State._fields, states, strict=True):
            assert_equal(f"{name} {when}", keras.to_numpy(state), np.zeros((batch, UNITS)))
        cell(keras.to_tensor(np.ones((batch, NUM_CHARS), np.float32)), states)


def run_cell(keras, cell, one_hot, state):
    """Call the cell at every time step; return the last output and states."""
    for t in range(one_hot.shape[1]):
        output, state = cell(one_hot[:, t, :], state)
    return output, state


@claim("rnn.cell-call")
def test_cell_call(keras, seed):
    problem = problem_of(seed)
    cell = create_cell(keras, problem)
    one_hot = keras.to_tensor(layers.one_hot(problem.inputs[:, 0], NUM_CHARS).astype(np.float32))
    output, states = cell(one_hot, initial_state(cell, BATCH))
    assert len(states) == len(State._fields)
    assert_equal("the output", keras.to_numpy(output), keras.to_numpy(states[0]))


def one_hot_windows(keras, problem):
    """Return the one-hot vectors of a problem's windows as a tensor."""
    return keras.to_tensor(layers.one_hot(problem.inputs, NUM_CHARS).astype(np.float32))


def assert_cell(keras, one, output):
    """Compare the last output with the definition."""
    found = {"cell": keras.to_numpy(output)}
    assert_close("the last output", found, {"cell": one.expected["cell"]}, one.bounds)


@claim("rnn.cell-in-a-loop")
def test_cell_in_a_loop(keras, seed):
    one = case(problems.rnn, layer_outputs, seed)
    cell = create_cell(keras, one.problem)
    output, _ = run_cell(keras, cell, one_hot_windows(keras, one.problem), initial_state(cell, BATCH))
    assert_cell(keras, one, output)


@claim("rnn.rnn-layer")
def test_rnn_layer(keras, seed):
    one = case(problems.rnn, layer_outputs, seed)
    layer = keras.namespace.layers.RNN(create_cell(keras, one.problem))
    assert_cell(keras, one, layer(one_hot_windows(keras, one.problem)))


@claim("rnn.lstm-layer")
def test_lstm_layer(keras, seed):
    one = case(problems.rnn, layer_outputs, seed)
    layer = keras.namespace.layers.LSTM(units=UNITS)
    layer(one_hot_windows(keras, one.problem))
    layer.set_weights(cell_parameters(one.problem))
    assert_cell(keras, one, layer(one_hot_windows(keras, one.problem)))


def create_model(keras, problem):
    """Create a model of the document's class, with any batch size and length, and set the parameters of a problem."""

    class RNN(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.cell = create_cell(keras, problem)
            self.dense = keras.namespace.layers.Dense(units=NUM_CHARS)

        def call(self, inputs, from_logits=False):  # noqa: FBT002 - the document's signature
            output, _ = run_cell(keras, self.cell, inputs, initial_state(self.cell, inputs.shape[0]))
            logits = self.dense(output)
            return logits if from_logits else keras.namespace.layers.Softmax()(logits)

    model = RNN()
    model(one_hot_windows(keras, problem))
    model.dense.set_weights([problem.parameters["dense/kernel"], problem.parameters["dense/bias"]])
    return model


@claim("rnn.call-argument")
def test_call_argument(keras, seed):
    one = case(problems.rnn, layer_outputs, seed)
    found = create_model(keras, one.problem)(one_hot_windows(keras, one.problem), from_logits=True)
    assert_close("the model", {"dense": keras.to_numpy(found)}, {"dense": one.expected["dense"]}, one.bounds)


@claim("rnn.call-default")
def test_call_default(keras, seed):
    one = case(problems.rnn, layer_outputs, seed)
    found = create_model(keras, one.problem)(one_hot_windows(keras, one.problem))
    assert_close("the model", {"softmax": keras.to_numpy(found)}, {"softmax": one.expected["softmax"]}, one.bounds)
