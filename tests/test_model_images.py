"""Layers of images in Keras, for images of other sizes and for gradients: lines 5 and 19 of the document."""

from functools import partial

import numpy as np
import pytest

from assay.spec.error_bounds import image_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution, normalization
from assay.spec.semantics.differentiation import vjp
from assay.testing.assertions import assert_equal, assert_within, claim

# All numbers are multiples of 1 / 16 between -4 and 4, so small sums of products are exact in float32.
GENERATOR = np.random.default_rng(0)


def numbers(*shape):
    """Draw multiples of 1 / 16 between -4 and 4."""
    return (GENERATOR.integers(-64, 64, shape) / 16).astype(np.float32)


def distinct(*shape):
    """Draw different multiples of 1 / 16, about half of them negative."""
    size = np.prod(shape)
    return ((GENERATOR.permutation(size) - size // 2) / 16).astype(np.float32).reshape(shape)


# The rows and columns that `same` adds for strides of 2 differ between even and odd sizes.
SIZES = [(8, 8), (7, 8), (8, 5), (5, 7), (8, 8)]


@claim("model.images-of-other-sizes")
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_convolution_of_other_sizes(keras, padding):
    layer = keras.namespace.layers.Conv2D(3, 3, strides=2, padding=padding)
    kernel, bias = numbers(3, 3, 2, 3), numbers(3)
    layer.build((None, None, None, 2))
    layer.set_weights([kernel, bias])
    for size in SIZES:
        images = numbers(2, *size, 2)
        arguments, options = (*map(to_float64, (images, kernel, bias)),), {"strides": (2, 2), "padding": padding}
        assert_within(
            f"Conv2D of {size}",
            keras.to_numpy(layer(keras.to_tensor(images))),
            convolution.conv2d(*arguments, **options),
            image_rounding.conv2d(*arguments, **options),
        )


@claim("model.images-of-other-sizes")
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_pooling_of_other_sizes(keras, padding):
    layer = keras.namespace.layers.MaxPool2D(3, strides=2, padding=padding)
    for size in SIZES:
        images = numbers(2, *size, 2)
        expected = convolution.max_pool2d(images, (3, 3), (2, 2), padding)
        assert_equal(f"MaxPool2D of {size}", keras.to_numpy(layer(keras.to_tensor(images))), expected)


def step_back(keras, layer, images, upstream):
    """Return the images after a step of fit with a learning rate of 1, against the gradient of their loss.

    Args:
        keras: Implementation of the group `keras`.
        layer: Layer between the images and the loss.
        images: Variable to be trained, [1, height, width, channels].
        upstream: Targets, by which the loss multiplies the layer's outputs before it adds them up.

    """

    class Images(keras.namespace.layers.Layer):
        def build(self, input_shape):
            self.pixels = self.add_weight(shape=images.shape[1:], initializer="zeros")
            self.pixels.assign(keras.to_tensor(images[0]))

        def call(self, inputs):
            return inputs * self.pixels

    first = Images()
    model = keras.namespace.Sequential([keras.namespace.Input(shape=images.shape[1:]), first, layer])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=1.0)
    model.compile(
        optimizer=optimizer,
        loss=lambda y_true, y_pred: keras.operations.reduce_sum(y_true * y_pred),
        run_eagerly=True,
    )
    model.fit(np.ones_like(images), upstream, verbose=0)
    return keras.to_numpy(first.pixels)[None]


def passed(keras, layer, images, upstream):
    """Return what a layer's output passes back to its inputs."""
    return to_float64(images) - step_back(keras, layer, images, upstream)


@claim("model.images-pass-gradients")
@pytest.mark.parametrize(("size", "strides", "padding"), [((3, 2), (2, 1), "same"), ((2, 3), (1, 1), "valid")])
def test_pooling_passes_gradients(keras, size, strides, padding):
    # No two pixels are equal, and the largest pixel of a window may be negative, as may its gradient.
    images = distinct(1, 6, 7, 2)
    pool = partial(convolution.max_pool2d, size=size, strides=strides, padding=padding)
    upstream = numbers(*pool(images).shape)
    (expected,) = vjp(pool, to_float64(upstream), to_float64(images))
    layer = keras.namespace.layers.MaxPool2D(size, strides=strides, padding=padding)
    assert_equal("the gradient of the pixels", passed(keras, layer, images, upstream), expected, np.dtype(np.float64))


@claim("model.images-pass-gradients")
def test_convolution_passes_gradients(keras):
    options = {"strides": (2, 1), "padding": "same"}
    layer = keras.namespace.layers.Conv2D(3, (3, 2), **options)
    images, kernel, bias = numbers(1, 6, 7, 2), numbers(3, 2, 2, 3), numbers(3)
    layer.build((None, 6, 7, 2))
    layer.set_weights([kernel, bias])
    exact = [*map(to_float64, (images, kernel, bias))]
    convolve = partial(convolution.conv2d, **options)
    upstream = numbers(*convolve(*exact).shape)
    after = (step_back(keras, layer, images, upstream), *map(keras.to_numpy, (layer.kernel, layer.bias)))
    gradients = vjp(convolve, to_float64(upstream), *exact)
    bounds = image_rounding.conv2d_gradients(*exact, to_float64(upstream), **options)
    assert_step(("pixels", "kernel", "bias"), after, exact, gradients, bounds)


def assert_step(names, after, before, gradients, bounds):
    """Compare parameters after a step with a learning rate of 1 with those before it, less their gradients."""
    for what, found, parameter, gradient, bound in zip(names, after, before, gradients, bounds, strict=True):
        allowed = bound + rounding.sgd_step(parameter, gradient, 1.0)
        assert_within(f"the {what} after a step", found, parameter - gradient, allowed)


@claim("model.images-pass-gradients")
def test_normalization_passes_gradients(keras):
    layer = keras.namespace.layers.BatchNormalization()
    images, gamma, beta = numbers(1, 6, 7, 2), np.array([0.5, 2], np.float32), np.array([1, -3], np.float32)
    # fit uses the statistics of the batch, which depend on the pixels, and not the moving ones.
    moving = normalization.Statistics(np.array([9.0, -9.0]), np.array([4.0, 25.0]))
    layer.build((None, 6, 7, 2))
    layer.set_weights([gamma, beta, *(statistic.astype(np.float32) for statistic in moving)])
    upstream, exact = numbers(*images.shape), [*map(to_float64, (images, gamma, beta))]
    normalize = partial(normalization.batch_normalization, moving=moving, training=True)
    gradients = vjp(normalize, to_float64(upstream), *exact)
    bounds = image_rounding.batch_normalization_gradients(*exact, moving, to_float64(upstream), training=True)
    after = (step_back(keras, layer, images, upstream), *map(keras.to_numpy, (layer.gamma, layer.beta)))
    assert_step(("pixels", "gamma", "beta"), after, exact, gradients, bounds)


@claim("model.images-pass-gradients")
def test_reshaping_passes_gradients(keras):
    images, upstream, found = numbers(1, 2, 3, 4), numbers(1, 24), keras.namespace.layers
    actual = passed(keras, keras.namespace.Sequential([found.Reshape((4, 6)), found.Flatten()]), images, upstream)
    expected = to_float64(upstream.reshape(images.shape))
    assert_equal("the gradient of the pixels", actual, expected, np.dtype(np.float64))
