"""Selection of JAX's device."""

from __future__ import annotations

import os

# Read when JAX initialises its devices. Otherwise each process would reserve most of a GPU's memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax


def use(device: str, *, tf32: bool = False) -> str:
    """Restrict JAX to one device, and return the device's name.

    Args:
        device: `cpu` or `gpu`.
        tf32: Whether a GPU may round the factors of products to TF32; otherwise full float32.

    Raises:
        RuntimeError: JAX sees no such device.

    """
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    found = jax.devices(device)[0]
    jax.config.update("jax_default_device", found)
    # By default, a GPU rounds the factors of products to a lower precision.
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")
    return "CPU" if device == "cpu" else found.device_kind
