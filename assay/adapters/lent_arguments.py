"""Reuse of argument buffers: later calls get the arrays of earlier calls with new values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from assay.contract import Array

# Maximum elements of a kept array, and maximum bytes of all, to limit memory and time.
_LARGEST_LENT = 100_000
_LARGEST_KEPT = 2**26


class LentArguments:
    """Arrays and dictionaries of earlier calls, which later calls get with new values.

    Programs reuse buffers: they write the next batch into the array of the last one. An implementation that caches by
    the identity of an argument, or reads it after the call, then gives wrong results. Every other call of a function in
    a test gets only objects that the previous call did not have. This finds an implementation that mistakes the
    previous arguments for the current ones.
    """

    def __init__(self) -> None:
        """Start without arguments to lend."""
        # By shape and dtype, the most recently used last.
        self._kept: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        self._size = 0
        # Identities of the arguments of each function's last call.
        self._last: dict[str, set[int]] = {}

    def lend(self, tree: Any, name: str, turn: int) -> Any:  # noqa: ANN401 - copies of the arguments of any function
        """Return the arguments in arrays and dictionaries of earlier calls, if available.

        Args:
            tree: Arguments of a call.
            name: Name of the function.
            turn: Number of the call of this function in the test, from 1.

        """
        avoided = set() if turn % 2 else self._last.get(name, set())
        lent = self._lend(tree, avoided)
        self._last[name] = {id(part) for part in _parts(lent) if isinstance(part, dict | np.ndarray)}
        return lent

    def _lend(self, tree: Any, avoided: Collection[int]) -> Any:  # noqa: ANN401
        if isinstance(tree, np.ndarray):
            if not _is_reusable(tree) or (kept := self._take(_form(tree), avoided)) is None:
                return tree
            self._size -= kept.nbytes
            kept[...] = tree
            return kept
        if isinstance(tree, dict):
            values = {key: self._lend(branch, avoided) for key, branch in tree.items()}
            kept = self._take(tuple(values), avoided)
            if kept is None:
                return values
            kept.update(values)
            return kept
        if isinstance(tree, tuple | list):
            return type(tree)(self._lend(branch, avoided) for branch in tree)
        return tree

    def _take(self, form: tuple[Any, ...], avoided: Collection[int]) -> Any:  # noqa: ANN401 - an array or a dictionary
        kept = self._kept[form]
        for place in reversed(range(len(kept))):
            if id(kept[place]) not in avoided:
                return kept.pop(place)
        return None

    def take_back(self, tree: Any, result: Any) -> None:  # noqa: ANN401
        """Keep the arguments of a finished call, except those of which its result is a view."""
        returned = [*_parts(result)]
        arrays, identities = [part for part in returned if isinstance(part, np.ndarray)], {*map(id, returned)}
        # The first argument is stored last, so it is lent first.
        for part in reversed([*_parts(tree)]):
            if isinstance(part, dict) and id(part) not in identities:
                self._kept[tuple(part)].append(part)
            elif isinstance(part, np.ndarray) and _is_reusable(part) and not _is_seen_in(part, arrays):
                self._kept[_form(part)].append(part)
                self._size += part.nbytes
        if self._size > _LARGEST_KEPT:
            self._kept.clear()
            self._size = 0


def _form(array: Array) -> tuple[Any, ...]:
    return array.dtype.str, array.shape


def _is_reusable(array: Array) -> bool:
    return array.base is None and array.flags.c_contiguous and array.flags.writeable and array.size <= _LARGEST_LENT


def _is_seen_in(array: Array, results: Sequence[Array]) -> bool:
    return any(np.may_share_memory(array, result) for result in results)


def _parts(tree: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield a tree and everything in it."""
    yield tree
    if isinstance(tree, Mapping | tuple | list):
        for branch in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _parts(branch)
