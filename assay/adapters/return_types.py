"""Whether a result has the form that the contract's annotation promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

# A plain number stands for a scalar array, and NumPy's for a plain one.
NUMBERS = (np.ndarray, np.generic, float, int)
PLAIN: dict[Any, Any] = {np.ndarray: NUMBERS, float: NUMBERS, int: NUMBERS, bool: NUMBERS, str: str, NoneType: NoneType}


def matches(declared: Callable[..., Any], result: object) -> bool:
    """Whether a function of the contract returned a value of its declared form.

    Of arrays neither shape nor dtype is promised: those are for the claims. Whatever else than arrays, plain values and
    what is made of them an annotation speaks of, is not looked at.
    """
    return _matches(_promised(declared), result)


@cache
def _promised(declared: Callable[..., Any]) -> Any:  # noqa: ANN401 - a type of any form
    return get_type_hints(declared)["return"]


def _matches(promised: Any, result: Any) -> bool:  # noqa: ANN401
    origin, of = get_origin(promised) or promised, get_args(promised)
    if origin in PLAIN:
        return isinstance(result, PLAIN[origin])
    if origin in {Union, UnionType}:
        return any(_matches(one, result) for one in of)
    if fields := getattr(origin, "_fields", None):
        hints = get_type_hints(origin)
        return all(hasattr(result, name) and _matches(hints[name], getattr(result, name)) for name in fields)
    if origin is Mapping:
        return isinstance(result, Mapping) and all(_matches(of[1], value) for value in result.values())
    return origin not in {tuple, Sequence} or (_is_sequence(result) and _match(of, result))


def _match(of: tuple[Any, ...], result: Sequence[Any]) -> bool:
    # `tuple[int, ...]` and `Sequence[int]` have any length; other tuples promise each of their elements.
    if len(of) == 1 or of[1] is Ellipsis:
        return all(_matches(of[0], value) for value in result)
    return len(result) == len(of) and all(map(_matches, of, result))


def _is_sequence(result: object) -> bool:
    return isinstance(result, Sequence) and not isinstance(result, str | bytes)


def describe_type(result: object) -> str:
    """Describe the form of a result, for people: `(numpy.ndarray, builtins.str)`."""
    if _is_sequence(result) and not hasattr(result, "_fields"):
        return f"({', '.join(map(describe_type, result))})"  # type: ignore[call-overload]  # it is a sequence
    kind = type(result)
    return f"{kind.__module__}.{kind.__qualname__}"
