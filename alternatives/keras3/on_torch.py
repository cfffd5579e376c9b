"""What Keras leaves to its backend, on PyTorch."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def use(device: str, threads: int | None) -> str:
    """Let Keras make every tensor on one device, in full float32, and return the device's name.

    Raises:
        RuntimeError: PyTorch sees no such device.

    """
    if device == "cpu":
        if threads is not None:
            torch.set_num_threads(min(threads, torch.get_num_threads()))
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"
        return "CPU"
    if not torch.cuda.is_available():
        msg = "PyTorch sees no GPU"
        raise RuntimeError(msg)
    os.environ["KERAS_TORCH_DEVICE"] = "cuda"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch.cuda.get_device_name()


def every_width() -> AbstractContextManager[None]:
    """Do nothing: PyTorch makes numbers of any width."""
    return nullcontext()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is: PyTorch takes one operation after the other."""
    return function


def value_and_gradients(function: Callable[..., Any], *arguments: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a function gives for tensors, a scalar, and its gradient for each of them."""
    leaves = [argument.detach().requires_grad_() for argument in arguments]
    value = function(*leaves)
    return value, torch.autograd.grad(value, leaves)
