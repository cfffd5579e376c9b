"""NumPy with autograd's gradients, on the kit: an adapter to copy, without a framework.

Another framework replaces the module `framework`.
"""

from __future__ import annotations

from assay.contract import Implementation
from assay.kit.implementation import KitImplementation


class Autograd(KitImplementation):
    """The implementation of the contract."""

    name, version = "autograd", "0.1.0"
    distributions = ("autograd", "numpy")
    framework = ".framework:Autograd"


implementation: Implementation = Autograd()
