"""Calls that differ from an earlier one in a single argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.testing.stored_arrays import are_equal, map_arrays


def assert_each_argument_counts(
    what: str,
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> None:
    """Check that results change with each argument alone.

    A result that is kept from an earlier call is found even if it is looked up by all arguments but one.

    Args:
        what: Name of the function.
        function: Function of keyword arguments.
        arguments: Arguments of the first call, by name.
        changes: Other values of arguments, by name, for each of which the result differs.

    Raises:
        NonConformanceError: A call with one other argument returns what the first call returned.

    """
    __tracebackhide__ = True
    first = map_arrays(np.array, function(**arguments))
    for name, value in changes.items():
        if are_equal(function(**{**arguments, name: value}), first):
            msg = f"{what} returns the same as before for another {name}, the other arguments being equal"
            raise NonConformanceError(msg)
