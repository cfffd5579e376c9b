"""NumPy in float32, with every gradient written by hand: an example for a framework that gives none.

`layers` has what a layer computes and how a gradient goes back through it, `chain` puts layers one after the other, and
`models` says which layers the document's models have. The groups of the contract are made of these.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay import contract


class NumPy:
    """The implementation, as the contract asks for it."""

    name = "numpy"
    version = "0.1.0"
    distributions = ("numpy",)
    groups = ("ops", "models", "training", "datasets", "text", "environments", "agent")

    def start(self, device: str) -> str:
        """Make sure that nobody asks for a GPU.

        Raises:
            RuntimeError: somebody does.

        """
        if device != "cpu":
            msg = f"NumPy works on the CPU alone, and not on {device!r}"
            raise RuntimeError(msg)
        return "CPU"

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from assay.alternatives.numpy.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from assay.alternatives.numpy.models import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from assay.alternatives.numpy.training import Training

        return Training()

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from assay.alternatives.numpy.datasets import Datasets

        return Datasets()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from assay.alternatives.numpy.text import Text

        return Text()

    @cached_property
    def environments(self) -> contract.Environments:
        """CartPole and Breakout."""
        from assay.alternatives.numpy.environments import Environments

        return Environments()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        from assay.alternatives.numpy.agent import Agent

        return Agent()


implementation = NumPy()
