"""Use of fixtures outside pytest, in a program that repeats a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def unwrap_fixture(fixture: Any) -> Callable[..., Any]:  # noqa: ANN401 - pytest has changed what a fixture is
    """Return the function that a fixture decorates, so that it can be called."""
    # From pytest 8.4 on a fixture is an object that wraps its function; before, it is a function that refuses calls.
    older = getattr(fixture, "__pytest_wrapped__", None)
    function: Callable[..., Any] = fixture.__wrapped__ if older is None else older.obj
    return function
