"""NumPy with the gradients of autograd, on the kit: an adapter to copy, which needs no framework.

`framework` is the part that another framework replaces.
"""

from __future__ import annotations

from assay.contract import Implementation
from assay.kit.implementation import KitImplementation


class Autograd(KitImplementation):
    """The implementation, as the contract asks for it."""

    name, version = "autograd", "0.1.0"
    distributions = ("autograd", "numpy")
    framework = ".framework:Autograd"


implementation: Implementation = Autograd()
