"""tinygrad on the kit: its tensor operations and gradients, its LSTM cell and its optimizers.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

import shutil

from assay.contract import Implementation
from assay.kit.implementation import KitImplementation


class Tinygrad(KitImplementation):
    """The implementation of the contract."""

    name, version = "tinygrad", "0.1.0"
    distributions = ("tinygrad",)
    framework = ".framework:Tinygrad"

    def start(self, device: str) -> str:
        """Make tinygrad compile for the CPU.

        Raises:
            RuntimeError: Another device is requested, or there is no compiler.

        """
        name = super().start(device)
        if shutil.which("clang") is None:
            msg = "tinygrad compiles with clang on the CPU, and there is none: install it"
            raise RuntimeError(msg)
        from tinygrad.helpers import DEV

        DEV.value = "CPU"
        return name


implementation: Implementation = Tinygrad()
