"""What a deliberate fault is, and an implementation that has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from assay.adapters import loading
from assay.specification.claims import specification

# Finding an implementation by its name reads about every installed package, and there are a thousand faults.
load = cache(loading.load)


@dataclass(frozen=True)
class Fault:
    """One deliberate fault.

    Attributes:
        function: The only function that is wrong, as `group.function`, or `keras.namespace`.
        claim: The claim that must detect it.
        tells: Words of the failure that lead to the fault.
        wrong: (the right function, its arguments) to the wrong result; the right namespace to the wrong one.

    """

    function: str
    claim: str
    tells: str
    wrong: Callable[..., Any]


def base_of(fault: Fault) -> str:
    """Return the implementation to put a fault into: NumPy, which loads no framework, where that has all it takes."""
    groups = {fault.function.partition(".")[0], *specification().claims[fault.claim].groups}
    return "numpy" if groups <= {*load("numpy").groups} else "reference"


class Faulty:
    """An implementation with one function of one group exchanged."""

    def __init__(self, name: str, fault: Fault, base: str | None = None) -> None:
        """Exchange the function that the fault names.

        Args:
            name: Name of the fault.
            fault: The fault.
            base: Name of the right implementation; by default that of `base_of`.

        """
        self.name = name
        self._right = load(base or base_of(fault))
        self._group, self._function = fault.function.split(".")
        self._wrong = fault.wrong
        self.version = self._right.version
        self.distributions = self._right.distributions

    @property
    def groups(self) -> Sequence[str]:
        """The groups of the right implementation."""
        return self._right.groups

    def start(self, device: str) -> str:
        """Start the right implementation."""
        return self._right.start(device)

    def __getattr__(self, name: str) -> Any:
        """Return a group, with the wrong function in place of the right one."""
        group = getattr(self._right, name)
        if name != self._group:
            return group
        right, wrong = getattr(group, self._function), self._wrong
        others = {key: getattr(group, key) for key in dir(group) if not key.startswith("_")}
        changed = (lambda *args, **kwargs: wrong(right, *args, **kwargs)) if callable(right) else wrong(right)
        return SimpleNamespace(**others | {self._function: changed})
