"""The NumPy implementation with some functions exchanged for sound ones that compute or draw otherwise.

Other algorithms and other orders of addition, other generators and other ways to draw, other memory layouts: neither
the document nor the contract decides these, so no claim may fail. `--implementation doubles.sound_variants:NAME` tests
one, with the suite on the path.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from assay.alternatives.numpy import NumPy
from doubles.sound_variants import (
    agents,
    convolutions,
    draws,
    environments,
    layers,
    losses,
    operations,
    programs,
    results,
)

# The exchanged functions by the name of the variant, each called with the right function before its arguments.
VARIANTS = (
    operations.VARIANTS
    | convolutions.VARIANTS
    | layers.VARIANTS
    | losses.VARIANTS
    | draws.VARIANTS
    | programs.VARIANTS
    | environments.VARIANTS
    | agents.VARIANTS
    | results.VARIANTS
)


class Varied(NumPy):
    """The NumPy implementation with some functions exchanged."""

    def __init__(self, name: str) -> None:
        """Exchange the functions of a variant.

        Args:
            name: Name of the variant.

        """
        self.name = name
        self._changes = VARIANTS[name]

    def __getattribute__(self, name: str) -> Any:
        """Return a group, with the variant's functions in place of the right ones."""
        value = super().__getattribute__(name)
        changes = {} if name.startswith("_") else self._changes
        changed = {key: change for key, change in changes.items() if key.partition(".")[0] == name}
        if not changed:
            return value
        functions = {key: getattr(value, key) for key in dir(value) if not key.startswith("_")}
        for key, change in changed.items():
            function = key.partition(".")[2]
            functions[function] = partial(change, functions[function])
        return SimpleNamespace(**functions)


def __getattr__(name: str) -> Varied:
    """Return a variant by its name."""
    if name not in VARIANTS:
        raise AttributeError(name)
    return Varied(name)
