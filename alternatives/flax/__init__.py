"""Flax NNX with Optax, on the kit: layers of `flax.nnx`, their gradients, and the optimizers of Optax.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

from assay.contract import Implementation
from assay.kit.implementation import KitImplementation


class Flax(KitImplementation):
    """The implementation of the contract."""

    name, version = "flax", "0.1.0"
    distributions = ("flax", "optax", "jax", "jaxlib")
    framework = ".framework:Flax"

    def start(self, device: str) -> str:
        """Load JAX and restrict it to one device.

        Raises:
            RuntimeError: JAX sees no such device.

        """
        import jax

        if device == "cpu":
            jax.config.update("jax_platforms", "cpu")
        found = jax.devices(device)[0]
        jax.config.update("jax_default_device", found)
        # By default, a GPU rounds the factors of products to a lower precision.
        jax.config.update("jax_default_matmul_precision", "highest")
        return "CPU" if device == "cpu" else str(found.device_kind)


implementation: Implementation = Flax()
