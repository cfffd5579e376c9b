"""Largest ratio of error to measured bound in a test."""

from __future__ import annotations

_largest: float | None = None


def note(ratio: float) -> None:
    """Record the ratio of error to bound of an accepted result."""
    global _largest  # noqa: PLW0603 - a process runs one test at a time
    _largest = ratio if _largest is None else max(_largest, ratio)


def take() -> float | None:
    """Return the largest ratio recorded since the last call, or None."""
    global _largest
    found, _largest = _largest, None
    return found
