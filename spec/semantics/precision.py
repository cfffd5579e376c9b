"""Floating-point formats, and the precision required of products.

The required precision is float32 unless a run sets another. A lower precision permits one thing: the factors of matrix
products and convolutions, and of their gradients, may be rounded to its format before they are multiplied. The products
are added in float32, and everything else is float32: biases, losses, activations, normalisation, pooling, optimizers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import NamedTuple, ParamSpec, TypeVar


class Grade(NamedTuple):
    """A format of floating-point numbers.

    Attributes:
        fraction_bits: Number of bits after the leading one.
        least: Smallest normal number.
        largest: Largest finite number.

    """

    fraction_bits: int
    least: float
    largest: float


# IEEE 754 defines float32 and float16. TF32 and bfloat16 have definitions of their own.
GRADES = {
    "float32": Grade(23, 2.0**-126, 2.0**127 * (2 - 2.0**-23)),
    "tf32": Grade(10, 2.0**-126, 2.0**127 * (2 - 2.0**-10)),
    "float16": Grade(10, 2.0**-14, 65504.0),
    "bfloat16": Grade(7, 2.0**-126, 2.0**127 * (2 - 2.0**-7)),
}

_current = ContextVar("precision", default="float32")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def current_precision() -> str:
    """Return the precision currently required of products."""
    return _current.get()


def set_precision(precision: str) -> None:
    """Set the required precision of products, a key of `GRADES`."""
    _current.set(precision)


@contextmanager
def use_precision(precision: str) -> Iterator[None]:
    """Set the required precision of products within a context."""
    token = _current.set(precision)
    try:
        yield
    finally:
        _current.reset(token)


def cache_by_precision(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Cache a function by its arguments and the required precision, on which every bound depends."""
    known: dict[str, Callable[Parameters, Result]] = {}

    @wraps(function)
    def look_up(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        # `functools.cache` accepts any hashable arguments, but its type does not say so.
        return known.setdefault(current_precision(), cache(function))(*args, **kwargs)  # type: ignore[arg-type]

    return look_up


def at_least_as_precise(measured: str, grade: str) -> bool:
    """Whether one format has at least the precision and the range of another."""
    if measured not in GRADES:
        return False
    fine, coarse = GRADES[measured], GRADES[grade]
    return fine.fraction_bits >= coarse.fraction_bits and fine.largest >= min(coarse.largest, GRADES["tf32"].largest)
