"""JAX: pure functions of parameters and inputs, which it differentiates, compiles and repeats.

Importing this package imports no framework; its groups do, when they are first used.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay import contract


class JAX:
    """The implementation, as the contract asks for it."""

    version = "0.1.0"
    distributions = ("jax", "jaxlib")
    groups = ("ops", "models", "training", "datasets", "text", "environments", "agent")

    def __init__(self, *, tf32: bool = False) -> None:
        """Take whether a GPU may round the factors of products to TF32."""
        self.tf32 = tf32
        self.name = "jax-tf32" if tf32 else "jax"

    def start(self, device: str) -> str:
        """Load JAX and keep it to one device."""
        from assay.alternatives.jax.device import use

        return use(device, tf32=self.tf32)

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from assay.alternatives.jax.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from assay.alternatives.jax.models import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from assay.alternatives.jax.training import Training

        return Training()

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from assay.alternatives.jax.datasets import Datasets

        return Datasets()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from assay.alternatives.jax.text import Text

        return Text()

    @cached_property
    def environments(self) -> contract.Environments:
        """CartPole and Breakout."""
        from assay.alternatives.jax.environments import Environments

        return Environments()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        from assay.alternatives.jax.agent import Agent

        return Agent()


implementation = JAX()
tf32 = JAX(tf32=True)
