"""Grades of precision: formats of floating-point numbers, and the one that products are held to.

That is float32 unless a run says otherwise. A lower one excuses this and nothing else: each factor of a matrix product
or a convolution, and of their gradients, may be rounded to the grade's format before they are multiplied. The products
are added in float32, and all that is no product is float32: biases, losses, activations, normalisation, pooling,
optimizers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Grade(NamedTuple):
    """A format of floating-point numbers.

    Attributes:
        fraction_bits: after the leading one.
        least: the smallest number that is not denormal.
        largest: likewise.

    """

    fraction_bits: int
    least: float
    largest: float


# IEEE 754 and, for TF32 and bfloat16, the formats' definitions.
GRADES = {
    "float32": Grade(23, 2.0**-126, 2.0**127 * (2 - 2.0**-23)),
    "tf32": Grade(10, 2.0**-126, 2.0**127 * (2 - 2.0**-10)),
    "float16": Grade(10, 2.0**-14, 65504.0),
    "bfloat16": Grade(7, 2.0**-126, 2.0**127 * (2 - 2.0**-7)),
}

_held = "float32"


def current_precision() -> str:
    """Return the grade that products are held to now."""
    return _held


def set_precision(grade: str) -> None:
    """Hold products to a grade of `GRADES` from now on, in this process."""
    global _held  # noqa: PLW0603 - a run has one grade, and every bound of it asks
    _held = grade


@contextmanager
def use_precision(grade: str) -> Iterator[None]:
    """Hold products to a grade for a while."""
    before = current_precision()
    set_precision(grade)
    try:
        yield
    finally:
        set_precision(before)


def at_least_as_precise(measured: str, grade: str) -> bool:
    """Whether numbers of one format are as exact as those of another, and reach as far."""
    if measured not in GRADES:
        return False
    fine, coarse = GRADES[measured], GRADES[grade]
    return fine.fraction_bits >= coarse.fraction_bits and fine.largest >= min(coarse.largest, GRADES["tf32"].largest)
