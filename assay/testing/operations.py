"""Checks of single operations against their definitions: one call, successive calls, and views of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import recurrence_rounding, rounding
from assay.spec.semantics import layers, losses, metrics, optimizers, recurrence
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.recurrence import State
from assay.testing.assertions import assert_form, assert_within
from assay.testing.stored_arrays import MEMORY_ORDERS, map_arrays, swap_elements

# Steps from each other: with the third, what is kept from two others can differ from what is kept from one.
STEPS = 3
Arguments = tuple[Any, ...]
Function = Callable[..., Any]


class Operation(NamedTuple):
    """An operation of the contract, with a check of its result against the definition.

    Attributes:
        name: Name for messages.
        check: Function of a description, the result and the arguments; raises an error if the result is wrong.

    """

    name: str
    check: Function


def compare(definition: Function, bound: Function) -> Function:
    """Return a check that every result is within its bound of the definition in float64."""

    def check(what: str, result: Any, *arguments: Any) -> None:  # noqa: ANN401 - whatever an implementation returned
        __tracebackhide__ = True
        exact = [*map(_to_float64, arguments)]
        expected, bounds = _tuple(definition(*exact)), _tuple(bound(*exact))
        found = _tuple(result)
        if len(found) != len(expected):
            msg = f"{what}: expected {len(expected)} results, got {len(found)}"
            raise NonConformanceError(msg)
        names = getattr(expected, "_fields", [""] * len(expected))
        for name, one, exact_one, bound_of_one in zip(names, found, expected, bounds, strict=True):
            assert_within(f"{what}, {name}" if name else what, one, exact_one, bound_of_one)

    return check


def _to_float64(argument: Any) -> Any:  # noqa: ANN401 - an argument of any function of the contract
    single = isinstance(argument, np.ndarray) and argument.dtype == np.float32
    return argument.astype(np.float64) if single else argument


def _tuple(results: Any) -> tuple[Any, ...]:  # noqa: ANN401 - one array or several
    return results if isinstance(results, tuple) else (results,)


def _no_bound(inputs: Array, *_others: Any) -> float:  # noqa: ANN401 - arguments that do not matter
    del inputs
    return 0.0


def _dense_bound(inputs: Array, kernel: Array, bias: Array | None = None, activation: str | None = None) -> Array:
    return rounding.dense(inputs, kernel, bias, activation)


def _sparse_crossentropy_bound(labels: Array, probabilities: Array) -> Array:
    return rounding.crossentropy(layers.one_hot(labels, probabilities.shape[-1]), probabilities)


def _one_hot(labels: Array, depth: int) -> Array:
    # Avoids a [depth, depth] matrix.
    return (labels[..., None] == np.arange(depth)).astype(np.float64)


def running_accuracy(batches: Sequence[tuple[Array, Array]]) -> Array:
    """Return the definition's accuracy after each batch."""
    metric, results = metrics.SparseCategoricalAccuracy(), []
    for labels, scores in batches:
        metric = metric.update(labels, scores)
        results.append(metric.result())
    return np.array(results)


def _accuracy_bound(batches: Sequence[tuple[Array, Array]]) -> Array:
    return np.array(rounding.quotient(running_accuracy(batches)))


def _check_simple_rnn(
    what: str,
    result: Any,  # noqa: ANN401 - whatever an implementation returned
    inputs: Array,
    kernel: Array,
    recurrent_kernel: Array,
    activation: str | None = "tanh",
) -> None:
    """Compare every state with the definition's step from the implementation's own previous state."""
    __tracebackhide__ = True
    states = assert_form(what, result, (*inputs.shape[:2], kernel.shape[1]))
    arguments = *map(_to_float64, (inputs, _before(states), kernel, recurrent_kernel)), activation
    expected, bound = recurrence.simple_rnn_cell(*arguments), recurrence_rounding.simple_rnn_cell(*arguments)
    assert_within(f"{what}, each state from the one before", states, expected, bound)


def _check_lstm(
    what: str,
    result: Any,  # noqa: ANN401 - whatever an implementation returned
    inputs: Array,
    *weights: Array,
) -> None:
    """Compare both states at every time with the definition's step from the implementation's own previous states."""
    __tracebackhide__ = True
    names = State._fields
    if len(result) != len(names):
        msg = f"{what}: expected hidden states and carries, got {len(result)} results"
        raise NonConformanceError(msg)
    shape = *inputs.shape[:2], len(weights[1])
    found = State(*(assert_form(f"{what}, {name}", one, shape) for name, one in zip(names, result, strict=True)))
    before = State(*(_to_float64(_before(states)) for states in found))
    arguments = _to_float64(inputs), before, *map(_to_float64, weights)
    expected, bounds = recurrence.lstm_cell(*arguments), recurrence_rounding.lstm_cell(*arguments)
    for name, states, exact, bound in zip(names, found, expected, bounds, strict=True):
        assert_within(f"{what}, each {name} from the states before", states, exact, bound)


def _before(states: Array) -> Array:
    """Return the state before every step, with zeros before the first: [batch, time, units]."""
    return np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)


def _lstm_cell(inputs: Array, hidden: Array, carry: Array, *weights: Array) -> State:
    return recurrence.lstm_cell(inputs, State(hidden, carry), *weights)


def _lstm_cell_bound(inputs: Array, hidden: Array, carry: Array, *weights: Array) -> State:
    return recurrence_rounding.lstm_cell(inputs, State(hidden, carry), *weights)


def _elementwise(name: str) -> Operation:
    function = layers.ACTIVATIONS[name]
    return Operation(name, compare(function, lambda inputs: rounding.ELEMENTWISE[name](function(inputs))))


DENSE = Operation("dense", compare(layers.dense, _dense_bound))
RELU, TANH, SIGMOID = map(_elementwise, ("relu", "tanh", "sigmoid"))
SOFTMAX = Operation("softmax", compare(layers.softmax, rounding.softmax))
SOFTMAX_WITH_TEMPERATURE = Operation(
    "softmax_with_temperature", compare(layers.softmax_with_temperature, rounding.softmax_with_temperature)
)
ONE_HOT = Operation("one_hot", compare(_one_hot, _no_bound))
CATEGORICAL_CROSSENTROPY = Operation(
    "categorical_crossentropy", compare(losses.categorical_crossentropy, rounding.crossentropy)
)
SPARSE_CATEGORICAL_CROSSENTROPY = Operation(
    "sparse_categorical_crossentropy", compare(losses.sparse_categorical_crossentropy, _sparse_crossentropy_bound)
)
MEAN_SQUARED_ERROR = Operation("mean_squared_error", compare(losses.mean_squared_error, rounding.mean_squared_error))
SGD_STEP = Operation("sgd_step", compare(optimizers.sgd_step, rounding.sgd_step))
ACCURACY = Operation("sparse_categorical_accuracy", compare(running_accuracy, _accuracy_bound))
SIMPLE_RNN_CELL = Operation("simple_rnn_cell", compare(recurrence.simple_rnn_cell, recurrence_rounding.simple_rnn_cell))
SIMPLE_RNN = Operation("simple_rnn", _check_simple_rnn)
LSTM_CELL = Operation("lstm_cell", compare(_lstm_cell, _lstm_cell_bound))
LSTM = Operation("lstm", _check_lstm)


def adam_step(*, adam: Adam) -> Operation:
    """Return Adam's step with its epsilon in one of the two places."""

    def step(*arguments: Any) -> AdamResults:  # noqa: ANN401 - of the function
        return AdamResults(*optimizers.adam_step(*arguments, adam=adam))

    def bound(*arguments: Any) -> tuple[Array, Array, Array]:  # noqa: ANN401
        return rounding.adam_step(*arguments, adam=adam)

    return Operation("adam_step", compare(step, bound))


class AdamResults(NamedTuple):
    """What a step of Adam returns.

    Attributes:
        parameter: After the step.
        first_moment: After the step.
        second_moment: After the step.

    """

    parameter: Array
    first_moment: Array
    second_moment: Array


def assert_correct(operation: Operation, function: Function, *arguments: Any) -> None:  # noqa: ANN401 - of the function
    """Call a function once and compare its result with the definition."""
    __tracebackhide__ = True
    operation.check(_describe(operation, arguments), function(*arguments), *arguments)


def assert_calls_are_independent(operation: Operation, function: Function, *calls: Arguments) -> None:
    """Call a function with several arguments in turn, then compare all results with the definition.

    The first call is repeated at the end, also with two elements swapped. This finds a result that depends on an
    earlier call, such as one found again by a part of its arguments, and a result that a later call changes, such as a
    reused buffer.
    """
    __tracebackhide__ = True
    in_turn = [*calls, calls[0], *swap_elements(calls[0])]
    results = [function(*arguments) for arguments in in_turn]
    for number, (result, arguments) in enumerate(zip(results, in_turn, strict=True), 1):
        what = f"call {number} of {len(in_turn)} in turn: {_describe(operation, arguments)}"
        operation.check(what, result, *arguments)


def assert_steps_continue(
    operation: Operation, function: Function, first: Arguments, next_of: Callable[[Any, Arguments], Arguments]
) -> None:
    """Check steps that each start from the result of the one before.

    This finds a function that recognizes its own result, and continues with what it has kept of it, such as a momentum.

    Args:
        operation: The operation.
        function: The function.
        first: Arguments of the first step.
        next_of: Function of a step's result and its arguments; returns the arguments of the next step.

    Raises:
        NonConformanceError: A step is wrong.

    """
    __tracebackhide__ = True
    arguments = first
    for number in range(1, STEPS + 1):
        result = function(*arguments)
        operation.check(f"step {number} of {STEPS}, each from the last: {operation.name}", result, *arguments)
        arguments = next_of(result, arguments)


def one_by_one(first: Arguments, second: Arguments) -> Iterator[Arguments]:
    """Yield the first arguments, copies with one argument replaced by its second value, and the second arguments."""
    yield first
    for place in range(len(first)):
        yield *first[:place], second[place], *first[place + 1 :]
    yield second


def assert_any_memory_order(operation: Operation, function: Function, *arguments: Any) -> None:  # noqa: ANN401
    """Check that a result does not depend on arrays being transposed, sliced, cropped, broadcast or read-only."""
    __tracebackhide__ = True
    for order, view in MEMORY_ORDERS.items():
        views = [map_arrays(view, argument) for argument in arguments]
        what = f"{_describe(operation, arguments)}, arrays {order}"
        operation.check(what, function(*views), *views)


def _describe(operation: Operation, arguments: Arguments) -> str:
    return f"{operation.name}({', '.join(map(_describe_argument, arguments))})"


def _describe_argument(argument: Any) -> str:  # noqa: ANN401 - an argument of any function of the contract
    if isinstance(argument, np.ndarray):
        return f"{argument.dtype}{list(argument.shape)}"
    return f"{len(argument)} batches" if isinstance(argument, list) else repr(argument)
