"""NumPy in float32, with every gradient written by hand: an example for a framework that gives none.

`layers` has what a layer computes and how a gradient goes back through it, `chain` puts layers one after the other, and
`models` says which layers the document's models have. The groups of the contract are made of these.
"""

from __future__ import annotations

from assay.contract import Implementation, LazyImplementation

GROUPS = ("ops", "models", "training", "datasets", "text", "environments", "agent")
MODULES = {group: f"assay.alternatives.numpy.{group}" for group in GROUPS}


class NumPy(LazyImplementation):
    """The implementation, as the contract asks for it."""

    name = "numpy"
    version = "0.1.0"
    distributions = ("numpy",)
    modules = MODULES

    def start(self, device: str) -> str:
        """Make sure that nobody asks for a GPU.

        Raises:
            RuntimeError: Code of a user calls it.

        """
        if device != "cpu":
            msg = f"NumPy works on the CPU alone, and not on {device!r}"
            raise RuntimeError(msg)
        return "CPU"


implementation: Implementation = NumPy()
