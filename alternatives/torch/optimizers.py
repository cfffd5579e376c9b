"""PyTorch's optimizers with the document's constants; and the same as pure functions.

A function has no state: the optimizer's state is an argument and a result.
"""

from __future__ import annotations

from functools import partial

import torch
from torch.optim import SGD

__all__ = ["SGD", "Adam", "adam", "sgd"]

# Tensors by the name of the parameter.
Tensors = dict[str, torch.Tensor]
Moments = tuple[Tensors, Tensors, torch.Tensor]

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7

Adam = partial(torch.optim.Adam, betas=(BETA_1, BETA_2), eps=EPSILON, fused=True)


def begin(parameters: Tensors) -> Moments:
    """Return Adam's state before the first step.

    Returns:
        The first and the second moment of every parameter, and the number of steps, [1] in float64, since bias
        corrections are differences of numbers near 1. Without an axis, `torch.compile` (2.13) would treat it as a
        number, and copies into it would be lost.

    """
    first, second = ({name: torch.zeros_like(one) for name, one in parameters.items()} for _ in range(2))
    return first, second, torch.zeros(1, dtype=torch.float64)


def sgd(parameters: Tensors, gradients: Tensors, gathered: tuple[()], rate: torch.Tensor) -> tuple[Tensors, tuple[()]]:
    """Update parameters along their negative gradients."""
    return {name: one - rate * gradients[name] for name, one in parameters.items()}, gathered


def adam(parameters: Tensors, gradients: Tensors, moments: Moments, rate: torch.Tensor) -> tuple[Tensors, Moments]:
    """Update parameters by their moments, with epsilon as in Kingma and Ba's algorithm 1."""
    first, second, steps = moments
    steps = steps + 1
    first = {name: BETA_1 * m + (1 - BETA_1) * gradients[name] for name, m in first.items()}
    second = {name: BETA_2 * v + (1 - BETA_2) * gradients[name] ** 2 for name, v in second.items()}
    rate, root = (rate / (1 - BETA_1**steps)).float(), torch.sqrt(1 - BETA_2**steps).float()
    moved = {
        name: one - rate * first[name] / (torch.sqrt(second[name]) / root + EPSILON) for name, one in parameters.items()
    }
    return moved, (first, second, steps)
