"""Keras 3 on PyTorch and on JAX: one adapter, except for two backend-specific parts.

Importing this package imports no framework; `start` chooses the backend and loads it, and Keras with it.
"""

from __future__ import annotations

import os
from importlib import import_module

from assay.contract import Implementation, LazyImplementation

GROUPS = ("ops", "models", "training", "applications", "text", "agent", "flowers")


class Keras3(LazyImplementation):
    """The implementation of the contract by Keras 3 on one of its backends."""

    version = "0.1.0"
    modules = {group: f"assay.alternatives.keras3.{group}" for group in GROUPS} | {
        "datasets": "assay.alternatives.keras3.training",
        "keras": "assay.alternatives.keras3.namespace",
    }
    # Only TensorFlow's packages read the data set of flowers.
    unsupported = ("flowers.info", "flowers.examples", "flowers.batches")

    def __init__(self, backend: str) -> None:
        """Store the name of the backend, as used by Keras and PyPI."""
        self.backend = backend
        self.name = f"keras-{backend}"
        self.distributions = ("keras", backend, "gymnasium")

    def start(self, device: str, threads: int | None = None) -> str:
        """Restrict the backend to one device, and load Keras on it, which reads its backend once, on loading.

        Raises:
            RuntimeError: The device does not exist, or Keras has been loaded on another backend.

        """
        os.environ["KERAS_BACKEND"] = self.backend
        found: str = import_module(f"assay.alternatives.keras3.on_{self.backend}").use(device, threads)
        import keras

        if keras.config.backend() != self.backend:
            msg = f"Keras has been loaded on {keras.config.backend()}, and keeps to that"
            raise RuntimeError(msg)
        return found


keras_torch: Implementation = Keras3("torch")
keras_jax: Implementation = Keras3("jax")
