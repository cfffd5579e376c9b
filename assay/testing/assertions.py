"""The mark that names a test's claim, and comparisons with self-explanatory failure messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import Phase, settings
from numpy.typing import NDArray

from assay.adapters.proxy import AdapterError, Comparison, NonConformanceError
from assay.contract import FLOAT, Array
from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import compare_to_bound, root_mean_square
from assay.specification.profiles import EXAMPLES
from assay.testing import headroom

Test = TypeVar("Test", bound=Callable[..., Any])

claim = pytest.mark.claim

# Arrays up to this size are printed whole.
SHOWN = 64


def few_examples(n: int) -> Callable[[Test], Test]:
    """Limit the number of examples of a test that draws a whole network or episode from a seed.

    An example of a small network holds thousands of random numbers. An example of a large network holds millions and
    takes a second. A few of them test as much as many examples of an operation. They are not shrunk, since a smaller
    seed does not make a smaller input.

    Args:
        n: Number of examples in the full profile. The other profiles scale it by the same ratio, to at least one.

    """

    def decorate(test: Test) -> Test:
        # Read at collection: this module may be imported before the run has set its profile.
        profile = settings.get_profile(settings.get_current_profile_name())
        count = max(1, profile.max_examples * n // EXAMPLES["full"])
        return settings(profile, max_examples=count, phases=set(profile.phases) - {Phase.shrink})(test)

    return decorate


def assert_form(what: str, actual: Any, shape: tuple[int, ...], dtype: np.dtype[Any] = FLOAT) -> Array:  # noqa: ANN401 - whatever an implementation returned
    """Check dtype and shape.

    Args:
        what: The call, for the message.
        actual: A NumPy array or scalar; a plain number stands for a scalar of any type.
        shape: Expected shape.
        dtype: Expected dtype.

    Returns:
        `actual` as an array.

    Raises:
        NonConformanceError: The shape or dtype differs.

    """
    __tracebackhide__ = True
    plain = isinstance(actual, float | int) and not isinstance(actual, np.generic)
    array = np.asarray(actual, dtype if plain else None)
    if array.shape != shape:
        msg = f"{what} has shape {list(array.shape)}, expected {list(shape)}"
        raise NonConformanceError(msg, comparison=Comparison(actual, None, 0.0, (np.dtype(dtype), shape)))
    if array.dtype != dtype:
        msg = f"{what} has dtype {array.dtype}, expected {dtype}"
        raise NonConformanceError(msg, comparison=Comparison(actual, None, 0.0, (np.dtype(dtype), shape)))
    return array


def assert_equal(what: str, actual: Any, expected: Array, dtype: np.dtype[Any] = FLOAT) -> None:  # noqa: ANN401
    """Check dtype, shape and every value, exactly.

    Raises:
        NonConformanceError: The dtype, the shape or a value differs.

    """
    __tracebackhide__ = True
    assert_within(what, actual, expected, np.zeros_like(expected, np.float64), dtype)


def assert_within(
    what: str,
    actual: Any,  # noqa: ANN401 - whatever an implementation returned
    expected: Array | float,
    bound: Array | float,
    dtype: np.dtype[Any] = FLOAT,
) -> None:
    """Check dtype, shape and, element by element, that |actual - expected| <= bound.

    Args:
        what: The call, for the message.
        actual: Result of the implementation.
        expected: Result of the definition.
        bound: Array in the shape of the definition's result, from `assay.spec.error_bounds.rounding`.
        dtype: Expected dtype of `actual`.

    Raises:
        NonConformanceError: The dtype or shape differs, or an element is out of bounds; the message shows the worst.

    """
    __tracebackhide__ = True
    expected = np.asarray(expected)
    array = assert_form(what, actual, expected.shape, dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(array.astype(np.float64) - expected)
        outside = ~((difference <= bound) | (array == expected))
    if not outside.any():
        return
    limits = np.broadcast_to(np.asarray(bound, np.float64), expected.shape)
    excess = np.where(outside, np.nan_to_num(difference - limits, nan=np.inf), -np.inf)
    worst = np.unravel_index(int(np.argmax(excess)), expected.shape)
    count = f"{int(outside.sum())} of {expected.size} elements differ" if expected.size > 1 else "differs"
    at = f" at {[int(index) for index in worst]}" if expected.ndim else ""
    off = f"off by {difference[worst]:.9g}, allowed {limits[worst]:.3g}"
    msg = f"{what}: {count}, most{at}: actual {array[worst]:.9g}, expected {expected[worst]:.9g} ({off})"
    if 1 < expected.size <= SHOWN:
        msg += f"\n  actual   = {_show(array)}\n  expected = {_show(expected)}"
    raise NonConformanceError(msg, comparison=Comparison(actual, expected, bound, (np.dtype(dtype), expected.shape)))


def assert_accuracy(what: str, actual: Any, expected: float) -> None:  # noqa: ANN401
    """Check an accuracy that is a Python float by the contract, of which NumPy's float64 is one; float32 will do, too.

    Args:
        what: The call, for the message.
        actual: Result of the implementation.
        expected: Quotient of the number of correct predictions and that of all.

    Raises:
        NonConformanceError: The shape or the value differs.

    """
    __tracebackhide__ = True
    dtype = np.dtype(np.float64) if isinstance(actual, float) else FLOAT
    assert_within(what, actual, expected, rounding.quotient(expected), dtype)


def assert_rejected(what: str, call: Callable[[], object], *kinds: type[Exception]) -> None:
    """Check that arguments are rejected with one of the expected errors; other errors propagate.

    Args:
        what: Description of the arguments for the message.
        call: Function that passes them to the implementation.
        kinds: Accepted error classes (default: ValueError); several where frameworks or their releases differ.

    Raises:
        NonConformanceError: The implementation accepts them.

    """
    __tracebackhide__ = True
    kinds = kinds or (ValueError,)
    try:
        call()
    except kinds:  # A Keras namespace is not wrapped by a proxy.
        return
    except AdapterError as error:
        if isinstance(error.__cause__, kinds):
            return
        raise
    msg = f"{what} is accepted, expected {' or '.join(kind.__name__ for kind in kinds)}"
    raise NonConformanceError(msg)


def assert_close(
    what: str, actual: Mapping[str, Any], expected: Mapping[str, Array], bounds: Mapping[str, float | Array]
) -> None:
    """Check a dictionary of float32 tensors: for each, the root mean square of the difference is within its bound.

    Args:
        what: The call, for the message.
        actual: Result of the implementation.
        expected: Result of the definition, in float64.
        bounds: Bound of each tensor, from `assay.spec.error_bounds`: a number for the whole tensor, or one per element,
            by which the differences are divided first.

    Raises:
        NonConformanceError: A tensor is missing, has the wrong shape or dtype, or is out of bounds.

    """
    __tracebackhide__ = True
    assert_has(what, actual, expected)
    arrays = {name: assert_form(f"{what}, {name!r}", actual[name], tensor.shape) for name, tensor in expected.items()}
    ratios = {name: compare_to_bound(arrays[name] - tensor, bounds[name]) for name, tensor in expected.items()}
    for name, tensor in expected.items():
        if ratios[name] <= 1:
            continue
        difference, bound = np.abs(arrays[name] - tensor), np.broadcast_to(bounds[name], tensor.shape)
        ratio = f"{ratios[name]:.3g} times the bound" if np.any(bound) else "the bound is 0"
        worst = np.unravel_index(int(np.argmax(difference)), tensor.shape)
        at = f" at {[int(index) for index in worst]}" if tensor.ndim else ""
        off, allowed = root_mean_square(difference), root_mean_square(bound)
        msg = (
            f"{what}, {name!r}: off by {off:.3g} (root mean square), allowed {allowed:.3g}: {ratio}"
            f"\n  most{at}: actual {arrays[name][worst]:.9g}, expected {tensor[worst]:.9g}"
        )
        compared = Comparison(actual[name], tensor, bounds[name], (FLOAT, tensor.shape), as_mean=True)
        raise NonConformanceError(msg, excess=max(ratios.values()), comparison=compared)
    headroom.note(max(ratios.values(), default=0.0))


def assert_has(what: str, actual: Mapping[str, Any], names: Iterable[str]) -> None:
    """Check that a dictionary has all of these names.

    Args:
        what: The call, for the message.
        actual: Result of the implementation.
        names: Expected names.

    Raises:
        NonConformanceError: A name is missing.

    """
    __tracebackhide__ = True
    if absent := [name for name in names if name not in actual]:
        msg = f"{what} has no {absent[0]!r}; it has {', '.join(map(repr, actual)) or 'nothing'}"
        raise NonConformanceError(msg)


def _show(array: NDArray[Any]) -> str:
    return np.array2string(array, separator=", ", max_line_width=100, floatmode="maxprec").replace(
        "\n", "\n             "
    )
