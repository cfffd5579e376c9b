"""Validation of the evidence in a ledger's rows, which may be damaged or from another suite."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MOST_IMAGES = 36
MOST_POINTS = 400
CLASSES = 10
SIDE = 28
LARGEST = 1e30
MOST_COUNTED = 10**9
MOST_TEXTS = 8
LONGEST_TEXT = 2_000


class EvidenceError(ValueError):
    """Raised when evidence does not have the form that its figure needs."""


def field(evidence: object, key: str) -> Any:  # noqa: ANN401 - JSON of any form
    """Return a field of an object."""
    if not isinstance(evidence, Mapping):
        msg = "it is not an object"
        raise EvidenceError(msg)
    if key not in evidence:
        msg = f"it has no {key!r}"
        raise EvidenceError(msg)
    return evidence[key]


def as_number(value: object, key: str) -> float:
    """Read a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        msg = f"{key!r} is not a number, or not a finite one"
        raise EvidenceError(msg)
    return float(value)


def number_list(evidence: object, key: str, length: int | None = None) -> Numbers:
    """Read a field that is a list of finite numbers, with a given length if any."""
    values = field(evidence, key)
    if not isinstance(values, list) or not values:
        msg = f"{key!r} is not a list of numbers"
        raise EvidenceError(msg)
    if length is not None and len(values) != length:
        msg = f"{key!r} has {len(values)} elements and not {length}"
        raise EvidenceError(msg)
    return np.array([as_number(value, key) for value in values])


def as_probability(value: object, key: str) -> float:
    """Read a number between 0 and 1."""
    number = as_number(value, key)
    if not 0 <= number <= 1:
        msg = f"{key!r} is not between 0 and 1"
        raise EvidenceError(msg)
    return number


def digit_list(evidence: object, key: str, length: int) -> list[int]:
    """Read a field that is a list of digits."""
    numbers = number_list(evidence, key, length)
    if not set(numbers) <= set(range(CLASSES)):
        msg = f"{key!r} has an element that is not a digit"
        raise EvidenceError(msg)
    return [int(number) for number in numbers]


def image_array(evidence: object, dtype: str, side: int | None = SIDE) -> NDArray[Any]:
    """Read the fields `images`, base64, and `shape`: [n, side, side], or any squares up to `SIDE` without a side."""
    shape, text = field(evidence, "shape"), field(evidence, "images")
    match shape:
        case [int(count), int(height), int(width)] if (
            count > 0 and 0 < height == width <= SIDE and side in {None, height}
        ):
            pass
        case _:
            msg = f"'shape' is not that of square images{f' of {side} by {side} pixels' if side else ''}"
            raise EvidenceError(msg)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        msg = "'images' is not base64"
        raise EvidenceError(msg) from None
    needed = count * height * height * np.dtype(dtype).itemsize
    if len(content) != needed:
        msg = f"'images' has {len(content)} bytes and not {needed}"
        raise EvidenceError(msg)
    return np.frombuffer(content, dtype).reshape(count, height, height)


def text_list(evidence: object, key: str, length: int) -> list[str]:
    """Read a field that is a list of texts, not too long to be shown."""
    values = field(evidence, key)
    if not isinstance(values, list) or len(values) != length or length > MOST_TEXTS:
        msg = f"{key!r} is not a list of {length} texts, or of too many"
        raise EvidenceError(msg)
    if not all(isinstance(value, str) and len(value) <= LONGEST_TEXT for value in values):
        msg = f"{key!r} has an element that is not a text or is too long"
        raise EvidenceError(msg)
    return values


def as_count(value: object) -> int:
    """Read a whole number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COUNTED:
        msg = "'matrix' has an element that is not a count"
        raise EvidenceError(msg)
    return value
