"""The catalogue of faults: implementations with one deliberate fault each, to see the claim about it fail.

`--implementation doubles.faults:reference_with.NAME` tests the reference with one, with `tests/suite` on the path.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from doubles.faulty import Fault, Faulty

FAULTS: dict[str, Fault] = {}

for _module in iter_modules(__path__):
    _faults = import_module(f"{__name__}.{_module.name}").FAULTS
    if _twice := FAULTS.keys() & _faults.keys():
        msg = f"two faults have the name {min(_twice)!r}, and one of them would be lost"
        raise ValueError(msg)
    FAULTS |= _faults


class _WithFault:
    """Implementations by the name of the fault."""

    def __init__(self, base: str | None = None) -> None:
        """Take the name of the right implementation: by default NumPy where it has the function, else the reference."""
        self._base = base

    def __getattr__(self, name: str) -> Faulty:
        if name not in FAULTS:
            raise AttributeError(name)
        return Faulty(name, FAULTS[name], self._base)


reference_with = _WithFault("reference")
with_fault = _WithFault()
