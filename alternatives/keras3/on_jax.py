"""Backend-specific parts for Keras on JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def use(device: str, _threads: int | None) -> str:
    """Restrict JAX to one device and to full float32, and return the device's name. JAX chooses its threads itself.

    Raises:
        RuntimeError: JAX sees no such device.

    """
    jax.config.update("jax_platforms", {"cpu": "cpu", "gpu": "cuda"}[device])
    jax.config.update("jax_default_matmul_precision", "highest")
    name: str = jax.devices()[0].device_kind
    return "CPU" if device == "cpu" else name


def every_width() -> AbstractContextManager[None]:
    """Allow 64-bit numbers, which JAX otherwise truncates to 32 bits."""
    return jax.enable_x64(new_val=True)


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function, once per shapes and dtypes of its arguments."""
    return jax.jit(function)


# Calls of compiled functions have no overhead in JAX.
record = compile_function


def value_and_gradients(function: Callable[..., Any], *arguments: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the scalar value of a function of arrays, and its gradient for each of them."""
    return jax.value_and_grad(function, argnums=tuple(range(len(arguments))))(*arguments)
