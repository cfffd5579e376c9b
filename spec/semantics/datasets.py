"""Preprocessing by the document's data loader and input pipeline."""

from __future__ import annotations

import numpy as np

from assay.spec.semantics.layers import Array


def preprocess(images: Array, labels: Array) -> tuple[Array, Array]:
    """Scale to [0, 1], append the channel axis, make the labels int32 (lines 139 to 143).

    Args:
        images: Uint8 [examples, height, width].
        labels: Uint8 [examples].

    Returns:
        float64 [examples, height, width, 1] and int32 [examples].

    """
    return np.expand_dims(images.astype(np.float64) / 255.0, axis=-1), labels.astype(np.int32)


def resize(image: Array, size: tuple[int, int]) -> Array:
    """Resize by bilinear interpolation between the centres of pixels, and scale to [0, 1] (line 376).

    The centre of pixel i of an axis is at (i + 1/2) / its length. Beyond the outermost centres, the border value is
    repeated. There is no antialiasing when an image shrinks.

    Args:
        image: [height, width, channels], from 0 to 255.
        size: New height and width.

    Returns:
        [*size, channels], between 0 and 1.

    """
    resized = image.astype(np.float64)
    for axis, length in enumerate(size):
        before, after, share = neighbours(image.shape[axis], length)
        share = np.expand_dims(share, tuple(range(1, image.ndim - axis)))
        first, second = np.take(resized, before, axis), np.take(resized, after, axis)
        resized = first + (second - first) * share
    return resized / 255.0


def neighbours(old: int, new: int) -> tuple[Array, Array, Array]:
    """Return, for each new pixel of an axis, the two old pixels around its centre, and the weight of the second."""
    centre = (np.arange(new) + 0.5) * old / new - 0.5
    before = np.floor(centre)
    return (
        np.clip(before, 0, old - 1).astype(int),
        np.clip(before + 1, 0, old - 1).astype(int),
        centre - before,
    )
