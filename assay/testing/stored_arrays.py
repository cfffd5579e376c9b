"""Memory layout of arrays: an argument may be any view, and a result belongs to the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, product
from typing import Any

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array


def _transposed(array: Array) -> Array:
    return np.asfortranarray(array)


def _sliced(array: Array) -> Array:
    # The gaps hold other values, so reading them changes the result.
    if not array.ndim:
        return array
    between = np.repeat(np.roll(array, 1, axis=-1), 2, axis=-1)
    between[..., 1::2] = array
    return between[..., 1::2]


def _cropped(array: Array) -> Array:
    # Rows stay contiguous, and are further apart than they are long. The gaps hold other values.
    if not array.size:
        return array
    larger = np.pad(array, [(0, 1)] * array.ndim, mode="wrap")
    return larger[tuple(map(slice, array.shape))]


def _broadcast(array: Array) -> Array:
    return np.broadcast_to(array[:1], array.shape) if array.ndim else array


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


MEMORY_ORDERS: dict[str, Callable[[Array], Array]] = {
    "transposed in memory": _transposed,
    "sliced with a step": _sliced,
    "cropped from larger ones": _cropped,
    "broadcast along their first axis": _broadcast,
    "read-only": _read_only,
}
# Memory orders that keep the values.
SAME_VALUES = {order: view for order, view in MEMORY_ORDERS.items() if view is not _broadcast}


# Parameters are identified by name, whatever their order in the dictionary.
REVERSED = "in a dictionary in reverse order"


def reverse_names(value: Any) -> Any:  # noqa: ANN401
    """Return a dictionary in reverse order, and any other argument as it is."""
    return dict(reversed([*value.items()])) if isinstance(value, Mapping) else value


def map_arrays(function: Callable[[Array], Array], value: Any) -> Any:  # noqa: ANN401 - of any function of the contract
    """Return an argument or a result with a function applied to each of its arrays."""
    if isinstance(value, Mapping):
        return {name: map_arrays(function, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        found = [map_arrays(function, one) for one in value]
        return type(value)(*found) if hasattr(value, "_fields") else type(value)(found)
    return function(value) if isinstance(value, np.ndarray) else value


def swap_elements(arguments: Sequence[Any]) -> Iterator[Any]:
    """Yield arguments in which one array has its first two elements swapped, or its last two."""
    for number, ends in product(range(_count_arrays(arguments)), (slice(2), slice(-2, None))):
        yield map_arrays(partial(_swap, numbers=count(), number=number, ends=ends), arguments)


def _count_arrays(value: Any) -> int:  # noqa: ANN401
    """Count the arrays of an argument."""
    if isinstance(value, Mapping):
        return sum(map(_count_arrays, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_count_arrays, value))
    return int(isinstance(value, np.ndarray))


def _swap(array: Array, *, numbers: Iterator[int], number: int, ends: slice) -> Array:
    """Reverse a few elements of the array with this number, and return any other array as it is."""
    if next(numbers) != number:
        return array
    copy = array.copy(order="C")
    flat = copy.reshape(-1)
    flat[ends] = flat[ends][::-1].copy()
    return copy


def memory_orders(*arguments: Any) -> Iterator[tuple[str, Sequence[Any], Sequence[Any]]]:  # noqa: ANN401
    """Yield the name of each memory order, arguments in it, and arguments of the same values in the usual order."""
    for order, view in MEMORY_ORDERS.items():
        views = [map_arrays(view, one) for one in arguments]
        yield order, views, [map_arrays(partial(np.array, order="C"), one) for one in views]
    if any(isinstance(one, Mapping) for one in arguments):
        yield REVERSED, [reverse_names(one) for one in arguments], arguments


def assert_reads_values(what: str, function: Callable[..., Any], *arguments: Any) -> None:  # noqa: ANN401
    """Check that an exact function depends only on the values of its arrays.

    Args:
        what: Name of the function.
        function: Function of the arguments.
        arguments: Arguments; arrays may be nested in tuples and dictionaries.

    Raises:
        NonConformanceError: A result depends on the memory layout of the arrays.

    """
    __tracebackhide__ = True
    for order, views, plain in memory_orders(*arguments):
        found, expected = function(*views), function(*plain)
        if not are_equal(found, expected):
            msg = f"{what} returns something else for arrays {order}"
            raise NonConformanceError(msg)


def assert_results_stay(what: str, function: Callable[..., Any], *calls: Sequence[Any]) -> None:
    """Check that a later call does not change an earlier result.

    Args:
        what: Name of the function.
        function: Function of the arguments.
        calls: Arguments of each call, which give different results of the same shape.

    Raises:
        NonConformanceError: A later call has changed an earlier result, such as a reused buffer.

    """
    __tracebackhide__ = True
    results, copies = [], []
    for arguments in calls:
        results.append(function(*arguments))
        copies.append(map_arrays(np.array, results[-1]))
    for number, (result, copy) in enumerate(zip(results, copies, strict=True), 1):
        if not are_equal(result, copy):
            msg = f"{what}: what call {number} of {len(calls)} returned is changed by a later one"
            raise NonConformanceError(msg)


def assert_results_are_new(what: str, function: Callable[..., Any], *calls: Sequence[Any]) -> None:
    """Check that a result belongs to its caller: writing into it does not change later results.

    Args:
        what: Name of the function.
        function: Function of the arguments, which returns the same for the same arguments.
        calls: Arguments of each call.

    Raises:
        NonConformanceError: A call returns an earlier result with the caller's changes.

    """
    __tracebackhide__ = True
    for number, arguments in enumerate(calls, 1):
        result = function(*arguments)
        copy = map_arrays(np.array, result)
        map_arrays(_overwrite, result)
        _clear(result)
        if not are_equal(function(*arguments), copy):
            msg = f"{what}: call {number} of {len(calls)} returns something else after its result was changed"
            raise NonConformanceError(msg)


def _overwrite(array: Array) -> Array:
    """Change every element of an array, if it is writable."""
    if array.flags.writeable:
        array[...] = array == 0
    return array


def _clear(result: Any) -> None:  # noqa: ANN401 - of any function of the contract
    """Remove everything from the dictionaries of a result."""
    if isinstance(result, dict):
        result.clear()
    elif isinstance(result, list | tuple):
        for part in result:
            _clear(part)


def are_equal(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Return whether two results have the same values throughout."""
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(are_equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(are_equal, one, other))
    return np.array_equal(one, other)
