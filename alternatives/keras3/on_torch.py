"""Backend-specific parts for Keras on PyTorch."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def use(device: str, threads: int | None) -> str:
    """Make Keras create every tensor on one device, in full float32, and return the device's name.

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
    """Do nothing: PyTorch supports numbers of any width."""
    return nullcontext()


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function unchanged: PyTorch runs eagerly."""
    return function


def record(function: Callable[..., Any]) -> Callable[..., Any]:
    """Record the operations of a function once per shapes and dtypes of its arguments, and replay them without Keras.

    Keras takes 0.7 ms for the outputs of a small network, and the operations alone 0.04 ms. A recorded function may
    change its argument tensors, as the optimizers of Keras do.
    """
    graphs: dict[Any, Callable[..., Any]] = {}

    def call(*arguments: Any) -> Any:
        tensors = tree_map(lambda one: one if isinstance(one, torch.Tensor) else torch.tensor(one), arguments)
        leaves, structure = tree_flatten(tensors)
        form = structure, *((one.shape, one.dtype) for one in leaves)
        if form not in graphs:
            # Recorded on copies, which the function may change.
            graphs[form] = make_fx(lambda *leaves: function(*tree_unflatten(leaves, structure)))(
                *(one.clone() for one in leaves)
            )
        with torch.no_grad():
            return graphs[form](*leaves)

    return call


def value_and_gradients(function: Callable[..., Any], *arguments: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the scalar value of a function of tensors, and its gradient for each of them."""
    leaves = [argument.detach().requires_grad_() for argument in arguments]
    value = function(*leaves)
    return value, torch.autograd.grad(value, leaves)
