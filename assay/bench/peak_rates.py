"""Peak rates of matrix products and memory access on a machine, in the framework of an implementation.

The limit for implementations is the best rate that any framework of a run reaches. A function made here repeats its
work a given number of times, and returns once the device has finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from assay.bench.flops import FLOAT_BYTES

Repeat = Callable[[int], Any]
# Keeps numbers from growing, without letting a compiler see that nothing changes.
FACTOR = 0.999


def framework_of(distributions: Iterable[str]) -> str:
    """Return the framework of an implementation that requires these packages."""
    names = [name for one in distributions for name in one.split("|")]
    return next((name for name in FRAMEWORKS if name in names), "numpy")


def make_product(framework: str, size: int) -> Repeat:
    """Return a function that multiplies two float32 matrices [size, size]: 2 size^3 operations."""
    return FRAMEWORKS[framework][0](size)


def make_stream(framework: str, footprint: int) -> Repeat:
    """Return a function that reads and writes an array of float32 numbers.

    A framework that cannot write a result in place gets two arrays of half the size, and two passes over them.

    Args:
        framework: Name of the framework, a key of `FRAMEWORKS`.
        footprint: Size of the memory in use, in bytes.

    """
    return FRAMEWORKS[framework][1](footprint // FLOAT_BYTES)


def _torch_product(size: int) -> Repeat:
    import torch  # noqa: PLC0415 - already loaded by the implementation

    left = torch.rand(size, size) / size
    right, product = torch.rand(size, size), torch.empty(size, size)

    def multiply(times: int) -> float:
        for _ in range(times):
            torch.matmul(left, right, out=product)
        return float(product[0, 0])

    return multiply


def _torch_stream(count: int) -> Repeat:
    import torch  # noqa: PLC0415

    values = torch.rand(count)

    def stream(times: int) -> float:
        for _ in range(times):
            values.mul_(FACTOR)
        return float(values[0])

    return stream


def _jax_product(size: int) -> Repeat:
    import jax  # noqa: PLC0415

    left, right = (jax.random.uniform(jax.random.key(seed), (size, size)) / size for seed in range(2))
    product = jax.jit(lambda one, other: one @ other)

    def multiply(times: int) -> Any:  # noqa: ANN401 - an array of JAX
        last = right
        for _ in range(times):
            last = product(left, last)
        return last.block_until_ready()

    return multiply


def _jax_stream(count: int) -> Repeat:
    import jax  # noqa: PLC0415

    begin = jax.random.uniform(jax.random.key(0), (count // 2,))
    scale = jax.jit(lambda values: values * FACTOR)

    def stream(times: int) -> Any:  # noqa: ANN401
        values = begin
        for _ in range(2 * times):
            values = scale(values)
        return values.block_until_ready()

    return stream


def _tensorflow_product(size: int) -> Repeat:
    import tensorflow as tf  # noqa: PLC0415

    left, right = tf.random.uniform([size, size]) / size, tf.random.uniform([size, size])

    def multiply(times: int) -> float:
        product = right
        for _ in range(times):
            product = tf.matmul(left, right)
        return float(product[0, 0])

    return multiply


def _tensorflow_stream(count: int) -> Repeat:
    import tensorflow as tf  # noqa: PLC0415

    begin = tf.random.uniform([count // 2])

    def stream(times: int) -> float:
        values = begin
        for _ in range(2 * times):
            values = values * FACTOR
        return float(values[0])

    return stream


def _numpy_product(size: int) -> Repeat:
    left, right = np.random.default_rng(0).random((2, size, size), np.float32)
    product = np.empty_like(left)

    def multiply(times: int) -> float:
        for _ in range(times):
            np.matmul(left, right, out=product)
        return float(product[0, 0])

    return multiply


def _numpy_stream(count: int) -> Repeat:
    values = np.random.default_rng(0).random(count, np.float32)

    def stream(times: int) -> float:
        for _ in range(times):
            np.multiply(values, np.float32(FACTOR), out=values)
        return float(values[0])

    return stream


FRAMEWORKS: dict[str, tuple[Callable[[int], Repeat], Callable[[int], Repeat]]] = {
    "torch": (_torch_product, _torch_stream),
    "jax": (_jax_product, _jax_stream),
    "tensorflow": (_tensorflow_product, _tensorflow_stream),
    "numpy": (_numpy_product, _numpy_stream),
}
