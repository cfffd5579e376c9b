"""Checks of results against the return annotations of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

# A plain number is accepted for a scalar array, and a NumPy scalar for a plain number.
NUMBERS = (np.ndarray, np.generic, float, int)
PLAIN: dict[Any, Any] = {np.ndarray: NUMBERS, float: NUMBERS, int: NUMBERS, bool: NUMBERS, str: str, NoneType: NoneType}


def matches(declared: Callable[..., Any], result: object) -> bool:
    """Whether a result matches the return annotation of a function of the contract.

    Shapes and dtypes of arrays are not part of the annotation: claims check them. Types other than arrays, plain values
    and containers of these are not checked.
    """
    return _matches(_read_return_type(declared), result)


@cache
def _read_return_type(declared: Callable[..., Any]) -> Any:  # noqa: ANN401 - a type of any form
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
    # `tuple[int, ...]` and `Sequence[int]` have any length; other tuples declare each element.
    if len(of) == 1 or of[1] is Ellipsis:
        return all(_matches(of[0], value) for value in result)
    return len(result) == len(of) and all(map(_matches, of, result))


def _is_sequence(result: object) -> bool:
    return isinstance(result, Sequence) and not isinstance(result, str | bytes)


def describe_type(result: object) -> str:
    """Describe the type of a result: `(numpy.ndarray, builtins.str)`."""
    if _is_sequence(result) and not hasattr(result, "_fields"):
        return f"({', '.join(map(describe_type, result))})"  # type: ignore[call-overload]  # it is a sequence
    kind = type(result)
    return f"{kind.__module__}.{kind.__qualname__}"
