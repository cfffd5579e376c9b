"""PyTorch: layers of `torch.nn` and their gradients by autograd, operation by operation or compiled.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assay.contract import Implementation, LazyImplementation

if TYPE_CHECKING:
    from assay.alternatives.torch.models import Trainer

TRAINING = ("models", "training", "text", "agent")
GROUPS = ("ops", *TRAINING, "environments")


class Torch(LazyImplementation):
    """The PyTorch implementation of the contract."""

    version = "0.1.0"
    distributions = ("torch", "gymnasium")
    modules = {group: f"assay.alternatives.torch.{group}" for group in GROUPS} | {
        "datasets": "assay.alternatives.torch.training"
    }

    def __init__(self, *, compiled: bool = False, tf32: bool = False) -> None:
        """Store the options of the implementation.

        Args:
            compiled: Whether `torch.compile` compiles a training step.
            tf32: Whether a GPU may round the factors of products to TF32.

        """
        self.compiled, self.tf32 = compiled, tf32
        self.name = "-".join(["torch", *(["compiled"] if compiled else []), *(["tf32"] if tf32 else [])])

    def start(self, device: str, threads: int | None = None) -> str:
        """Load PyTorch, and make it create every tensor on one device.

        Raises:
            RuntimeError: The device does not exist, or no compiler was found.

        """
        compiler = os.environ.get("CXX", "g++")
        if self.compiled and shutil.which(compiler) is None:
            msg = f"torch.compile needs a compiler for C++, and there is no {compiler}: install one, or name one in CXX"
            raise RuntimeError(msg)
        from assay.alternatives.torch.device import use

        return use(device, threads=threads, tf32=self.tf32)

    @cached_property
    def _trainer(self) -> Callable[..., Trainer]:
        """The function that creates a network's trainer."""
        if self.compiled:
            from assay.alternatives.torch.compilation import trainer

            return trainer
        from assay.alternatives.torch.models import Trainer

        return Trainer

    def make(self, group: str, kind: Callable[..., Any]) -> Any:
        """Create a group; groups that train get the function that creates trainers."""
        return kind(self._trainer) if group in TRAINING else kind()


implementation: Implementation = Torch()
compiled: Implementation = Torch(compiled=True)
tf32: Implementation = Torch(tf32=True)
