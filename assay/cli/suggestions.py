"""The nearest name to one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, names: Iterable[str]) -> str:
    """Return `Nearest: NAME`, or an empty text where no name is near.

    Args:
        word: What the user wrote.
        names: Names that exist.

    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    found = get_close_matches(word, [*names], n=1, cutoff=0.6)
    return f"Nearest: {found[0]}" if found else ""
