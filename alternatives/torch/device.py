"""Selection of PyTorch's device, and copies of tensors to and from it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.contract import Array


def use(device: str, *, threads: int | None = None, tf32: bool = False) -> str:
    """Make PyTorch create every tensor on one device, and return the device's name.

    Args:
        device: `cpu` or `gpu`.
        threads: Maximum number of threads; None for PyTorch's choice.
        tf32: Whether a GPU may round the factors of products to TF32; otherwise full float32.

    Raises:
        RuntimeError: PyTorch sees no such device.

    """
    if device == "cpu":
        if threads is not None:
            torch.set_num_threads(min(threads, torch.get_num_threads()))
        return "CPU"
    if not torch.cuda.is_available():
        msg = "PyTorch sees no GPU"
        raise RuntimeError(msg)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.set_default_device("cuda")
    return torch.cuda.get_device_name()


def to_tensor(array: Array) -> torch.Tensor:
    """Copy an array to the device."""
    # In C order: the fused step of Adam is wrong if the memory orders of its tensors differ.
    return torch.tensor(np.asarray(array, order="C"))


def to_array(tensor: torch.Tensor) -> Array:
    """Copy a tensor to an array, as the tensor's memory may change."""
    return np.array(tensor.numpy(force=True))


@contextmanager
def use_seed(seed: int) -> Iterator[None]:
    """Seed PyTorch's draws within the context, and restore its generators afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
