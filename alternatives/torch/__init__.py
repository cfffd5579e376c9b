"""PyTorch: layers of `torch.nn` and their gradients by autograd, operation by operation or compiled.

Importing this package imports no framework; its groups do, when they are first used.
"""

from __future__ import annotations

import os
import shutil
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay import contract
    from assay.alternatives.torch.models import Trainer


class Torch:
    """PyTorch, as the contract asks for it."""

    version = "0.1.0"
    distributions = ("torch", "gymnasium")
    groups = ("ops", "models", "training", "datasets", "text", "environments", "agent")

    def __init__(self, *, compiled: bool = False, tf32: bool = False) -> None:
        """Take how it computes.

        Args:
            compiled: whether `torch.compile` makes one function of a training step.
            tf32: whether a GPU may round the factors of products to TF32.

        """
        self.compiled, self.tf32 = compiled, tf32
        self.name = "-".join(["torch", *(["compiled"] if compiled else []), *(["tf32"] if tf32 else [])])

    def start(self, device: str, threads: int | None = None) -> str:
        """Load PyTorch and let it make every tensor on one device.

        Raises:
            RuntimeError: there is no such device, or nothing to compile with.

        """
        compiler = os.environ.get("CXX", "g++")
        if self.compiled and shutil.which(compiler) is None:
            msg = f"torch.compile needs a compiler for C++, and there is no {compiler}: install one, or name one in CXX"
            raise RuntimeError(msg)
        from assay.alternatives.torch.device import use

        return use(device, threads=threads, tf32=self.tf32)

    @cached_property
    def _trainer(self) -> Callable[..., Trainer]:
        """Make what trains a network."""
        if self.compiled:
            from assay.alternatives.torch.compilation import trainer

            return trainer
        from assay.alternatives.torch.models import Trainer

        return Trainer

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from assay.alternatives.torch.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from assay.alternatives.torch.models import Models

        return Models(self._trainer)

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from assay.alternatives.torch.training import Training

        return Training(self._trainer)

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from assay.alternatives.torch.training import Datasets

        return Datasets()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from assay.alternatives.torch.text import Text

        return Text(self._trainer)

    @cached_property
    def environments(self) -> contract.Environments:
        """CartPole and Breakout."""
        from assay.alternatives.torch.environments import Environments

        return Environments()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        from assay.alternatives.torch.agent import Agent

        return Agent(self._trainer)


implementation = Torch()
compiled = Torch(compiled=True)
tf32 = Torch(tf32=True)
