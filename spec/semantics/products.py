"""Matrix products at the precision that a run requires: below float32, the factors are rounded first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from numpy.typing import NDArray

from assay.spec.semantics.precision import GRADES, current_precision

Array = NDArray[Any]


def product(multiply: Callable[..., Array], *factors: Array) -> Array:
    """Multiply float32 factors at the required precision, in the forward and the backward pass."""
    if current_precision() == "float32":
        return multiply(*factors)
    result: Array = _result(multiply(*map(_factor, factors)))
    return result


def round_to_format(array: Array, grade: str, *, cut_off: bool = False) -> Array:
    """Round float32 numbers to a format, to the nearest or by truncation; leave other dtypes unchanged."""
    dropped = np.uint32(GRADES["float32"].fraction_bits - GRADES[grade].fraction_bits)
    if array.dtype != np.float32 or not dropped:
        return array
    half = np.uint32(0) if cut_off else np.uint32(1) << (dropped - np.uint32(1))
    bits = np.ascontiguousarray(array).view(np.uint32) + half
    coarse: Array = ((bits >> dropped) << dropped).view(np.float32).reshape(array.shape)
    return np.where(np.abs(coarse) < GRADES[grade].least, np.float32(0), coarse)


_cutting_off = ContextVar("cutting_off", default=False)


@contextmanager
def cutting_off(*, cut_off: bool) -> Iterator[None]:
    """Set whether the definition truncates instead of rounding to the nearest, within a context."""
    token = _cutting_off.set(cut_off)
    try:
        yield
    finally:
        _cutting_off.reset(token)


_factor = primitive(lambda array: round_to_format(array, current_precision(), cut_off=_cutting_off.get()))
_result = primitive(lambda array: array)
# The gradient of a product is itself a product, one of whose factors is the gradient of the result.
defvjp(_factor, lambda _rounded, _array: lambda gradient: gradient)
defvjp(_result, lambda _same, _array: _factor)
