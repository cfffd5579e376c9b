"""Geometry of windows over images, shared by convolution and pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from assay.contract import Array, Padding, Pair


@dataclass(frozen=True)
class Window:
    """A window that slides over images.

    Attributes:
        size: Height and width.
        strides: Steps down and to the right.
        padding: `valid` or `same`.

    """

    size: Pair
    strides: Pair
    padding: Padding

    def pad(self, images: Array, value: float = 0.0) -> Array:
        """Add the padding of `same` around images [batch, height, width, channels]."""
        return np.pad(images, ((0, 0), *self._margins(images.shape), (0, 0)), constant_values=value)

    def crop(self, padded: Array, shape: tuple[int, ...]) -> Array:
        """Remove the padding of `pad` from images of a shape."""
        (top, _), (left, _) = self._margins(shape)
        return padded[:, top : top + shape[1], left : left + shape[2]]

    def scatter(self, values: Array, shape: tuple[int, ...]) -> Array:
        """Place the values of each window at its start, so that windows of stride 1 gather them per image element.

        Args:
            values: [batch, rows, columns, n].
            shape: Shape of the images.

        Returns:
            [batch, height + window height - 1, width + window width - 1, n], mostly 0. Its windows of this size and a
            stride of 1 correspond to the elements of the images.

        """
        margins = self._margins(shape)
        axes = zip(shape[1:3], self.size, margins, strict=True)
        lengths = [length + sum(margin) + size - 1 for length, size, margin in axes]
        result = np.zeros((len(values), *lengths, values.shape[-1]), np.float32)
        (high, wide), (down, right), (rows, columns) = self.size, self.strides, values.shape[1:3]
        result[:, high - 1 :: down, wide - 1 :: right][:, :rows, :columns] = values
        (top, bottom), (left, right) = margins
        return result[:, top : lengths[0] - bottom, left : lengths[1] - right]

    def _margins(self, shape: tuple[int, ...]) -> list[Pair]:
        """Return the padding of images of a shape: above and below, left and right."""
        if self.padding == "valid":
            return [(0, 0), (0, 0)]
        margins = []
        for length, size, stride in zip(shape[1:3], self.size, self.strides, strict=True):
            added = max((-(-length // stride) - 1) * stride + size - length, 0)
            margins.append((added // 2, added - added // 2))
        return margins

    def cut(self, padded: Array) -> Array:
        """View every window: [batch, rows, columns, window height, window width, channels]."""
        down, right = self.strides
        views = sliding_window_view(padded, self.size, axis=(1, 2))[:, ::down, ::right]
        return np.moveaxis(views, 3, -1)

    def shifts(self, padded: Array) -> Iterator[Array]:
        """Yield a view of the elements at each position in the window: [batch, rows, columns, channels].

        If windows overlap, an element is in several views. Adding to a view adds to the image.
        """
        down, right = self.strides
        rows, columns = (
            (length - size) // stride + 1
            for length, size, stride in zip(padded.shape[1:3], self.size, self.strides, strict=True)
        )
        for top, left in product(*map(range, self.size)):
            yield padded[:, top : top + rows * down : down, left : left + columns * right : right]
