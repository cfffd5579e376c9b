"""Padding `same` of images, for frameworks that lack it or pad symmetrically."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.contract import Array, Padding, Pair


def pad_widths(size: int, window: int, stride: int, padding: Padding) -> Pair:
    """Return the number of elements added before and after an axis.

    >>> pad_widths(5, 2, 1, "same")
    (0, 1)
    """
    if padding == "valid":
        return 0, 0
    missing = max((-(-size // stride) - 1) * stride + window - size, 0)
    return missing // 2, missing - missing // 2


def pad_image_widths(
    size: Sequence[int], window: Sequence[int], strides: Sequence[int], padding: Padding
) -> tuple[Pair, Pair]:
    """Return the number of rows added above and below, and of columns to the left and right.

    Args:
        size: Height and width of the images.
        window: Height and width of the window.
        strides: Strides of the window, in rows and columns.
        padding: `valid` or `same`.

    """
    rows, columns = (pad_widths(*axis, padding) for axis in zip(size, window, strides, strict=True))
    return rows, columns


def pad_images(
    images: Array, window: Sequence[int], strides: Sequence[int], padding: Padding, value: float = 0.0
) -> Array:
    """Add the padding of `same` around images [batch, height, width, channels]."""
    widths = pad_image_widths(images.shape[1:3], window, strides, padding)
    return np.pad(images, ((0, 0), *widths, (0, 0)), constant_values=value)


def crop_images(padded: Array, size: Pair, window: Sequence[int], strides: Sequence[int], padding: Padding) -> Array:
    """Remove the padding of `pad_images` from images of a size; applied to gradients, this is its transpose."""
    (top, _), (left, _) = pad_image_widths(size, window, strides, padding)
    return padded[:, top : top + size[0], left : left + size[1]]
