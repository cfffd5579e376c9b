"""PyTorch: layers of `torch.nn` and their gradients by autograd.

Importing this package imports no framework; its groups do, when they are first used.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay import contract


class Torch:
    """PyTorch, as the contract asks for it."""

    name = "torch"
    version = "0.1.0"
    distributions = ("torch", "gymnasium")
    groups = ("ops", "models", "training", "datasets", "text", "environments", "agent")

    def start(self, device: str) -> str:
        """Load PyTorch and let it make every tensor on one device."""
        from alternatives.torch.device import use

        return use(device)

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from alternatives.torch.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from alternatives.torch.models import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from alternatives.torch.training import Training

        return Training()

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from alternatives.torch.training import Datasets

        return Datasets()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from alternatives.torch.text import Text

        return Text()

    @cached_property
    def environments(self) -> contract.Environments:
        """CartPole and Breakout."""
        from alternatives.torch.environments import Environments

        return Environments()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        from alternatives.torch.agent import Agent

        return Agent()


implementation = Torch()
