"""JAX: pure functions of parameters and inputs, which JAX differentiates, compiles and repeats.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

from assay.contract import Implementation, LazyImplementation

GROUPS = ("ops", "models", "training", "datasets", "text", "environments", "agent")
MODULES = {group: f"assay.alternatives.jax.{group}" for group in GROUPS}


class JAX(LazyImplementation):
    """The implementation of the contract."""

    version = "0.1.0"
    distributions = ("jax", "jaxlib")
    modules = MODULES

    def __init__(self, *, tf32: bool = False) -> None:
        """Store whether a GPU may round the factors of products to TF32."""
        self.tf32 = tf32
        self.name = "jax-tf32" if tf32 else "jax"

    def start(self, device: str) -> str:
        """Load JAX and restrict it to one device."""
        from assay.alternatives.jax.device import use

        return use(device, tf32=self.tf32)


implementation: Implementation = JAX()
tf32: Implementation = JAX(tf32=True)
