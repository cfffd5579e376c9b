"""What Keras leaves to its backend, on JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def use(device: str, _threads: int | None) -> str:
    """Keep JAX to one device and to full float32, and return the device's name. It chooses its threads itself.

    Raises:
        RuntimeError: JAX sees no such device.

    """
    jax.config.update("jax_platforms", {"cpu": "cpu", "gpu": "cuda"}[device])
    jax.config.update("jax_default_matmul_precision", "highest")
    name: str = jax.devices()[0].device_kind
    return "CPU" if device == "cpu" else name


def every_width() -> AbstractContextManager[None]:
    """Let numbers of 64 bits be made, which JAX otherwise cuts to 32."""
    return jax.enable_x64(new_val=True)


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function, once for each form of its arguments."""
    return jax.jit(function)


# JAX takes no time of its own for what it has compiled.
record = compile_function


def value_and_gradients(function: Callable[..., Any], *arguments: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a function gives for arrays, a scalar, and its gradient for each of them."""
    return jax.value_and_grad(function, argnums=tuple(range(len(arguments))))(*arguments)
