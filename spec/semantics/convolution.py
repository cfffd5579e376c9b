"""What convolution and pooling compute over images [batch, height, width, channels].

Every function keeps the floating-point type of its inputs, and can be differentiated.
"""

from __future__ import annotations

import math
from typing import Literal

import autograd.numpy as np

from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.layers import ACTIVATIONS, Array
from assay.spec.semantics.products import product

Padding = Literal["valid", "same"]
Pair = tuple[int, int]


def pad_widths(size: int, window: int, stride: int, padding: Padding) -> Pair:
    """Return the number of elements added before and after an axis (line 468).

    `valid` adds none. `same` adds enough for ceil(size / stride) windows; if the number is odd, the extra element comes
    after.
    """
    if padding == "valid":
        return 0, 0
    missing = max((math.ceil(size / stride) - 1) * stride + window - size, 0)
    return missing // 2, missing - missing // 2


def output_size(size: int, window: int, stride: int, padding: Padding) -> int:
    """Return the number of windows along an axis (lines 410, 468 and 470)."""
    return (size + sum(pad_widths(size, window, stride, padding)) - window) // stride + 1


def extract_patches(inputs: Array, size: Pair, strides: Pair, padding: Padding, fill: float = 0.0) -> Array:
    """Extract the contents of a window at each of its positions, row by row (line 410).

    Args:
        inputs: [batch, height, width, channels].
        size: Height and width of the window.
        strides: Steps of the window down and to the right.
        padding: `valid` or `same`.
        fill: Value of the padding.

    Returns:
        [batch, rows, columns, window height, window width, channels].

    """
    axes = tuple(zip(inputs.shape[1:3], size, strides, strict=True))
    widths = ((0, 0), *(pad_widths(*axis, padding) for axis in axes), (0, 0))
    rows, columns = (output_size(*axis, padding) for axis in axes)
    around = np.pad(inputs, widths, "constant", constant_values=fill)
    patches = [
        around[:, row : row + rows * strides[0] : strides[0], column : column + columns * strides[1] : strides[1]]
        for row in range(size[0])
        for column in range(size[1])
    ]
    shape = (inputs.shape[0], rows, columns, *size, inputs.shape[3])
    return np.reshape(np.stack([one[:, :rows, :columns] for one in patches], axis=3), shape)


def conv2d(
    inputs: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    activation: str | None = None,
) -> Array:
    """Sum each window times the kernel over window and channels, and add the bias (lines 408 to 410 and 466).

    The kernel is not flipped, so in mathematical terms this is a cross-correlation.

    Args:
        inputs: [batch, height, width, channels].
        kernel: [window height, window width, channels, filters].
        bias: [filters]; None for a layer without one.
        strides: Steps of the window down and to the right.
        padding: `valid` or `same`, which adds zeros.
        activation: One of `layers.ACTIVATIONS`; None for none.

    Returns:
        [batch, rows, columns, filters].

    """
    size: Pair = kernel.shape[:2]
    patches = extract_patches(inputs, size, strides, padding)
    linear = product(lambda *factors: np.tensordot(*factors, 3), patches, kernel)
    return ACTIVATIONS[activation](linear if bias is None else linear + bias)


def max_pool2d(inputs: Array, size: Pair, strides: Pair, padding: Padding = "valid") -> Array:
    """Keep the largest value of each window, channel by channel (line 474); padding is never the largest.

    Returns:
        [batch, rows, columns, channels].

    """
    return np.max(extract_patches(inputs, size, strides, padding, -np.inf), axis=(3, 4))


def average_pool2d(
    inputs: Array, size: Pair, strides: Pair, padding: Padding = "valid", *, with_zeros: bool = False
) -> Array:
    """Average each window, channel by channel (line 474).

    The document does not say whether the mean includes the zeros that `same` adds. Keras averages only the values from
    the image, PyTorch and Flax average all values.

    Args:
        inputs: [batch, height, width, channels].
        size: Height and width of the window.
        strides: Steps of the window.
        padding: `valid` or `same`.
        with_zeros: Whether the mean includes the added zeros.

    Returns:
        [batch, rows, columns, channels].

    """
    total = np.sum(extract_patches(inputs, size, strides, padding), axis=(3, 4))
    return total / (size[0] * size[1] if with_zeros else count_elements(inputs, size, strides, padding))


def count_elements(inputs: Array, size: Pair, strides: Pair, padding: Padding) -> Array:
    """Count the elements of the image in each window: [batch, rows, columns, channels]."""
    return np.sum(extract_patches(np.ones(inputs.shape, inputs.dtype), size, strides, padding), axis=(3, 4))


def lead_of_largest(inputs: Array, size: Pair, strides: Pair) -> Array:
    """Return by how much the largest value of each window exceeds the second; infinity if the largest is not positive.

    Ties at zero do not matter after a ReLU, which passes no gradient there.
    """
    patches = extract_patches(inputs, size, strides, "valid")
    flat = np.reshape(patches, (*patches.shape[:3], -1, patches.shape[5]))
    second, largest = np.moveaxis(np.sort(flat, axis=3)[:, :, :, -2:], 3, 0)
    return np.where(largest > 0, largest - second, np.inf)


def max_pool2d_gradient_limits(
    inputs: Array, upstream: Array, size: Pair, strides: Pair, padding: Padding = "valid"
) -> tuple[Array, Array]:
    """Return the least and greatest gradient that max pooling may pass back to each element.

    A window passes its gradient to its largest element. If several elements are equally large, the maximum has no
    derivative, and each may get any share of the gradient. Frameworks pass it to the first, to each in full, or to all
    in equal parts. The shares of a window add up to its gradient, so the sums of gradients in and out agree.

    Args:
        inputs: [batch, height, width, channels].
        upstream: Gradient of the output, [batch, rows, columns, channels].
        size: Height and width of the window.
        strides: Steps of the window.
        padding: `valid` or `same`.

    Returns:
        Two arrays in the shape of `inputs`.

    """

    def extract(image: Array) -> Array:
        return extract_patches(image, size, strides, padding, -np.inf)

    patches = extract(inputs)
    largest = patches == np.max(patches, axis=(3, 4), keepdims=True)
    alone = np.sum(largest, axis=(3, 4), keepdims=True) == 1
    gradient = upstream[:, :, :, None, None, :] * largest
    least, greatest = (np.where(alone, gradient, bound(gradient, 0)) for bound in (np.minimum, np.maximum))
    return vjp(extract, least, inputs)[0], vjp(extract, greatest, inputs)[0]
