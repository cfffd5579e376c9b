"""Which device JAX works on."""

from __future__ import annotations

import os

# Read when JAX first looks for its devices: otherwise each process would take most of a GPU's memory for itself.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax


def use(device: str) -> str:
    """Keep JAX to one device and to full float32, and return the device's name.

    Raises:
        RuntimeError: JAX sees no such device.

    """
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    found = jax.devices(device)[0]
    jax.config.update("jax_default_device", found)
    # A GPU would round the factors of products to fewer digits.
    jax.config.update("jax_default_matmul_precision", "highest")
    return "CPU" if device == "cpu" else found.device_kind
