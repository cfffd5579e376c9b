"""What a deliberate fault is, and the reference with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from assay.reference import Reference


@dataclass(frozen=True)
class Fault:
    """One deliberate fault.

    Attributes:
        function: the only one that is wrong, as `group.function`, or `keras.namespace`.
        claim: the claim that speaks of it.
        tells: words of the failure from which the fault can be told.
        wrong: (the right function, its arguments) to the wrong result; the right namespace to the wrong one.

    """

    function: str
    claim: str
    tells: str
    wrong: Callable[..., Any]


class Faulty(Reference):
    """The reference with one function of one group exchanged."""

    def __init__(self, name: str, fault: Fault) -> None:
        """Exchange the function that the fault names."""
        self.name = name
        self._group, self._function = fault.function.split(".")
        self._wrong = fault.wrong

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name != super().__getattribute__("_group"):
            return value
        wrong, function = super().__getattribute__("_wrong"), super().__getattribute__("_function")
        right = getattr(value, function)
        others = {key: getattr(value, key) for key in dir(value) if not key.startswith("_")}
        changed = (lambda *args, **kwargs: wrong(right, *args, **kwargs)) if callable(right) else wrong(right)
        return SimpleNamespace(**others | {function: changed})
