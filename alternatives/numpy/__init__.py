"""NumPy in float32 with hand-written gradients: an example for a framework without autodiff.

`layers` defines the layers with their forward and backward passes, `chain` runs layers in sequence, and `models` lists
the layers of the document's models. The groups of the contract are built from these.
"""

from __future__ import annotations

from assay.contract import Implementation, LazyImplementation

GROUPS = ("ops", "models", "training", "datasets", "text", "environments", "agent")
MODULES = {group: f"assay.alternatives.numpy.{group}" for group in GROUPS}


class NumPy(LazyImplementation):
    """The implementation of the contract."""

    name = "numpy"
    version = "0.1.0"
    distributions = ("numpy",)
    modules = MODULES

    def start(self, device: str) -> str:
        """Reject any device other than the CPU.

        Raises:
            RuntimeError: Another device is requested.

        """
        if device != "cpu":
            msg = f"NumPy works on the CPU alone, and not on {device!r}"
            raise RuntimeError(msg)
        return "CPU"


implementation: Implementation = NumPy()
