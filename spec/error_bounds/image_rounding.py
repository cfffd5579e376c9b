"""Bounds on the error of a correct float32 result, for operations on images: see `rounding`."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.error_bounds.rounding import DIVIDE, SQRT, TINY, U, bound_activation, gamma
from assay.spec.semantics import convolution, datasets, normalization
from assay.spec.semantics.convolution import Padding, Pair
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.layers import Array

# Allowed error of a fast convolution, relative to the norms of its factors: seven of the 24 bits.
FAST = 2.0**7 * U


def fast_conv2d(inputs: Array, kernel: Array) -> Array:
    """Bound the error of a fast convolution algorithm, in addition to rounding its result: [batch, 1, 1, filters].

    Winograd and FFT convolutions combine elements before they multiply. So their error does not depend on the products
    in a sum but on norms: for each channel, the largest element of the image times the sum of the weights' magnitudes.
    Relative to that, F(4x4, 3x3) loses up to 36 U, and an FFT convolution up to 5 U
    (`tests/suite/test_fast_convolution.py`). An algorithm that needs more than `FAST` does not conform in float32.
    For small whole numbers this is the only error, since the direct sum is exact.
    """
    largest, weights = np.max(np.abs(inputs), axis=(1, 2)), np.sum(np.abs(kernel), axis=(0, 1))
    bound: Array = FAST * (largest @ weights)[:, None, None]
    return bound


def fast_conv2d_gradients(inputs: Array, kernel: Array, upstream: Array) -> tuple[Array, Array]:
    """Bound the error of fast gradients of inputs, [batch, 1, 1, channels], and kernel, [channels, filters].

    The gradients are convolutions themselves: of `upstream` with the kernel, and of the images with `upstream`.
    """
    largest, weights = np.max(np.abs(upstream), axis=(1, 2)), np.sum(np.abs(kernel), axis=(0, 1))
    of_images, of_upstream = np.max(np.abs(inputs), axis=(1, 2)), np.sum(np.abs(upstream), axis=(1, 2))
    return FAST * (largest @ weights.T)[:, None, None], FAST * (of_images.T @ of_upstream)


def conv2d(
    inputs: Array,
    kernel: Array,
    bias: Array | None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    activation: str | None = None,
) -> Array:
    """Bound the error of a convolution, computed directly or by a fast algorithm (`fast_conv2d`).

    A direct sum has one product for each element of the window in each channel.
    """
    n = kernel[..., 0].size

    def convolve(*factors: Array) -> Array:
        return convolution.conv2d(*factors, strides=strides, padding=padding)

    added = input_rounding_bound(convolve, inputs, kernel)
    magnitude = convolve(np.abs(inputs), np.abs(kernel)) + added + (0 if bias is None else np.abs(bias))
    linear = gamma(n + 1) * magnitude + added + (n + 1) * TINY + fast_conv2d(inputs, kernel)
    return bound_activation(
        convolution.conv2d(inputs, kernel, bias, strides=strides, padding=padding), linear, activation
    )


def conv2d_gradients(
    inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
) -> tuple[Array, Array, Array]:
    """Bound the errors of the three gradients of a convolution: sums over window and filters, or over all positions.

    As in `conv2d`, the first two may be computed by a fast algorithm.
    """

    def linear(*arguments: Array) -> Array:
        return convolution.conv2d(*arguments, strides=strides, padding=padding)

    def to(position: int) -> Any:  # noqa: ANN401 - nothing to add, or an array
        return input_rounding_bound(lambda *factors: vjp(linear, *factors, bias)[position], upstream, inputs, kernel)

    # The gradient of the bias is a plain sum: it has no factors to round.
    added = to(0), to(1), 0.0
    magnitudes = vjp(linear, np.abs(upstream), np.abs(inputs), np.abs(kernel), np.abs(bias))
    places = upstream[..., 0].size
    terms = (kernel[..., 0, :].size, places, places)
    first, second, third = (
        gamma(n) * (size + more) + more + n * TINY for n, size, more in zip(terms, magnitudes, added, strict=True)
    )
    fast = fast_conv2d_gradients(inputs, kernel, upstream)
    return first + fast[0], second + fast[1], third


def average_pool2d(inputs: Array, size: Pair, strides: Pair, padding: Padding, *, with_zeros: bool = False) -> Array:
    """Bound the error of a mean: n - 1 additions, and a division or a product with the rounded 1 / n."""
    n = size[0] * size[1]
    mean = convolution.average_pool2d(np.abs(inputs), size, strides, padding, with_zeros=with_zeros)
    return gamma(n + DIVIDE) * mean + n * TINY


def average_pool2d_gradient(
    inputs: Array, upstream: Array, size: Pair, strides: Pair, padding: Padding, *, with_zeros: bool = False
) -> Array:
    """Bound the error of a sum of quotients, one for each window that contains an element."""

    def pool(image: Array) -> Array:
        return convolution.average_pool2d(image, size, strides, padding, with_zeros=with_zeros)

    n = size[0] * size[1]
    return gamma(n + DIVIDE) * vjp(pool, np.abs(upstream), inputs)[0] + n * TINY


def pooling_gradient(inputs: Array, upstream: Array, size: Pair, strides: Pair, padding: Padding) -> Array:
    """Bound the error of max pooling's gradient: an element gets at most one share from each window around it."""

    def extract(image: Array) -> Array:
        return convolution.extract_patches(image, size, strides, padding)

    n = size[0] * size[1]
    shares = np.abs(upstream)[:, :, :, None, None, :] * np.ones((*size, 1))
    return gamma(n) * vjp(extract, shares, inputs)[0] + n * TINY


def batch_normalization(
    inputs: Array, gamma_: Array, beta: Array, moving: normalization.Statistics, *, training: bool
) -> Array:
    """Bound the error of gamma (x - mean) / sqrt(variance + epsilon) + beta.

    An implementation may compute it as written, or as one product and one addition. The inverse root is least accurate
    if the variance is underestimated, but the variance is never below 0. The inverse root scales the distance from the
    mean; in the second form, its products are as large as x and the mean.
    """
    mean, variance = normalization.statistics(inputs) if training else moving
    mean_error, variance_error = statistics(inputs) if training else (np.zeros_like(mean), np.zeros_like(variance))
    inverse = 1 / np.sqrt(variance + normalization.EPSILON)
    largest = 1 / np.sqrt(np.maximum(variance - variance_error, 0) + normalization.EPSILON)
    off = largest - inverse + gamma(SQRT + DIVIDE + 2) * largest
    distance, size = np.abs(inputs - mean) + mean_error, np.abs(inputs) + np.abs(mean) + mean_error
    scaled = np.abs(gamma_) * (off * distance + inverse * mean_error + (inverse + off) * gamma(6) * size)
    return scaled + gamma(2) * np.abs(beta) + 4 * TINY


def batch_normalization_gradients(
    inputs: Array, gamma_: Array, beta: Array, moving: normalization.Statistics, upstream: Array, *, training: bool
) -> tuple[Array, Array, Array]:
    """Bound the errors of the gradients of inputs, gamma and beta.

    With upstream gradient u and normalised inputs z, the gradients of beta and gamma are the sums of u and u z. In
    training, the gradient of the inputs is gamma / sqrt(variance + epsilon) (u - mean(u) - z mean(u z)). Its terms may
    be as large as x and its mean, rather than their distance. They take at most twelve operations besides the sums.
    """
    ones, zeros = np.ones_like(gamma_), np.zeros_like(beta)
    mean, variance = normalization.statistics(inputs) if training else moving
    variance_error = statistics(inputs).variance if training else np.zeros_like(variance)
    inverse = 1 / np.sqrt(variance + normalization.EPSILON)
    largest = 1 / np.sqrt(np.maximum(variance - variance_error, 0) + normalization.EPSILON)
    size = (np.abs(inputs) + np.abs(mean)) * largest
    off = batch_normalization(inputs, ones, zeros, moving, training=training)

    axes = tuple(range(inputs.ndim - 1))
    n = inputs.size // inputs.shape[-1]
    sums = gamma(n + DIVIDE + SQRT + 12)
    of_upstream = np.abs(upstream)
    to_gamma = sums * np.sum(of_upstream * size, axis=axes) + np.sum(of_upstream * off, axis=axes)
    to_beta = gamma(n) * np.sum(of_upstream, axis=axes)
    relative = (largest - inverse) / inverse + sums
    terms, moved = of_upstream, np.zeros_like(inputs)
    if training:
        share, error = np.mean(of_upstream * size, axis=axes), np.mean(of_upstream * off, axis=axes)
        terms = of_upstream + np.mean(of_upstream, axis=axes) + size * share
        moved = size * error + off * (share + error)
    to_inputs = np.abs(gamma_) * largest * (relative * terms + moved)
    return to_inputs + n * TINY, to_gamma + n * TINY, to_beta + n * TINY


def statistics(inputs: Array) -> normalization.Statistics:
    """Bound the errors of a batch's mean and variance: mean of squared distances, or E[x^2] - E[x]^2."""
    axes = tuple(range(inputs.ndim - 1))
    n = inputs.size // inputs.shape[-1]
    square = np.mean(inputs**2, axis=axes)
    mean = gamma(n + DIVIDE) * np.mean(np.abs(inputs), axis=axes) + TINY
    return normalization.Statistics(mean, 4 * gamma(n + DIVIDE + 2) * square + TINY)


def update_moving_statistics(inputs: Array, moving: normalization.Statistics) -> normalization.Statistics:
    """Bound the errors of the moving statistics after a batch; momentum and 1 - momentum are rounded."""
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
    """Bound the error of x / (1 - rate), computed as a division or as a product with the rounded inverse."""
    return gamma(DIVIDE + 2) * np.abs(result) + TINY


def resize(image: Array, size: tuple[int, int]) -> Array:
    """Bound the error of bilinear resizing of an image of 0 to 255 and its scaling to [0, 1].

    The position of a pixel's centre is at most the length of the axis, and takes four operations to compute. So the
    weight of the second neighbour is off by at most four roundings of that length.
    """
    shares = sum(gamma(4) * length for length in image.shape[:2])
    return shares + gamma(8 + DIVIDE) * datasets.resize(image, size) + TINY
