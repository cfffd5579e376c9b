"""Sound convolutions and poolings that compute otherwise than the NumPy implementation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from assay.contract import Array, Padding, Pair
from doubles.sound_variants.operations import activated

Variant = Callable[..., Any]
f32 = np.float32


def pad_images(
    inputs: Array, size: Pair, strides: Pair, padding: Padding, value: float = 0
) -> tuple[Array, list[Pair]]:
    """Pad images; return the margins, too."""
    margins = [(0, 0), (0, 0)]
    if padding == "same":
        for axis in range(2):
            length, window, stride = inputs.shape[1 + axis], size[axis], strides[axis]
            added = max((math.ceil(length / stride) - 1) * stride + window - length, 0)
            margins[axis] = (added // 2, added - added // 2)
    return np.pad(inputs, ((0, 0), *margins, (0, 0)), constant_values=value), margins


def positions(images: Array, size: Pair, strides: Pair) -> Iterator[tuple[int, int, Array]]:
    """Yield each position in the window, and the elements there of all windows, as a view."""
    (down, right), (_, height, width, _) = strides, images.shape
    rows, columns = (height - size[0]) // down + 1, (width - size[1]) // right + 1
    for i, j in product(range(size[0]), range(size[1])):
        yield i, j, images[:, i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]


def conv2d_shifts(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Add a product for each position in the window, the last position first, starting from the bias."""
    images, _ = pad_images(inputs, kernel.shape[:2], strides, padding)
    total = f32(0) if bias is None else bias
    for i, j, view in reversed([*positions(images, kernel.shape[:2], strides)]):
        total = total + view @ kernel[i, j]
    return activated(total, activation)


def conv2d_double(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Sum in float64."""
    images, _ = pad_images(inputs.astype(float), kernel.shape[:2], strides, padding)
    total = sum(view @ kernel[i, j].astype(float) for i, j, view in positions(images, kernel.shape[:2], strides))
    return activated((total if bias is None else total + bias).astype(f32), activation)


def conv2d_channels_first(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Transpose to channels first, and contract with einsum; return a transposed view."""
    images, _ = pad_images(inputs, kernel.shape[:2], strides, padding)
    images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    views = sliding_window_view(images, kernel.shape[:2], axis=(2, 3))[:, :, :: strides[0], :: strides[1]]
    total = np.einsum("ncxyij,ijcf->nfxy", views, kernel, optimize=False)
    total = total if bias is None else total + bias[:, None, None]
    return activated(total, activation).transpose(0, 2, 3, 1)


def conv2d_split_channels(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Convolve each input channel by itself, and add up."""
    parts = [
        right(inputs[..., c : c + 1], kernel[:, :, c : c + 1], strides=strides, padding=padding)
        for c in range(inputs.shape[-1])
    ]
    total = sum(parts[1:], start=parts[0])
    return activated(total if bias is None else total + bias, activation)


def conv2d_tiled(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Compute the rows of the result one by one, image by image."""
    images, _ = pad_images(inputs, kernel.shape[:2], strides, padding)
    views = sliding_window_view(images, kernel.shape[:2], axis=(1, 2))[:, :: strides[0], :: strides[1]]
    weights = kernel.transpose(2, 0, 1, 3).reshape(-1, kernel.shape[-1])
    total = np.empty((*views.shape[:3], kernel.shape[-1]), f32)
    for n, row in product(range(views.shape[0]), range(views.shape[1])):
        total[n, row] = views[n, row].reshape(views.shape[2], -1) @ weights
    return activated(total if bias is None else total + bias, activation)


def conv2d_fourier(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None, kind=float):
    """Multiply spectra, and keep every stride-th result."""
    images, _ = pad_images(inputs, kernel.shape[:2], strides, padding)
    lengths = images.shape[1:3]
    of_images = np.fft.rfft2(images.astype(kind), axes=(1, 2))
    of_kernel = np.fft.rfft2(kernel.astype(kind), s=lengths, axes=(0, 1)).conj()
    spectra = np.einsum("nxyc,xycf->nxyf", of_images, of_kernel)
    total = np.fft.irfft2(spectra, s=lengths, axes=(1, 2))
    rows, columns = (length - size + 1 for length, size in zip(lengths, kernel.shape[:2], strict=True))
    total = total[:, : rows : strides[0], : columns : strides[1]].astype(f32)
    return activated(total if bias is None else total + bias, activation)


def conv2d_winograd(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Use Winograd's F(2x2, 3x3) where it applies (Lavin and Gray, 2016)."""
    if kernel.shape[:2] != (3, 3) or tuple(strides) != (1, 1):
        return right(inputs, kernel, bias, strides=strides, padding=padding, activation=activation)
    images, _ = pad_images(inputs, (3, 3), strides, padding)
    rows, columns = images.shape[1] - 2, images.shape[2] - 2
    images = np.pad(images, ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)))
    tiles = sliding_window_view(images, (4, 4), axis=(1, 2))[:, ::2, ::2]
    data = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], f32)
    filters = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], f32)
    output = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], f32)
    of_tiles = data @ tiles @ data.T
    of_kernel = np.einsum("ai,ijcf,bj->abcf", filters, kernel, filters, optimize=True).astype(f32)
    products = np.einsum("nxycab,abcf->nxyfab", of_tiles, of_kernel, optimize=True)
    blocks = output @ products @ output.T
    total = blocks.transpose(0, 1, 4, 2, 5, 3).reshape(len(images), images.shape[1] - 2, images.shape[2] - 2, -1)
    total = total[:, :rows, :columns]
    return activated(total if bias is None else total + bias, activation)


def conv2d_gradients_scattered(right, inputs, kernel, bias, upstream, *, strides, padding, kind=f32):
    """Add the gradient of each position in the window to the images."""
    images, ((top, _), (left, _)) = pad_images(inputs.astype(kind), kernel.shape[:2], strides, padding)
    upstream, to_images, to_kernel = upstream.astype(kind), np.zeros_like(images), np.zeros(kernel.shape, kind)
    views = positions(to_images, kernel.shape[:2], strides)
    for (i, j, view), (_, _, target) in zip(positions(images, kernel.shape[:2], strides), views, strict=True):
        to_kernel[i, j] = np.tensordot(view, upstream, axes=((0, 1, 2), (0, 1, 2)))
        np.add(target, upstream @ kernel[i, j].T.astype(kind), out=target)
    to_inputs = to_images[:, top : top + inputs.shape[1], left : left + inputs.shape[2]]
    return to_inputs.astype(f32), to_kernel.astype(f32), upstream.sum(axis=(0, 1, 2)).astype(f32)


def conv2d_gradients_double(right, *args, **kwargs):
    """Sum in float64."""
    return conv2d_gradients_scattered(right, *args, **kwargs, kind=np.float64)


def conv2d_gradients_by_example(right, inputs, kernel, bias, upstream, *, strides, padding):
    """Differentiate example by example, and return lists of views."""
    ways = {"strides": strides, "padding": padding}
    found = [right(inputs[n : n + 1], kernel, bias, upstream[n : n + 1], **ways) for n in range(len(inputs))]
    to_inputs, to_kernel, to_bias = zip(*found, strict=True)
    return np.concatenate(to_inputs), np.sum(to_kernel, axis=0), np.sum(to_bias, axis=0)


def windows(inputs: Array, pool_size: Pair, strides: Pair, padding: Padding, value: float) -> Array:
    """View the windows of padded images: [batch, rows, columns, channels, height, width]."""
    images, _ = pad_images(inputs, pool_size, strides, padding, value)
    return sliding_window_view(images, pool_size, axis=(1, 2))[:, :: strides[0], :: strides[1]]


def max_pool2d_windows(right, inputs, *, pool_size, strides, padding):
    """Reduce each window at once."""
    return windows(inputs, pool_size, strides, padding, -np.inf).max(axis=(-2, -1))


def max_pool2d_separable(right, inputs, *, pool_size, strides, padding):
    """Reduce along one axis after the other."""
    tall = right(inputs, pool_size=(pool_size[0], 1), strides=(strides[0], 1), padding=padding)
    return right(tall, pool_size=(1, pool_size[1]), strides=(1, strides[1]), padding=padding)


def max_pool2d_lowest(right, inputs, *, pool_size, strides, padding):
    """Pad with the smallest finite number, as TensorFlow does."""
    return windows(inputs, pool_size, strides, padding, np.finfo(f32).min).max(axis=(-2, -1))


def max_pool2d_gradient_chosen(inputs, upstream, pool_size, strides, padding, shares):
    """Distribute the gradient of each window by shares, a function from windows [..., places] to weights."""
    images, ((top, _), (left, _)) = pad_images(inputs, pool_size, strides, padding, -np.inf)
    views = np.stack([view for _, _, view in positions(images, pool_size, strides)], axis=-1)
    weights = shares(views)
    result = np.zeros_like(images)
    for place, (_, _, target) in enumerate(positions(result, pool_size, strides)):
        np.add(target, upstream * weights[..., place], out=target)
    return result[:, top : top + inputs.shape[1], left : left + inputs.shape[2]]


def max_pool2d_gradient_argmax(right, inputs, upstream, *, pool_size, strides, padding):
    """Give the gradient to the first of the largest."""

    def first(views):
        return (views.argmax(axis=-1)[..., None] == np.arange(views.shape[-1])).astype(f32)

    return max_pool2d_gradient_chosen(inputs, upstream, pool_size, strides, padding, first)


def max_pool2d_gradient_last(right, inputs, upstream, *, pool_size, strides, padding):
    """Give the gradient to the last of the largest: a subgradient as good as any."""

    def last(views):
        count = views.shape[-1]
        return (count - 1 - views[..., ::-1].argmax(axis=-1)[..., None] == np.arange(count)).astype(f32)

    return max_pool2d_gradient_chosen(inputs, upstream, pool_size, strides, padding, last)


def max_pool2d_gradient_shared(right, inputs, upstream, *, pool_size, strides, padding):
    """Share the gradient among the largest, as reductions of autodiff do."""

    def shared(views):
        largest = (views == views.max(axis=-1, keepdims=True)).astype(f32)
        return largest / largest.sum(axis=-1, keepdims=True)

    return max_pool2d_gradient_chosen(inputs, upstream, pool_size, strides, padding, shared)


def average_pool2d_double(right, inputs, *, pool_size, strides, padding):
    """Sum in float64, and count the elements in the image."""
    views = windows(inputs.astype(float), pool_size, strides, padding, 0)
    inside = windows(np.ones_like(inputs), pool_size, strides, padding, 0)
    return (views.sum(axis=(-2, -1)) / inside.sum(axis=(-2, -1))).astype(f32)


def average_pool2d_reciprocal(right, inputs, *, pool_size, strides, padding):
    """Multiply by the reciprocal of the number of elements."""
    inside = windows(np.ones_like(inputs), pool_size, strides, padding, 0).sum(axis=(-2, -1))
    return windows(inputs, pool_size, strides, padding, 0).sum(axis=(-2, -1)) * (f32(1) / inside)


def average_pool2d_gradient_scattered(right, inputs, upstream, *, pool_size, strides, padding):
    """Add the share of each window to the images in float64, the last window first."""
    images, ((top, _), (left, _)) = pad_images(inputs.astype(float), pool_size, strides, padding)
    inside, _ = pad_images(np.ones(inputs.shape), pool_size, strides, padding)
    result = np.zeros_like(images)
    for row, column in reversed([*product(*map(range, upstream.shape[1:3]))]):
        place = np.s_[
            :,
            row * strides[0] : row * strides[0] + pool_size[0],
            column * strides[1] : column * strides[1] + pool_size[1],
        ]
        share = upstream[:, row, column] / inside[place].sum(axis=(1, 2))
        result[place] += share[:, None, None]
    return result[:, top : top + inputs.shape[1], left : left + inputs.shape[2]].astype(f32)


VARIANTS: dict[str, dict[str, Variant]] = {
    "conv2d/shifts": {"ops.conv2d": conv2d_shifts},
    "conv2d/float64": {"ops.conv2d": conv2d_double},
    "conv2d/channels first": {"ops.conv2d": conv2d_channels_first},
    "conv2d/split channels": {"ops.conv2d": conv2d_split_channels},
    "conv2d/tiled": {"ops.conv2d": conv2d_tiled},
    "conv2d/Fourier": {"ops.conv2d": conv2d_fourier},
    "conv2d/Fourier float32": {"ops.conv2d": lambda *a, **k: conv2d_fourier(*a, **k, kind=f32)},
    "conv2d/Winograd": {"ops.conv2d": conv2d_winograd},
    "conv2d_gradients/scattered": {"ops.conv2d_gradients": conv2d_gradients_scattered},
    "conv2d_gradients/float64": {"ops.conv2d_gradients": conv2d_gradients_double},
    "conv2d_gradients/by example": {"ops.conv2d_gradients": conv2d_gradients_by_example},
    "max_pool2d/windows": {"ops.max_pool2d": max_pool2d_windows},
    "max_pool2d/separable": {"ops.max_pool2d": max_pool2d_separable},
    "max_pool2d/lowest finite": {"ops.max_pool2d": max_pool2d_lowest},
    "max_pool2d_gradient/argmax": {"ops.max_pool2d_gradient": max_pool2d_gradient_argmax},
    "max_pool2d_gradient/last": {"ops.max_pool2d_gradient": max_pool2d_gradient_last},
    "max_pool2d_gradient/shared": {"ops.max_pool2d_gradient": max_pool2d_gradient_shared},
    "average_pool2d/float64": {"ops.average_pool2d": average_pool2d_double},
    "average_pool2d/reciprocal": {"ops.average_pool2d": average_pool2d_reciprocal},
    "average_pool2d_gradient/by window": {"ops.average_pool2d_gradient": average_pool2d_gradient_scattered},
}
