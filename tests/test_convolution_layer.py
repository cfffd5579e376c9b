"""The convolution layer, its padding and its strides: lines 392 to 479 of the document."""

import numpy as np
import pytest

from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution as definition
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.convolutions import (
    EXAMPLE,
    IMAGE,
    KERNEL,
    MATRIX,
    B,
    W,
    arange,
    call_layer,
    fast_bound,
    grey_image,
    shapes_of,
    whole_numbers,
)
from assay.testing.image_cases import (
    small_whole_numbers,
)

WINDOWS = pytest.mark.parametrize("window", [(1, 1), (2, 2), (3, 3), (5, 5), (1, 3)])


@claim("convolution.activation-default")
def test_activation_default(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    values = np.linspace(-3, 3, 7, dtype=np.float32)
    assert_equal("the default activation", keras.to_numpy(layer.activation(keras.to_tensor(values))), values)


@claim("convolution.layer-arguments")
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, (2, 1), (1, 2)], ids=str)
def test_layer_arguments(keras, seed, strides, padding):
    images, kernel, bias = (
        small_whole_numbers(seed, 2, 6, 7, 2),
        small_whole_numbers(seed, 3, 2, 2, 3),
        small_whole_numbers(seed, 3),
    )
    layer = keras.namespace.layers.Conv2D(
        filters=3, kernel_size=[3, 2], strides=strides, padding=padding, activation="relu"
    )
    layer(keras.to_tensor(images))
    assert_equal("the bias of a new layer", keras.to_numpy(layer.bias), np.zeros(3))
    layer.set_weights([kernel, bias])
    both = (strides, strides) if isinstance(strides, int) else strides
    arguments = tuple(map(to_float64, (images, kernel, bias)))
    expected = definition.conv2d(*arguments, strides=both, padding=padding, activation="relu")
    assert_within("the outputs", call_layer(keras, layer, images), expected, fast_bound((images, kernel)))


@claim("convolution.class")
def test_class(keras):
    assert issubclass(keras.namespace.layers.Conv2D, keras.namespace.layers.Layer)


# The program of the document


@claim("convolution.axes")
def test_axes(ops):
    image, window = arange(1, 2, 3, 1), np.ones((1, 3, 1, 1), np.float32)
    expected = grey_image([[0 + 1 + 2], [3 + 4 + 5]])
    assert_within("the sums of the rows", ops.conv2d(image, window), expected, fast_bound((image, window)))


@claim("convolution.channels-last")
def test_channels_last(keras):
    assert keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3]).data_format == "channels_last"


@claim("convolution.kernel-axes")
def test_kernel_axes(ops):
    # Each of twelve filters has one weight of 1, and so returns one element of the image.
    image, kernel = arange(1, 2, 3, 2), np.eye(12, dtype=np.float32).reshape(2, 3, 2, 12)
    expected = image.reshape(1, 1, 1, 12)
    assert_within("the elements", ops.conv2d(image, kernel), expected, fast_bound((image, kernel)))


@claim("convolution.image-needs-channels")
def test_image_needs_channels(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    with pytest.raises(ValueError):  # noqa: PT011 - the message differs between frameworks, also below
        layer(keras.to_tensor(IMAGE[..., 0]))


@claim("convolution.printed-matrix")
def test_printed_matrix(ops):
    assert_within("A", ops.conv2d(IMAGE, KERNEL, B), MATRIX, fast_bound((IMAGE, KERNEL)))


def initializer(keras, value):
    """Return an initializer that reshapes an array to the requested shape, like that of the document."""
    return lambda shape, dtype=None: keras.to_tensor(value.reshape(tuple(shape)))


def document_model(keras):
    """Build the document's model."""
    layer = keras.namespace.layers.Conv2D(
        filters=1, kernel_size=[3, 3], kernel_initializer=initializer(keras, W), bias_initializer=initializer(keras, B)
    )
    return keras.namespace.models.Sequential([layer])


@claim("convolution.program")
def test_program(keras):
    assert_within("A", call_layer(keras, document_model(keras), IMAGE), MATRIX, fast_bound((IMAGE, KERNEL)))


@claim("convolution.takes-numpy-array")
def test_takes_numpy_array(keras):
    assert_within("A", keras.to_numpy(document_model(keras)(IMAGE)), MATRIX, fast_bound((IMAGE, KERNEL)))


@claim("convolution.squeezed")
def test_squeezed(keras):
    output = assert_form("the output", keras.to_numpy(document_model(keras)(IMAGE)), (1, 5, 5, 1))
    assert_within("without the axes of length 1", np.squeeze(output), EXAMPLE["A"], fast_bound((IMAGE, KERNEL)))


def initialize(keras, value, which):
    """Initialize a variable of the program's layer; return the shapes that were requested, and the variable."""
    requested = set()

    def record_shape(shape, dtype=None):
        requested.add(tuple(shape))
        return initializer(keras, value)(shape)

    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3], **{f"{which}_initializer": record_shape})
    layer.build((None, 7, 7, 1))
    return requested, keras.to_numpy(getattr(layer, which))


@claim("convolution.kernel-initializer")
def test_kernel_initializer(keras):
    requested, kernel = initialize(keras, W, "kernel")
    assert requested == {(3, 3, 1, 1)}, f"the layer requests a kernel of shape {requested}, and W has {W.shape}"
    assert_equal("the kernel", kernel, KERNEL)


@claim("convolution.bias-initializer")
def test_bias_initializer(keras):
    requested, bias = initialize(keras, B, "bias")
    assert requested == {(1,)}, f"the layer requests a bias of shape {requested}, expected (1,)"
    assert_equal("the bias", bias, B)


@claim("convolution.constant-initializer")
@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"padding": "same", "strides": 2}], ids=str)
def test_constant_initializer(keras, options):
    constant = keras.namespace.initializers.Constant
    initializers = {"kernel_initializer": constant(0.5), "bias_initializer": constant(-1.0)}
    layer = keras.namespace.layers.Conv2D(2, [3, 3], **options, **initializers)
    layer.build((None, 7, 7, 1))
    assert_equal("the kernel", keras.to_numpy(layer.kernel), np.full((3, 3, 1, 2), 0.5))
    assert_equal("the bias", keras.to_numpy(layer.bias), np.full(2, -1.0))


@claim("convolution.bias-default")
def test_bias_default(keras):
    with_bias, without = (
        keras.namespace.layers.Conv2D(filters=2, kernel_size=[3, 3], **options) for options in ({}, {"use_bias": False})
    )
    for layer in (with_bias, without):
        layer.build((None, 7, 7, 1))
    assert_equal("the bias of a new layer", keras.to_numpy(with_bias.bias), np.zeros(2))
    assert shapes_of(without.variables) == [(3, 3, 1, 2)]


@claim("convolution.trainable-variables")
def test_trainable_variables(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    layer.build((None, 7, 7, 1))
    names = [variable.name.split("/")[-1].split(":")[0] for variable in layer.trainable_variables]
    assert (names, len(layer.variables)) == (["kernel", "bias"], 2)


@claim("convolution.filters")
@pytest.mark.parametrize("filters", [1, 4])
def test_filters(keras, filters):
    layer = keras.namespace.layers.Conv2D(filters=filters, kernel_size=[3, 3])
    assert_form("the output", call_layer(keras, layer, IMAGE), (1, 5, 5, filters))
    assert tuple(layer.bias.shape) == (filters,)


@claim("convolution.kernel-size")
@pytest.mark.parametrize(("kernel_size", "window"), [([3, 3], (3, 3)), (3, (3, 3)), ([2, 3], (2, 3))])
def test_kernel_size(keras, kernel_size, window):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=kernel_size)
    layer.build((None, 7, 7, 1))
    assert tuple(layer.kernel.shape) == (*window, 1, 1)


# Padding


def assert_output_size(ops, output_size, size, window, **options):
    """Check the number of rows and columns of the outputs for an image of a given size."""
    outputs = ops.conv2d(np.ones((1, *size, 1), np.float32), np.ones((*window, 1, 1), np.float32), **options)
    assert_form("the outputs", outputs, (1, *output_size, 1))


@claim("convolution.valid-size")
@WINDOWS
def test_valid_size(ops, window):
    assert_output_size(ops, (7 - (window[0] - 1), 6 - (window[1] - 1)), (7, 6), window)


@claim("convolution.window-larger-than-image")
def test_window_larger_than_image(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[8, 8])
    with pytest.raises(ValueError):  # noqa: PT011
        layer(keras.to_tensor(IMAGE))


@claim("convolution.padding-default")
def test_padding_default(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    assert layer.padding == "valid"
    assert_form("the output", call_layer(keras, layer, IMAGE), (1, 5, 5, 1))


@claim("convolution.same-size")
@WINDOWS
def test_same_size(ops, window):
    assert_output_size(ops, (7, 6), (7, 6), window, padding="same")


@claim("convolution.same-size-with-strides")
@pytest.mark.parametrize(("stride", "output_size"), [(1, (7, 6)), (2, (4, 3)), (3, (3, 2)), (4, (2, 2))])
def test_same_size_with_strides(ops, stride, output_size):
    assert_output_size(ops, output_size, (7, 6), (3, 3), strides=(stride, stride), padding="same")


def assert_padding_widths(ops, seed, size, window, strides, widths):
    """Compare padding `same` with padding `valid` of images that were padded with zeros before."""
    images, kernel = whole_numbers(seed, 2, *size, 2), whole_numbers(seed, *window, 2, 2)
    padded_images = np.pad(images, ((0, 0), *widths, (0, 0)))
    expected = to_float64(ops.conv2d(padded_images, kernel, strides=strides, padding="valid"))
    outputs = ops.conv2d(images, kernel, strides=strides, padding="same")
    assert_within("the outputs", outputs, expected, 2 * fast_bound((images, kernel)))


@claim("convolution.same-adds-zeros")
@pytest.mark.parametrize(
    ("window", "widths"), [((3, 3), ((1, 1), (1, 1))), ((5, 5), ((2, 2), (2, 2))), ((1, 3), ((0, 0), (1, 1)))]
)
def test_same_adds_zeros(ops, seed, window, widths):
    assert_padding_widths(ops, seed, (5, 6), window, (1, 1), widths)


@claim("convolution.same-odd-one-after")
@pytest.mark.parametrize(
    ("window", "widths"), [((2, 2), ((0, 1), (0, 1))), ((4, 4), ((1, 2), (1, 2))), ((2, 3), ((0, 1), (1, 1)))]
)
def test_same_odd_one_after(ops, seed, window, widths):
    assert_padding_widths(ops, seed, (5, 6), window, (1, 1), widths)


@claim("convolution.same-with-strides")
@pytest.mark.parametrize(
    ("size", "widths"), [((6, 6), ((0, 1), (0, 1))), ((5, 6), ((1, 1), (0, 1))), ((7, 5), ((1, 1), (1, 1)))]
)
def test_same_with_strides(ops, seed, size, widths):
    assert_padding_widths(ops, seed, size, (3, 3), (2, 2), widths)


@claim("convolution.same-adds-nothing")
@pytest.mark.parametrize(("window", "strides"), [((1, 1), (1, 1)), ((2, 2), (2, 2)), ((2, 1), (2, 3))])
def test_same_adds_nothing(ops, seed, window, strides):
    assert_padding_widths(ops, seed, (4, 6), window, strides, ((0, 0), (0, 0)))


@claim("convolution.same-at-the-border")
def test_same_at_the_border(ops):
    images, kernel = grey_image(np.ones((3, 4))), np.ones((3, 3, 1, 1), np.float32)
    expected = grey_image([[4, 6, 6, 4], [6, 9, 9, 6], [4, 6, 6, 4]])
    outputs = ops.conv2d(images, kernel, padding="same")
    assert_within("the number of elements", outputs, expected, fast_bound((images, kernel)))


@claim("convolution.same-by-name")
def test_same_by_name(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3], padding="same")
    assert_form("the output", call_layer(keras, layer, IMAGE), (1, 7, 7, 1))


# Strides


@claim("convolution.strides-default")
def test_strides_default(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    assert tuple(layer.strides) == (1, 1)
    assert_form("the output", call_layer(keras, layer, IMAGE), (1, 5, 5, 1))


@claim("convolution.strides-by-name")
@pytest.mark.parametrize(("strides", "output_size"), [(2, (3, 3)), ((2, 1), (3, 5)), ((1, 4), (5, 2))])
def test_strides_by_name(keras, strides, output_size):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3], strides=strides)
    assert_form("the output", call_layer(keras, layer, IMAGE), (1, *output_size, 1))


@claim("convolution.strides-of-2")
def test_strides_of_2(ops):
    outputs = ops.conv2d(IMAGE, KERNEL, B, strides=(2, 2))
    assert_within("the outputs", outputs, MATRIX[:, ::2, ::2], fast_bound((IMAGE, KERNEL)))


@claim("convolution.strides-skip")
@pytest.mark.parametrize("strides", [(2, 2), (3, 3), (1, 2), (3, 2)])
def test_strides_skip(ops, seed, strides):
    images, kernel = whole_numbers(seed, 2, 8, 7, 2), whole_numbers(seed, 2, 2, 2, 2)
    every = to_float64(ops.conv2d(images, kernel))
    outputs, expected = ops.conv2d(images, kernel, strides=strides), every[:, :: strides[0], :: strides[1]]
    assert_within("the outputs", outputs, expected, 2 * fast_bound((images, kernel)))


@claim("convolution.unequal-strides")
@pytest.mark.parametrize("strides", [(1, 2), (2, 1), (2, 3)])
def test_unequal_strides(ops, strides):
    image, one = arange(1, 6, 6, 1), np.ones((1, 1, 1, 1), np.float32)
    outputs, expected = ops.conv2d(image, one, strides=strides), image[:, :: strides[0], :: strides[1]]
    assert_within("the elements", outputs, expected, fast_bound((image, one)))


@claim("convolution.size-with-strides")
@pytest.mark.parametrize(("stride", "output_size"), [(1, (6, 5)), (2, (3, 3)), (3, (2, 2)), (4, (2, 2)), (6, (1, 1))])
def test_size_with_strides(ops, stride, output_size):
    assert_output_size(ops, output_size, (8, 7), (3, 3), strides=(stride, stride))
