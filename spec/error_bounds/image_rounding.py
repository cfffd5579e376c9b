"""How far a correct float32 result may lie from the definition, for what is done to images: see `rounding`."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.error_bounds.rounding import DIVIDE, ELEMENTWISE, SQRT, TINY, gamma
from assay.spec.semantics import convolution, datasets, normalization
from assay.spec.semantics.convolution import Padding, Pair
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.layers import Array


def conv2d(
    inputs: Array,
    kernel: Array,
    bias: Array | None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    activation: str | None = None,
) -> Array:
    """Bound a convolution that adds products directly: as many as the window has elements, over all channels.

    Algorithms that multiply less, Winograd's and Fourier's, are not covered: what they lose depends on the largest
    element of an image, not on those that enter a sum.
    """
    n = kernel[..., 0].size

    def convolve(*factors: Array) -> Array:
        return convolution.conv2d(*factors, strides=strides, padding=padding)

    added = input_rounding_bound(convolve, inputs, kernel)
    magnitude = convolve(np.abs(inputs), np.abs(kernel)) + added + (0 if bias is None else np.abs(bias))
    linear = gamma(n + 1) * magnitude + added + (n + 1) * TINY
    result = convolution.conv2d(inputs, kernel, bias, strides=strides, padding=padding, activation=activation)
    slope = 0.25 if activation == "sigmoid" else 1.0
    return slope * linear + ELEMENTWISE[activation](result)


def conv2d_gradients(
    inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
) -> tuple[Array, Array, Array]:
    """Bound the three gradients of a convolution: sums of products over window and filters, and over all places."""

    def linear(*arguments: Array) -> Array:
        return convolution.conv2d(*arguments, strides=strides, padding=padding)

    def to(position: int) -> Any:  # noqa: ANN401 - nothing to add, or an array
        return input_rounding_bound(lambda *factors: vjp(linear, *factors, bias)[position], upstream, inputs, kernel)

    # The gradient of the bias is a sum.
    added = to(0), to(1), 0.0
    magnitudes = vjp(linear, np.abs(upstream), np.abs(inputs), np.abs(kernel), np.abs(bias))
    places = upstream[..., 0].size
    terms = (kernel[..., 0, :].size, places, places)
    first, second, third = (
        gamma(n) * (size + more) + more + n * TINY for n, size, more in zip(terms, magnitudes, added, strict=True)
    )
    return first, second, third


def average_pool2d(inputs: Array, size: Pair, strides: Pair, padding: Padding, *, with_zeros: bool = False) -> Array:
    """Bound a mean: n - 1 additions and a division, or a product with the rounded 1 / n."""
    n = size[0] * size[1]
    mean = convolution.average_pool2d(np.abs(inputs), size, strides, padding, with_zeros=with_zeros)
    return gamma(n + DIVIDE) * mean + n * TINY


def average_pool2d_gradient(
    inputs: Array, upstream: Array, size: Pair, strides: Pair, padding: Padding, *, with_zeros: bool = False
) -> Array:
    """Bound a sum of quotients, one for each window that an element is in."""

    def pooled(image: Array) -> Array:
        return convolution.average_pool2d(image, size, strides, padding, with_zeros=with_zeros)

    n = size[0] * size[1]
    return gamma(n + DIVIDE) * vjp(pooled, np.abs(upstream), inputs)[0] + n * TINY


def pooling_gradient(inputs: Array, upstream: Array, size: Pair, strides: Pair, padding: Padding) -> Array:
    """Bound the gradient of max pooling: an element gets at most one share from each window that it is in."""

    def cut(image: Array) -> Array:
        return convolution.extract_patches(image, size, strides, padding)

    n = size[0] * size[1]
    shares = np.abs(upstream)[:, :, :, None, None, :] * np.ones((*size, 1))
    return gamma(n) * vjp(cut, shares, inputs)[0] + n * TINY


def batch_normalization(
    inputs: Array, gamma_: Array, beta: Array, moving: normalization.Statistics, *, training: bool
) -> Array:
    """Bound gamma (x - mean) / sqrt(variance + epsilon) + beta, as written or as one product and one addition.

    An error e of mean + variance moves the root's inverse by e / 2 relative to variance + epsilon.
    """
    mean, variance = normalization.statistics(inputs) if training else moving
    mean_error, variance_error = statistics(inputs) if training else (np.zeros_like(mean), np.zeros_like(variance))
    inverse = 1 / np.sqrt(variance + normalization.EPSILON)
    relative = variance_error / (variance + normalization.EPSILON) / 2 + gamma(SQRT + DIVIDE + 2)
    spread = np.abs(inputs) + np.abs(mean)
    scaled = np.abs(gamma_) * inverse * ((relative + gamma(6)) * spread + mean_error)
    return scaled + gamma(2) * np.abs(beta) + 4 * TINY


def statistics(inputs: Array) -> normalization.Statistics:
    """Bound mean and variance of a batch, the latter as the mean of squared distances or as E[x^2] - E[x]^2."""
    axes = tuple(range(inputs.ndim - 1))
    n = inputs.size // inputs.shape[-1]
    square = np.mean(inputs**2, axis=axes)
    mean = gamma(n + DIVIDE) * np.mean(np.abs(inputs), axis=axes) + TINY
    return normalization.Statistics(mean, 4 * gamma(n + DIVIDE + 2) * square + TINY)


def update_moving_statistics(inputs: Array, moving: normalization.Statistics) -> normalization.Statistics:
    """Bound the moving statistics after a batch: momentum and its complement are rounded, products added."""
    batch, error = normalization.statistics(inputs), statistics(inputs)
    share = 1 - normalization.MOMENTUM
    n = inputs.size // inputs.shape[-1]
    # 1 - momentum has the absolute rounding error of momentum, and n / (n - 1) is at most 2.
    mean, variance = (
        gamma(4) * (np.abs(old) + factor * np.abs(new)) + factor * share * off + TINY
        for old, new, off, factor in zip(moving, batch, error, (1, n / max(n - 1, 1)), strict=True)
    )
    return normalization.Statistics(mean, variance)


def dropout(result: Array) -> Array:
    """Bound x / (1 - rate), as a division or as a product with the rounded inverse."""
    return gamma(DIVIDE + 2) * np.abs(result) + TINY


def resize(image: Array, size: tuple[int, int]) -> Array:
    """Bound bilinear resizing of an image of 0 to 255 and its scaling to [0, 1].

    The centre of a pixel is computed at a distance of up to the axis' length from the border, in four operations, which
    moves the share between two neighbours by as many roundings of that length.
    """
    shares = sum(gamma(4) * length for length in image.shape[:2])
    return shares + gamma(8 + DIVIDE) * datasets.resize(image, size) + TINY
