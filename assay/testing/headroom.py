"""How near the results of a test came to their measured bounds."""

from __future__ import annotations

_largest: float | None = None


def note(ratio: float) -> None:
    """Note an error divided by its bound, of a result that was accepted."""
    global _largest  # noqa: PLW0603 - a process runs one test at a time
    _largest = ratio if _largest is None else max(_largest, ratio)


def take() -> float | None:
    """Return the largest ratio that was noted since this was last called; None where there was none."""
    global _largest
    found, _largest = _largest, None
    return found
