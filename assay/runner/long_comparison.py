"""Explanation of a comparison of long values: where they first differ.

pytest compares long values line by line. For a text of 100,000 lines that takes longer than the time limit of a claim,
so a wrong answer would be a timeout. In CI, pytest does so for long lists as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, zip_longest

from assay.runner.shown_values import describe

# With fewer characters, pytest is fast and shows more.
LONGEST = 5_000
# Number of characters or items shown before and after the first difference.
AROUND = 20
_MISSING = object()


def explain(operator: str, left: object, right: object) -> list[str] | None:
    """Return the lines of an explanation, or None if pytest should explain the comparison.

    Args:
        operator: The operator of the comparison, such as `==`.
        left: Left operand.
        right: Right operand.

    """
    # A subclass may belong to the implementation.
    if operator != "==" or type(left) is not type(right) or max(_length(left), _length(right)) <= LONGEST:
        return None
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        return _explain_sequences(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        keys = [key for key in {**left, **right} if left.get(key, _MISSING) != right.get(key, _MISSING)]
        found = [
            f"{describe(key)}: {_describe_item(left, key)} == {_describe_item(right, key)}" for key in keys[:AROUND]
        ]
        return [f"two large dictionaries differ at {len(keys)} keys:", *found]
    if isinstance(left, set | frozenset) and isinstance(right, set | frozenset):
        sides = ("left", left - right), ("right", right - left)
        found = [
            f"{len(items)} items only on the {side}: {describe([*islice(items, AROUND)])}" for side, items in sides
        ]
        return ["two large sets differ:", *found]
    return None


def _explain_sequences(left: Sequence[object], right: Sequence[object]) -> list[str]:
    pairs = enumerate(zip_longest(left, right, fillvalue=_MISSING))
    first = next((index for index, (one, other) in pairs if one is not other and one != other), 0)
    window = slice(max(first - AROUND, 0), first + AROUND + 1)
    return [
        f"sequences of {len(left)} and {len(right)} items differ first at index {first}. From index {window.start} on:",
        f"{describe(left[window])} == {describe(right[window])}",
    ]


def _length(value: object) -> int:
    """Return the number of characters that show a value, or 0 if only pytest should show it."""
    if type(value) in {str, bytes}:
        return len(value)  # type: ignore[arg-type]
    return len(repr(value)) if type(value) in {list, tuple, dict, set, frozenset} else 0


def _describe_item(values: dict[object, object], key: object) -> str:
    return describe(values[key]) if key in values else "(missing)"
