"""The NumPy alternative with convolutions that multiply less, in float32: sound, and less exact than direct sums.

`--implementation doubles.fast_convolution:winograd` tests one, or `fourier`, with the suite on the path.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from scipy import fft

from assay.alternatives.numpy import NumPy
from assay.alternatives.numpy.ops import Ops
from assay.contract import Array, Padding, Pair
from assay.spec.semantics.convolution import pad_widths

# F(4x4, 3x3): Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, section 4.3.
INPUTS = np.array(
    [
        *([4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0]),
        *([0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]),
    ],
    np.float32,
)
WEIGHTS = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float32)
WEIGHTS /= np.float32(24)
OUTPUTS = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32)
TILE, SEEN = 4, 6


def winograd_convolution(padded: Array, kernel: Array) -> Array:
    """Convolve with 3x3 windows at a stride of 1, in tiles of 4x4 outputs."""
    batch, rows, columns, _ = padded.shape
    rows, columns = rows - 2, columns - 2
    down, right = -(-rows // TILE), -(-columns // TILE)
    around = np.pad(padded, ((0, 0), (0, TILE * down - rows), (0, TILE * right - columns), (0, 0)))
    tiles = np.lib.stride_tricks.sliding_window_view(around, (SEEN, SEEN), axis=(1, 2))[:, ::TILE, ::TILE]
    seen = INPUTS @ tiles @ INPUTS.T
    weights = WEIGHTS @ kernel.transpose(2, 3, 0, 1) @ WEIGHTS.T
    products = np.einsum("bdrcij,cfij->bdrfij", seen, weights, optimize=True)
    outputs = OUTPUTS @ products @ OUTPUTS.T
    joined = outputs.transpose(0, 1, 4, 2, 5, 3).reshape(batch, TILE * down, TILE * right, -1)
    return joined[:, :rows, :columns]


def fourier_convolution(padded: Array, kernel: Array) -> Array:
    """Convolve with any window at a stride of 1."""
    size = padded.shape[1:3]
    seen, weights = fft.rfft2(padded, axes=(1, 2)), fft.rfft2(kernel, size, axes=(0, 1))
    products = np.einsum("bijc,ijcf->bijf", seen, weights.conj(), optimize=True)
    rows, columns = (n - k + 1 for n, k in zip(size, kernel.shape[:2], strict=True))
    result: Array = fft.irfft2(products, size, axes=(1, 2))[:, :rows, :columns]
    return result


class FastOps(Ops):
    """Operations whose convolutions, and gradients for images, are fast where the algorithm can do them."""

    def __init__(self, convolve: Callable[[Array, Array], Array], windows: tuple[Pair, ...]) -> None:
        """Take an algorithm, and the windows that it is for; none stands for any."""
        self._convolve, self._windows = convolve, windows

    def _is_fast(self, kernel: Array) -> bool:
        return not self._windows or kernel.shape[:2] in self._windows

    def conv2d(
        self,
        inputs: Array,
        kernel: Array,
        bias: Array | None = None,
        *,
        strides: Pair = (1, 1),
        padding: Padding = "valid",
        activation: Any = None,
    ) -> Array:
        """Convolve at a stride of 1, and leave out what a longer one leaves out."""
        if activation or not self._is_fast(kernel):
            return super().conv2d(inputs, kernel, bias, strides=strides, padding=padding, activation=activation)
        axes = zip(inputs.shape[1:3], kernel.shape[:2], strides, strict=True)
        around = np.pad(inputs, ((0, 0), *(pad_widths(*axis, padding) for axis in axes), (0, 0)))
        sums = self._convolve(around, kernel)[:, :: strides[0], :: strides[1]]
        return np.ascontiguousarray(sums if bias is None else sums + bias, np.float32)

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Convolve upstream with the kernel turned around, for images."""
        found = super().conv2d_gradients(inputs, kernel, bias, upstream, strides=strides, padding=padding)
        if strides != (1, 1) or not self._is_fast(kernel):
            return found
        widths = []
        for size, window in zip(inputs.shape[1:3], kernel.shape[:2], strict=True):
            before, after = pad_widths(size, window, 1, padding)
            widths.append((window - 1 - before, window - 1 - after))
        around = np.pad(upstream, ((0, 0), *widths, (0, 0)))
        to_inputs = self._convolve(around, kernel[::-1, ::-1].swapaxes(2, 3))
        return np.ascontiguousarray(to_inputs, np.float32), *found[1:]


class Fast(NumPy):
    """The NumPy alternative with such operations."""

    groups = ("ops",)

    def __init__(self, name: str, convolve: Callable[[Array, Array], Array], *windows: Pair) -> None:
        """Take the algorithm."""
        self.name = name
        self._fast = convolve, windows

    @cached_property
    def ops(self) -> Ops:
        """Single operations."""
        return FastOps(*self._fast)


winograd = Fast("numpy with Winograd's convolution", winograd_convolution, (3, 3))
fourier = Fast("numpy with Fourier's convolution", fourier_convolution)
