"""PyTorch's optimizers, with the one thing that the contract's Adam does otherwise; and what they do as functions.

A function has no state: what has been gathered goes in and comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.optim import SGD

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SGD", "Adam", "adam", "sgd"]

# By a parameter's name.
Tensors = dict[str, torch.Tensor]
Moments = tuple[Tensors, Tensors, torch.Tensor]

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


def begin(parameters: Tensors) -> Moments:
    """Return what Adam has gathered before its first step.

    Returns:
        The first and the second moment of every parameter; and how many steps there have been, [1] in float64, as
        corrections for bias are differences of numbers near 1. Without an axis it would be a number to `torch.compile`
        (2.13), and what is copied there would be lost.

    """
    first, second = ({name: torch.zeros_like(one) for name, one in parameters.items()} for _ in range(2))
    return first, second, torch.zeros(1, dtype=torch.float64)


def sgd(parameters: Tensors, gradients: Tensors, gathered: tuple[()], rate: torch.Tensor) -> tuple[Tensors, tuple[()]]:
    """Move parameters against their gradients."""
    return {name: one - rate * gradients[name] for name, one in parameters.items()}, gathered


def adam(parameters: Tensors, gradients: Tensors, moments: Moments, rate: torch.Tensor) -> tuple[Tensors, Moments]:
    """Move parameters by their moments, with epsilon (hat)."""
    first, second, steps = moments
    steps = steps + 1
    first = {name: BETA_1 * m + (1 - BETA_1) * gradients[name] for name, m in first.items()}
    second = {name: BETA_2 * v + (1 - BETA_2) * gradients[name] ** 2 for name, v in second.items()}
    rate = (rate * torch.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps)).float()
    moved = {
        name: one - rate * first[name] / (torch.sqrt(second[name]) + EPSILON_HAT) for name, one in parameters.items()
    }
    return moved, (first, second, steps)
