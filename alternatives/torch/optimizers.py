"""PyTorch's optimizers, with the one thing that the contract's Adam does otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.optim import SGD

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SGD", "Adam"]

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON_HAT = 1e-7


class Adam(torch.optim.Adam):
    """Kingma and Ba's Adam with their epsilon (hat).

    PyTorch adds an epsilon to the square root of the second moment after that is corrected for bias, and this one is
    added before. So what PyTorch adds has to be corrected likewise, from step to step.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], learning_rate: float, steps: int = 0) -> None:
        """Take the parameters, and how many steps there have been."""
        super().__init__(parameters, learning_rate, betas=(BETA_1, BETA_2), fused=True)
        self.steps = steps

    def step(self) -> None:
        """Take one step."""
        self.steps += 1
        for group in self.param_groups:
            group["eps"] = EPSILON_HAT / (1 - BETA_2**self.steps) ** 0.5
        super().step()
