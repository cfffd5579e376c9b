"""Keras 3 on PyTorch and on JAX: one adapter, for all but two things that Keras leaves to its backend.

Importing this package imports no framework; `start` chooses the backend and loads it, and Keras with it.
"""

from __future__ import annotations

import os
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay import contract


class Keras3:
    """Keras 3 on one of its backends, as the contract asks for it."""

    version = "0.1.0"
    groups = ("ops", "models", "training", "datasets", "applications", "text", "keras")

    def __init__(self, backend: str) -> None:
        """Take the name of the backend, under which Keras and the index know it."""
        self.backend = backend
        self.name = f"keras-{backend}"
        self.distributions = ("keras", backend)

    def start(self, device: str, threads: int | None = None) -> str:
        """Keep the backend to one device, and load Keras on it: it reads its backend once, when it is loaded.

        Raises:
            RuntimeError: there is no such device, or Keras has been loaded on another backend.

        """
        os.environ["KERAS_BACKEND"] = self.backend
        found: str = import_module(f"assay.alternatives.keras3.on_{self.backend}").use(device, threads)
        import keras

        if keras.config.backend() != self.backend:
            msg = f"Keras has been loaded on {keras.config.backend()}, and keeps to that"
            raise RuntimeError(msg)
        return found

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from assay.alternatives.keras3.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from assay.alternatives.keras3.models import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from assay.alternatives.keras3.training import Training

        return Training()

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from assay.alternatives.keras3.training import Datasets

        return Datasets()

    @cached_property
    def applications(self) -> contract.Applications:
        """The predefined networks."""
        from assay.alternatives.keras3.applications import Applications

        return Applications()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from assay.alternatives.keras3.text import Text

        return Text()

    @cached_property
    def keras(self) -> contract.Keras:
        """Keras itself."""
        from assay.alternatives.keras3.namespace import Keras

        return Keras()


keras_torch = Keras3("torch")
keras_jax = Keras3("jax")
