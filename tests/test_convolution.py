"""How convolution works: lines 392 to 479 of the document."""

import numpy as np
import pytest

from assay.adapters.proxy import AdapterError
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.convolutions import (
    EXAMPLE,
    IMAGE,
    KERNEL,
    B,
    arange,
    call_layer,
    fast_bound,
    grey_image,
    shapes_of,
    whole_numbers,
)

# Distinct weights other than 0.
NINE = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1, 1)
DOUBLE = np.dtype(np.float64)


# Receptive fields and numbers of parameters


def perturbed_images():
    """Return 49 copies of the image, in each of which a different element is larger by 1."""
    return IMAGE + np.eye(49, dtype=np.float32).reshape(49, 7, 7, 1)


def output_changes(ops):
    """Return the change of each output due to each element of the image, with weights 1 to 9: [49, 5, 5, 1]."""
    before = assert_form("the outputs", ops.conv2d(IMAGE, NINE, B), (1, 5, 5, 1))
    after = assert_form("the outputs", ops.conv2d(perturbed_images(), NINE, B), (49, 5, 5, 1))
    return to_float64(after) - before


def weights_in_windows():
    """Return the weight of each element of the image in the window of each output, 0 outside: [49, 5, 5, 1]."""
    seen = np.zeros((7, 7, 5, 5, 1))
    for row, column, down, right in np.ndindex(5, 5, 3, 3):
        seen[row + down, column + right, row, column] = NINE[down, right, 0]
    return seen.reshape(49, 5, 5, 1)


@claim("convolution.local-connectivity")
def test_local_connectivity(ops):
    outside = output_changes(ops)[weights_in_windows() == 0]
    bound = fast_bound((IMAGE, NINE), (perturbed_images(), NINE))
    assert_within("the changes from outside the window", outside, np.zeros(49 * 25 - 9 * 25), bound, DOUBLE)


@claim("convolution.whole-window")
def test_whole_window(ops):
    weights = weights_in_windows()
    bound = fast_bound((IMAGE, NINE), (perturbed_images(), NINE))
    assert_within(
        "the changes from inside the window", output_changes(ops)[weights > 0], weights[weights > 0], bound, DOUBLE
    )


@claim("convolution.dense-sees-everything")
def test_dense_sees_everything(ops):
    kernel = arange(49, 3) + 1
    before, after = (ops.dense(images.reshape(-1, 49), kernel) for images in (IMAGE, perturbed_images()))
    assert_equal("the outputs", after, to_float64(before) + kernel)


@claim("convolution.image-as-vector")
@pytest.mark.parametrize("shape", [(7, 7, 1), (2, 3, 4)])
def test_image_as_vector(ops, shape):
    count = int(np.prod(shape))
    assert_equal("the vectors", ops.reshape(arange(2, *shape), (count,)), arange(2, count))


@claim("convolution.reshape-any-shape")
@pytest.mark.parametrize("shape", [(2, 3, 4), (4, 6), (24, 1), (1, 4, 3, 2)])
def test_reshape_any_shape(ops, shape):
    assert_equal("the examples", ops.reshape(arange(2, 24), shape), arange(2, *shape))


@claim("convolution.reshape-refuses")
def test_reshape_refuses(ops):
    with pytest.raises(AdapterError):
        ops.reshape(arange(2, 7, 7, 1), (48,))


@claim("convolution.dense-neuron-parameters")
def test_dense_neuron_parameters(keras):
    layer = keras.namespace.layers.Dense(units=1)
    layer.build((None, 7 * 7))
    assert (shapes_of(layer.variables), layer.count_params()) == ([(49, 1), (1,)], 50)


@claim("convolution.dense-layer-parameters")
@pytest.mark.parametrize("units", [1, 10])
def test_dense_layer_parameters(keras, units):
    layer = keras.namespace.layers.Dense(units=units)
    assert_form("the outputs", call_layer(keras, layer, IMAGE.reshape(1, 49)), (1, units))
    assert [int(np.prod(shape)) for shape in shapes_of(layer.variables)] == [49 * units, units]


@claim("convolution.window-as-large-as-image")
def test_window_as_large_as_image(ops, seed):
    images, kernel, bias = whole_numbers(seed, 2, 7, 6, 3), whole_numbers(seed, 7, 6, 3, 4), whole_numbers(seed, 4)
    outputs = ops.dense(images.reshape(2, -1), kernel.reshape(-1, 4), bias)
    expected = to_float64(outputs)[:, None, None]
    assert_within("the convolution", ops.conv2d(images, kernel, bias), expected, fast_bound((images, kernel)))


@claim("convolution.window-parameters")
def test_window_parameters(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    layer.build((None, 7, 7, 1))
    assert (shapes_of(layer.variables), layer.count_params()) == ([(3, 3, 1, 1), (1,)], 10)


@claim("convolution.parameters-for-any-size")
def test_parameters_for_any_size(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    for rows, columns in ((5, 5), (26, 18)):
        outputs = call_layer(keras, layer, arange(1, rows + 2, columns + 2, 1))
        assert_form("the outputs", outputs, (1, rows, columns, 1))
        assert layer.count_params() == 10


# Outputs


@claim("convolution.first-output")
def test_first_output(ops):
    window, bound = grey_image(EXAMPLE["first_window"]), fast_bound((IMAGE, KERNEL))
    assert_within("a_{1,1}", ops.conv2d(window, KERNEL, B), grey_image([[6]]), bound)
    assert_within("a_{1,1} in the image", ops.conv2d(IMAGE, KERNEL, B)[:, :1, :1], grey_image([[6]]), bound)


@claim("convolution.second-output")
def test_second_output(ops):
    of_image, document_window = IMAGE[:, :3, 1:4], grey_image(EXAMPLE["second_window"])
    outputs, bound = ops.conv2d(np.concatenate([of_image, document_window]), KERNEL, B), fast_bound((IMAGE, KERNEL))
    assert_within("the sums with 2 and with 1", outputs, np.array([5, 3]).reshape(2, 1, 1, 1), bound)
    assert_within("a_{1,2} in the image", ops.conv2d(IMAGE, KERNEL, B)[:, :1, 1:2], grey_image([[5]]), bound)


@claim("convolution.shared-weights")
def test_shared_weights(ops, seed):
    images, kernel, bias = whole_numbers(seed, 2, 7, 6, 2), whole_numbers(seed, 3, 3, 2, 2), whole_numbers(seed, 2)
    outputs, bound = ops.conv2d(images, kernel, bias), 2 * fast_bound((images, kernel))
    shifted = ops.conv2d(images[:, 1:, 2:], kernel, bias)
    assert_within("the outputs of shifted images", shifted, to_float64(outputs)[:, 1:, 2:], bound)


@claim("convolution.scan-order")
def test_scan_order(ops):
    first = np.zeros((3, 3, 1, 1), np.float32)
    first[0, 0] = 1
    image = arange(1, 7, 7, 1)
    outputs = ops.conv2d(image, first)
    assert_within("the first elements of all windows", outputs, image[:, :5, :5], fast_bound((image, first)))


@claim("convolution.matrix-of-outputs")
def test_matrix_of_outputs(ops):
    assert_form("the outputs of a filter", ops.conv2d(IMAGE, KERNEL, B), (1, 5, 5, 1))
    assert_form("the output of a neuron", ops.dense(IMAGE.reshape(1, 49), np.ones((49, 1), np.float32), B), (1, 1))


@claim("convolution.not-flipped")
def test_not_flipped(ops):
    image = np.zeros((1, 5, 5, 1), np.float32)
    image[:, 2, 2] = 1
    expected = grey_image([[9, 8, 7], [6, 5, 4], [3, 2, 1]])
    assert_within("the outputs", ops.conv2d(image, NINE), expected, fast_bound((image, NINE)))


@claim("convolution.without-bias")
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_without_bias(ops, seed, padding):
    images, kernel, bias = whole_numbers(seed, 2, 5, 6, 2), whole_numbers(seed, 3, 3, 2, 3), whole_numbers(seed, 3)
    outputs = ops.conv2d(images, kernel, bias, padding=padding)
    expected, bound = to_float64(outputs) - bias, 2 * fast_bound((images, kernel))
    assert_within("the outputs", ops.conv2d(images, kernel, padding=padding), expected, bound)


@claim("convolution.bias-once")
@pytest.mark.parametrize("window", [(1, 1), (3, 3)])
def test_bias_once(ops, window):
    kernel = np.ones((*window, 1, 2), np.float32)
    outputs = ops.conv2d(np.zeros((1, 4, 5, 1), np.float32), kernel, np.array([1, -2], np.float32), padding="same")
    assert_equal("the outputs of a black image", outputs, np.tile(np.array([1, -2]), (1, 4, 5, 1)))


@claim("convolution.linear-in-image")
def test_linear_in_image(ops, seed):
    images, kernel = whole_numbers(seed, 2, 5, 6, 2), whole_numbers(seed, 3, 3, 2, 3)
    both = images.sum(axis=0, keepdims=True)
    apart = to_float64(ops.conv2d(images, kernel)).sum(axis=0, keepdims=True)
    bound = fast_bound((both, kernel)) + 2 * fast_bound((images, kernel))
    assert_within("the outputs", ops.conv2d(both, kernel), apart, bound)


@claim("convolution.linear-in-kernel")
def test_linear_in_kernel(ops, seed):
    images, first, second = (
        whole_numbers(seed, 2, 5, 6, 2),
        whole_numbers(seed, 3, 3, 2, 3),
        whole_numbers(seed + 1, 3, 3, 2, 3),
    )
    apart = to_float64(ops.conv2d(images, first)) + to_float64(ops.conv2d(images, second))
    bound = fast_bound((images, first + second), (images, first), (images, second))
    assert_within("the outputs", ops.conv2d(images, first + second), apart, bound)


@claim("convolution.images-are-independent")
def test_images_are_independent(ops, seed):
    images, kernel, bias = whole_numbers(seed, 3, 5, 6, 2), whole_numbers(seed, 3, 3, 2, 2), whole_numbers(seed, 2)
    alone = np.concatenate([ops.conv2d(image[None], kernel, bias) for image in images])
    bound = 2 * fast_bound((images, kernel))
    assert_within("the outputs of the batch", ops.conv2d(images, kernel, bias), to_float64(alone), bound)


@claim("convolution.independent-filters")
def test_independent_filters(ops, seed):
    images, kernel, bias = whole_numbers(seed, 2, 5, 6, 2), whole_numbers(seed, 3, 3, 2, 3), whole_numbers(seed, 3)
    alone = [ops.conv2d(images, kernel[..., one : one + 1].copy(), bias[one : one + 1]) for one in range(3)]
    expected, bound = to_float64(np.concatenate(alone, axis=-1)), 2 * fast_bound((images, kernel))
    assert_within("the channels", ops.conv2d(images, kernel, bias), expected, bound)


# Multiple channels


@claim("convolution.rgb-parameters")
def test_rgb_parameters(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    layer.build((None, 7, 7, 3))
    assert (shapes_of(layer.variables), layer.count_params()) == ([(3, 3, 3, 1), (1,)], 27 + 1)


@claim("convolution.sum-over-channels")
def test_sum_over_channels(ops, seed):
    images, kernel, bias = whole_numbers(seed, 2, 5, 6, 3), whole_numbers(seed, 3, 3, 3, 2), whole_numbers(seed, 2)
    alone = [
        to_float64(ops.conv2d(images[..., one : one + 1].copy(), kernel[:, :, one : one + 1].copy()))
        for one in range(3)
    ]
    bound = 2 * fast_bound((images, kernel))
    assert_within("the outputs", ops.conv2d(images, kernel, bias), sum(alone) + bias, bound)


@claim("convolution.channels-in-another-order")
def test_channels_in_another_order(ops, seed):
    images, kernel = whole_numbers(seed, 2, 5, 6, 3), whole_numbers(seed, 3, 3, 3, 2)
    reversed_channels = ops.conv2d(images[..., ::-1].copy(), kernel[:, :, ::-1].copy())
    assert_within(
        "the outputs", reversed_channels, to_float64(ops.conv2d(images, kernel)), 2 * fast_bound((images, kernel))
    )


@claim("convolution.one-bias-for-all-channels")
def test_one_bias_for_all_channels(ops):
    black, kernel = np.zeros((1, 4, 5, 3), np.float32), np.ones((3, 3, 3, 1), np.float32)
    assert_equal("the outputs of a black image", ops.conv2d(black, kernel, B), np.ones((1, 2, 3, 1)))


@claim("convolution.channel-count")
def test_channel_count(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    layer(keras.to_tensor(IMAGE))
    with pytest.raises(ValueError):  # noqa: PT011
        layer(keras.to_tensor(np.ones((1, 7, 7, 3), np.float32)))


@claim("convolution.pointwise")
def test_pointwise(ops, seed):
    images, kernel, bias = whole_numbers(seed, 2, 4, 5, 3), whole_numbers(seed, 1, 1, 3, 2), whole_numbers(seed, 2)
    expected = to_float64(ops.dense(images, kernel[0, 0], bias))
    assert_within("the convolution", ops.conv2d(images, kernel, bias), expected, fast_bound((images, kernel)))
