"""Suggestion of the nearest name for one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, names: Iterable[str]) -> str:
    """Return `Nearest: NAME`, or an empty text if no name is near.

    Args:
        word: Word that the user wrote.
        names: Existing names.

    """
    from difflib import get_close_matches  # noqa: PLC0415 - only needed after a mistake

    found = get_close_matches(word, [*names], n=1, cutoff=0.6)
    return f"Nearest: {found[0]}" if found else ""
