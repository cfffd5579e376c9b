"""Which device JAX works on."""

from __future__ import annotations

import os

# Read when JAX first looks for its devices: otherwise each process would take most of a GPU's memory for itself.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax


def use(device: str, *, tf32: bool = False) -> str:
    """Keep JAX to one device, and return the device's name.

    Args:
        device: `cpu` or `gpu`.
        tf32: Whether a GPU may round the factors of products to TF32; they are full float32 otherwise.

    Raises:
        RuntimeError: JAX sees no such device.

    """
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    found = jax.devices(device)[0]
    jax.config.update("jax_default_device", found)
    # Left to itself, a GPU rounds the factors of products to fewer digits.
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")
    return "CPU" if device == "cpu" else found.device_kind
