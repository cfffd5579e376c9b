"""How convolution and pooling work: lines 392 to 479 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.adapters.proxy import AdapterError
from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution as definition
from assay.spec.semantics import precision
from assay.spec.semantics.differentiation import vjp
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.image_cases import (
    CONVOLVED,
    LARGE_CONVOLVED,
    POOLED,
    convolution_case,
    describe,
    image_calls,
    pooling_case,
    reverse_inside,
    small_whole_numbers,
)
from assay.testing.strategies import (
    LARGEST_WHOLE,
    POOLINGS,
    ConvolutionCase,
    PoolingCase,
    WindowGeometry,
    convolution_cases,
    floats,
    pooling_cases,
    whole_arrays,
    with_upstream,
)

# The values of the document's program: image [1, 7, 7, 1], W [1, 3, 3] and b [1]. KERNEL is W in the shape of a layer.
EXAMPLE = {name: np.array(values, np.float32) for name, values in read("convolution").items()}
IMAGE, W, B = EXAMPLE["image"][None, ..., None], EXAMPLE["W"][None], EXAMPLE["b"]
KERNEL = W.reshape(3, 3, 1, 1)
MATRIX = EXAMPLE["A"][None, ..., None]
# Distinct weights other than 0.
NINE = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1, 1)

BOTH_POOLS = pytest.mark.parametrize("pool", ["max_pool2d", "average_pool2d"])
WINDOWS = pytest.mark.parametrize("window", [(1, 1), (2, 2), (3, 3), (5, 5), (1, 3)])
DOUBLE = np.dtype(np.float64)
TWO_BY_TWO = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}


def whole_numbers(seed, *shape):
    """Draw whole numbers, whose sums of products are exact in any order."""
    generator = np.random.default_rng((seed, *shape))
    return generator.integers(-LARGEST_WHOLE, LARGEST_WHOLE, shape, endpoint=True).astype(np.float32)


def fast_bound(*problems):
    """Bound the total error of fast algorithms in convolutions (images, kernel) of whole numbers."""
    return sum(image_rounding.fast_conv2d(*map(to_float64, problem)).max() for problem in problems)


def arange(*shape):
    """Return an array of a shape whose elements are 0, 1, 2, ..."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def gray_image(rows):
    """Return rows of pixels as a batch of one image with one channel."""
    return np.array(rows, np.float32)[None, ..., None]


def shapes_of(variables):
    """Return the shapes of a layer's variables."""
    return [tuple(variable.shape) for variable in variables]


def outputs_of(keras, layer, images):
    """Call a layer of the namespace on images."""
    return keras.to_numpy(layer(keras.to_tensor(images)))


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
    assert_form("the outputs", outputs_of(keras, layer, IMAGE.reshape(1, 49)), (1, units))
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
        outputs = outputs_of(keras, layer, arange(1, rows + 2, columns + 2, 1))
        assert_form("the outputs", outputs, (1, rows, columns, 1))
        assert layer.count_params() == 10


# Outputs


@claim("convolution.first-output")
def test_first_output(ops):
    window, bound = gray_image(EXAMPLE["first_window"]), fast_bound((IMAGE, KERNEL))
    assert_within("a_{1,1}", ops.conv2d(window, KERNEL, B), gray_image([[6]]), bound)
    assert_within("a_{1,1} in the image", ops.conv2d(IMAGE, KERNEL, B)[:, :1, :1], gray_image([[6]]), bound)


@claim("convolution.second-output")
def test_second_output(ops):
    of_image, document_window = IMAGE[:, :3, 1:4], gray_image(EXAMPLE["second_window"])
    outputs, bound = ops.conv2d(np.concatenate([of_image, document_window]), KERNEL, B), fast_bound((IMAGE, KERNEL))
    assert_within("the sums with 2 and with 1", outputs, np.array([5, 3]).reshape(2, 1, 1, 1), bound)
    assert_within("a_{1,2} in the image", ops.conv2d(IMAGE, KERNEL, B)[:, :1, 1:2], gray_image([[5]]), bound)


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
    expected = gray_image([[9, 8, 7], [6, 5, 4], [3, 2, 1]])
    assert_within("the outputs", ops.conv2d(image, NINE), expected, fast_bound((image, NINE)))


def assert_convolution(ops, case, activation=None):
    """Compare a convolution with its definition."""
    exact, options = tuple(map(to_float64, case.arrays)), {**case.options, "activation": activation}
    assert_within(
        f"conv2d with activation {activation}",
        ops.conv2d(*case.arrays, **options),
        definition.conv2d(*exact, **options),
        image_rounding.conv2d(*exact, **options),
    )


@claim("convolution.definition")
@given(case=convolution_cases())
def test_definition(ops, case):
    assert_convolution(ops, case)


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


@claim("convolution.activation-after-bias")
@given(case=convolution_cases(limit=1.0), activation=st.sampled_from(["relu", "tanh", "sigmoid"]))
def test_activation_after_bias(ops, case, activation):
    assert_convolution(ops, case, activation)


def assert_whole_number_convolution(ops, what, case):
    """Compare a convolution of whole numbers with its definition: only fast algorithms may have errors."""
    exact = tuple(map(to_float64, case.arrays))
    outputs = ops.conv2d(*case.arrays, **case.options)
    expected = definition.conv2d(*exact, **case.options)
    assert_within(f"conv2d, {what} ({describe(case)})", outputs, expected, image_rounding.fast_conv2d(*exact[:2]))


@claim("convolution.every-size")
@pytest.mark.parametrize(("window", "filters"), CONVOLVED, ids=str)
def test_every_size(ops, seed, window, filters):
    assert_whole_number_convolution(ops, "whole numbers", convolution_case(seed, window, filters))


@claim("convolution.no-memory")
def test_no_memory(ops, seed):
    case = convolution_case(seed, WindowGeometry((2, 6, 7, 2), (3, 3), (1, 1), "same"), 3)
    for what, call, _ in image_calls(seed, case):
        assert_whole_number_convolution(ops, what, call)
    for other in (
        case._replace(kernel=reverse_inside(case.kernel)),
        case._replace(bias=case.bias + 1),
        case._replace(padding="valid"),
        case._replace(strides=(2, 1)),
        case,
    ):
        assert_whole_number_convolution(ops, "the same images with other arguments", other)


def uniform(seed, *shape, limit=1.0):
    """Draw uniform numbers from -limit to limit."""
    return np.random.default_rng((seed, *shape)).uniform(-limit, limit, shape).astype(np.float32)


def random_case(seed, power=0):
    """Draw the arguments of a convolution, with images multiplied by a power of two."""
    images, kernel, bias = uniform(seed, 2, 6, 7, 3), uniform(seed, 3, 3, 3, 4), uniform(seed, 4)
    return ConvolutionCase(np.ldexp(images, power), kernel, bias, (1, 1), "same")


def half_exponent_range():
    """Return half the exponent of the largest number in the required format of products."""
    return int(np.log2(precision.GRADES[precision.current_precision()].largest)) // 2


@claim("convolution.full-float32")
def test_full_float32(ops, seed):
    assert_convolution(ops, random_case(seed))
    # Numbers of channels and filters for which frameworks choose other algorithms.
    images, kernel, bias = uniform(seed, 2, 6, 7, 33), uniform(seed, 3, 3, 33, 17), uniform(seed, 17)
    assert_convolution(ops, ConvolutionCase(images, kernel, bias, (1, 1), "same"))
    assert_convolution(ops, single_weight_case(seed))


# A multiple of the usual block sizes of channels and filters, for which some frameworks compute in lower precision.
BLOCKS = 64


def single_weights(seed, *shape):
    """Draw one number per filter at a random position among zeros, so that no sum hides the error of a product."""
    generator, array = np.random.default_rng((seed, *shape)), np.zeros(shape, np.float32)
    positions = [generator.integers(0, length, shape[-1]) for length in shape[:-1]]
    array[*positions, np.arange(shape[-1])] = generator.uniform(-1, 1, shape[-1])
    return array


def single_weight_case(seed):
    """Draw the arguments of a convolution with many channels and filters, and a single weight per filter."""
    images, kernel, bias = (
        uniform(seed, 2, 6, 7, BLOCKS),
        single_weights(seed, 3, 3, BLOCKS, BLOCKS),
        uniform(seed, BLOCKS),
    )
    return ConvolutionCase(images, kernel, bias, (1, 1), "same")


@claim("convolution.any-magnitude")
@pytest.mark.parametrize("sign", [-1, 1])
def test_any_magnitude(ops, seed, sign):
    case = random_case(seed, sign * half_exponent_range())
    assert_convolution(ops, case._replace(bias=np.zeros(4, np.float32)))


@claim("convolution.every-activation")
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("geometry", [((1, 1), "valid"), ((2, 1), "same")], ids=str)
def test_every_activation(ops, seed, activation, geometry):
    # The sums reach 60, where tanh and sigmoid are saturated.
    case = ConvolutionCase(
        uniform(seed, 2, 6, 7, 3, limit=5), uniform(seed, 3, 3, 3, 4, limit=3), uniform(seed, 4, limit=3), *geometry
    )
    assert_convolution(ops, case, activation)
    exact, options = tuple(map(to_float64, case[:2])), {**case.options, "activation": activation}
    outputs, expected = ops.conv2d(*case[:2], **options), definition.conv2d(*exact, **options)
    assert_within("conv2d without a bias", outputs, expected, image_rounding.conv2d(*exact, None, **options))


@claim("convolution.every-activation")
@pytest.mark.parametrize(("window", "filters"), LARGE_CONVOLVED, ids=str)
def test_activation_of_every_size(ops, seed, window, filters):
    # With ReLU, negative sums become 0, and the others stay as they are without an activation.
    case = convolution_case(seed, window, filters)
    # The cases with two filters are tested without a bias.
    arrays = case.arrays[: 2 if filters == 2 else 3]
    linear = to_float64(ops.conv2d(*arrays, **case.options))
    outputs = ops.conv2d(*arrays, **case.options, activation="relu")
    what = f"conv2d with activation relu ({describe(case)})"
    assert_within(what, outputs, np.maximum(linear, 0), 2 * fast_bound(case.arrays[:2]))


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
    assert_within("the outputs", outputs_of(keras, layer, images), expected, fast_bound((images, kernel)))


@claim("convolution.class")
def test_class(keras):
    assert issubclass(keras.namespace.layers.Conv2D, keras.namespace.layers.Layer)


# The program of the document


@claim("convolution.axes")
def test_axes(ops):
    image, window = arange(1, 2, 3, 1), np.ones((1, 3, 1, 1), np.float32)
    expected = gray_image([[0 + 1 + 2], [3 + 4 + 5]])
    assert_within("the sums of the rows", ops.conv2d(image, window), expected, fast_bound((image, window)))


@claim("convolution.channels-last")
def test_channels_last(keras):
    assert keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3]).data_format == "channels_last"


@claim("convolution.images-are-independent")
def test_images_are_independent(ops, seed):
    images, kernel, bias = whole_numbers(seed, 3, 5, 6, 2), whole_numbers(seed, 3, 3, 2, 2), whole_numbers(seed, 2)
    alone = np.concatenate([ops.conv2d(image[None], kernel, bias) for image in images])
    bound = 2 * fast_bound((images, kernel))
    assert_within("the outputs of the batch", ops.conv2d(images, kernel, bias), to_float64(alone), bound)


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
    assert_within("A", outputs_of(keras, document_model(keras), IMAGE), MATRIX, fast_bound((IMAGE, KERNEL)))


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
    assert_form("the output", outputs_of(keras, layer, IMAGE), (1, 5, 5, filters))
    assert tuple(layer.bias.shape) == (filters,)


@claim("convolution.independent-filters")
def test_independent_filters(ops, seed):
    images, kernel, bias = whole_numbers(seed, 2, 5, 6, 2), whole_numbers(seed, 3, 3, 2, 3), whole_numbers(seed, 3)
    alone = [ops.conv2d(images, kernel[..., one : one + 1].copy(), bias[one : one + 1]) for one in range(3)]
    expected, bound = to_float64(np.concatenate(alone, axis=-1)), 2 * fast_bound((images, kernel))
    assert_within("the channels", ops.conv2d(images, kernel, bias), expected, bound)


@claim("convolution.kernel-size")
@pytest.mark.parametrize(("kernel_size", "window"), [([3, 3], (3, 3)), (3, (3, 3)), ([2, 3], (2, 3))])
def test_kernel_size(keras, kernel_size, window):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=kernel_size)
    layer.build((None, 7, 7, 1))
    assert tuple(layer.kernel.shape) == (*window, 1, 1)


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
    assert_form("the output", outputs_of(keras, layer, IMAGE), (1, 5, 5, 1))


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
    images, kernel = gray_image(np.ones((3, 4))), np.ones((3, 3, 1, 1), np.float32)
    expected = gray_image([[4, 6, 6, 4], [6, 9, 9, 6], [4, 6, 6, 4]])
    outputs = ops.conv2d(images, kernel, padding="same")
    assert_within("the number of elements", outputs, expected, fast_bound((images, kernel)))


@claim("convolution.same-by-name")
def test_same_by_name(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3], padding="same")
    assert_form("the output", outputs_of(keras, layer, IMAGE), (1, 7, 7, 1))


# Strides


@claim("convolution.strides-default")
def test_strides_default(keras):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    assert tuple(layer.strides) == (1, 1)
    assert_form("the output", outputs_of(keras, layer, IMAGE), (1, 5, 5, 1))


@claim("convolution.strides-by-name")
@pytest.mark.parametrize(("strides", "output_size"), [(2, (3, 3)), ((2, 1), (3, 5)), ((1, 4), (5, 2))])
def test_strides_by_name(keras, strides, output_size):
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3], strides=strides)
    assert_form("the output", outputs_of(keras, layer, IMAGE), (1, *output_size, 1))


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


# Gradients


def assert_gradient(ops, case, upstream, which):
    """Compare one of the three gradients of a convolution with its definition."""
    exact = tuple(map(to_float64, case.arrays))
    position = ("inputs", "kernel", "bias").index(which)
    assert_within(
        f"the gradient for {which}",
        ops.conv2d_gradients(*case.arrays, upstream, **case.options)[position],
        vjp(partial(definition.conv2d, **case.options), to_float64(upstream), *exact)[position],
        image_rounding.conv2d_gradients(*exact, to_float64(upstream), **case.options)[position],
    )


@claim("convolution.input-gradient")
@given(drawn=with_upstream(convolution_cases()))
def test_input_gradient(ops, drawn):
    assert_gradient(ops, *drawn, "inputs")


@claim("convolution.kernel-gradient")
@given(drawn=with_upstream(convolution_cases()))
def test_kernel_gradient(ops, drawn):
    assert_gradient(ops, *drawn, "kernel")


@claim("convolution.bias-gradient")
@given(drawn=with_upstream(convolution_cases()))
def test_bias_gradient(ops, drawn):
    assert_gradient(ops, *drawn, "bias")


@claim("convolution.shared-gradient")
def test_shared_gradient(ops):
    image, upstream = np.ones((1, 7, 7, 1), np.float32), np.ones((1, 5, 5, 1), np.float32)
    _, kernel, bias = ops.conv2d_gradients(image, KERNEL, B, upstream, strides=(1, 1), padding="valid")
    _, bound = image_rounding.fast_conv2d_gradients(*map(to_float64, (image, KERNEL, upstream)))
    assert_within("the gradient for the kernel", kernel, np.full((3, 3, 1, 1), 25), bound)
    assert_equal("the gradient for the bias", bias, np.array([25]))


GRADIENTS = ("inputs", "kernel", "bias")


def assert_whole_number_gradients(ops, what, case, upstream):
    """Compare the gradients of a convolution of whole numbers with their definition, as in the forward pass."""
    exact = tuple(map(to_float64, case.arrays))
    found = ops.conv2d_gradients(*case.arrays, upstream, **case.options)
    expected = vjp(partial(definition.conv2d, **case.options), to_float64(upstream), *exact)
    bounds = *image_rounding.fast_conv2d_gradients(*exact[:2], to_float64(upstream)), 0
    for name, *compared in zip(GRADIENTS, found, expected, bounds, strict=True):
        assert_within(f"the gradient for {name}, {what} ({describe(case)})", *compared)


@claim("convolution.every-size-gradients")
@pytest.mark.parametrize(("window", "filters"), CONVOLVED, ids=str)
def test_every_size_gradients(ops, seed, window, filters):
    case = convolution_case(seed, window, filters)
    assert_whole_number_gradients(ops, "whole numbers", case, small_whole_numbers(seed + 1, *case.output_shape))


@claim("convolution.gradients-have-no-memory")
def test_gradients_have_no_memory(ops, seed):
    case = convolution_case(seed, WindowGeometry((2, 6, 7, 2), (3, 3), (1, 1), "same"), 3)
    for what, call, upstream in image_calls(seed, case):
        assert_whole_number_gradients(ops, what, call, upstream)
    upstream = small_whole_numbers(seed, *case.output_shape)
    for other in (case._replace(kernel=reverse_inside(case.kernel)), case._replace(bias=case.bias + 1), case):
        assert_whole_number_gradients(ops, "the same images with other arguments", other, upstream)


@claim("convolution.full-float32-gradients")
@pytest.mark.parametrize("which", GRADIENTS)
@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_full_float32_gradients(ops, seed, which, sign):
    case = random_case(seed, sign * half_exponent_range())
    upstream = np.ldexp(uniform(seed, *case.output_shape), sign * half_exponent_range() // 2)
    assert_gradient(ops, case, upstream, which)


@claim("convolution.full-float32-gradients")
@pytest.mark.parametrize("which", GRADIENTS)
def test_gradients_of_single_weights(ops, seed, which):
    case = single_weight_case(seed)
    assert_gradient(ops, case, single_weights(seed, *case.output_shape), which)


# Pooling


def pool2d(ops, pool, images, pool_size, strides, padding="valid"):
    """Apply max pooling or average pooling."""
    return getattr(ops, pool)(images, pool_size=pool_size, strides=strides, padding=padding)


# `same` adds one row and one column of zeros.
BORDER = PoolingCase(np.ones((1, 3, 3, 1), np.float32), (2, 2), (2, 2), "same")
# `same` adds one row and one column before the image, and two after it.
UNEVEN = PoolingCase(np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1), (4, 4), (1, 1), "same")


def average_checks(check):
    """Return a check of each permitted average at the border, by its key in the claim."""
    return {"without-zeros": partial(check, with_zeros=False), "with-zeros": partial(check, with_zeros=True)}


@claim("convolution.pooled-size")
@BOTH_POOLS
def test_pooled_size(ops, seed, pool):
    assert_form(pool, pool2d(ops, pool, whole_numbers(seed, 1, 16, 16, 3), (2, 2), (2, 2)), (1, 8, 8, 3))


@claim("convolution.max-pooling")
@given(case=pooling_cases())
def test_max_pooling(ops, case):
    assert_equal("max_pool2d", ops.max_pool2d(case.inputs, **case.options), definition.max_pool2d(*case))


@claim("convolution.average-pooling")
@given(case=pooling_cases())
@example(case=BORDER)
@example(case=UNEVEN)
def test_average_pooling(ops, permitted, case):
    exact, actual = (to_float64(case.inputs), *case[1:]), ops.average_pool2d(case.inputs, **case.options)

    def check(**zeros):
        expected = definition.average_pool2d(*exact, **zeros)
        assert_within("average_pool2d", actual, expected, image_rounding.average_pool2d(*exact, **zeros))

    permitted(average_checks(check), alike=True)


@claim("convolution.pooling-tiles")
@pytest.mark.parametrize(
    ("pool", "expected"), [("max_pool2d", [[5, 7], [13, 15]]), ("average_pool2d", [[2.5, 4.5], [10.5, 12.5]])]
)
def test_pooling_tiles(ops, pool, expected):
    assert_equal(pool, pool2d(ops, pool, arange(1, 4, 4, 1), (2, 2), (2, 2)), gray_image(expected))


@claim("convolution.pooling-overlaps")
@pytest.mark.parametrize(("pool", "expected"), [("max_pool2d", [[4, 5], [7, 8]]), ("average_pool2d", [[2, 3], [5, 6]])])
def test_pooling_overlaps(ops, pool, expected):
    assert_equal(pool, pool2d(ops, pool, arange(1, 3, 3, 1), (2, 2), (1, 1)), gray_image(expected))


@claim("convolution.pooling-channels")
@BOTH_POOLS
def test_pooling_channels(ops, seed, pool):
    images = whole_numbers(seed, 2, 4, 6, 3)
    alone = [pool2d(ops, pool, images[..., one : one + 1].copy(), (2, 2), (2, 2)) for one in range(3)]
    assert_equal(pool, pool2d(ops, pool, images, (2, 2), (2, 2)), to_float64(np.concatenate(alone, axis=-1)))


@claim("convolution.max-never-padding")
@given(case=pooling_cases().filter(lambda case: case.padding == "same"))
def test_max_never_padding(ops, case):
    negative = case._replace(inputs=-1 - np.abs(case.inputs))
    assert_equal("max_pool2d", ops.max_pool2d(negative.inputs, **case.options), definition.max_pool2d(*negative))


@claim("convolution.average-at-the-border")
def test_average_at_the_border(ops, permitted):
    image = gray_image([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    outputs = pool2d(ops, "average_pool2d", image, (2, 2), (2, 2), "same")

    def check(*, with_zeros):
        two, one = (4, 4) if with_zeros else (2, 1)
        expected = gray_image([[(1 + 2 + 4 + 5) / 4, (3 + 6) / two], [(7 + 8) / two, 9 / one]])
        assert_equal("average_pool2d", outputs, expected)

    permitted(average_checks(check), alike=True)


@claim("convolution.pooling-a-constant")
@given(value=floats(), geometry=st.sampled_from(POOLINGS))
@example(value=np.float32(1), geometry=WindowGeometry((1, 3, 3, 1), *BORDER[1:]))
def test_pooling_a_constant(ops, permitted, value, geometry):
    images = np.full(geometry.images, value, np.float32)
    expected = np.full((len(images), *geometry.outputs, images.shape[3]), value)
    assert_equal("max_pool2d", pool2d(ops, "max_pool2d", images, *geometry[1:]), expected)
    actual = pool2d(ops, "average_pool2d", images, *geometry[1:])

    def check(*, with_zeros):
        share = definition.count_elements(images, *geometry[1:]) / np.prod(geometry.window) if with_zeros else 1
        bound = image_rounding.average_pool2d(to_float64(images), *geometry[1:], with_zeros=with_zeros)
        assert_within("average_pool2d", actual, expected * share, bound)

    permitted(average_checks(check), alike=True)


@claim("convolution.pooling-remainder")
@BOTH_POOLS
def test_pooling_remainder(ops, seed, pool):
    images = whole_numbers(seed, 2, 5, 7, 2)
    without = pool2d(ops, pool, images[:, :4, :6].copy(), (2, 2), (2, 2))
    assert_equal(pool, pool2d(ops, pool, images, (2, 2), (2, 2)), to_float64(without))


@claim("convolution.pooling-same-size")
@BOTH_POOLS
@pytest.mark.parametrize(("size", "output_size"), [((5, 7), (3, 4)), ((4, 6), (2, 3))])
def test_pooling_same_size(ops, seed, pool, size, output_size):
    assert_form(pool, pool2d(ops, pool, whole_numbers(seed, 1, *size, 2), (2, 2), (2, 2), "same"), (1, *output_size, 2))


@claim("convolution.pooling-without-downsampling")
@BOTH_POOLS
def test_pooling_without_downsampling(ops, seed, pool):
    assert_form(pool, pool2d(ops, pool, whole_numbers(seed, 1, 16, 16, 3), (2, 2), (1, 1), "same"), (1, 16, 16, 3))


@claim("convolution.subsampling")
@BOTH_POOLS
def test_subsampling(ops, seed, pool):
    images = whole_numbers(seed, 2, 5, 6, 3)
    assert_equal(pool, pool2d(ops, pool, images, (1, 1), (2, 2)), images[:, ::2, ::2])


@claim("convolution.average-as-convolution")
def test_average_as_convolution(ops, seed):
    images, kernel = whole_numbers(seed, 2, 6, 4, 1), np.full((2, 2, 1, 1), 0.25, np.float32)
    convolved = ops.conv2d(images, kernel, strides=(2, 2))
    averaged, bound = pool2d(ops, "average_pool2d", images, (2, 2), (2, 2)), fast_bound((images, kernel))
    assert_within("average_pool2d", averaged, to_float64(convolved), bound)


@claim("convolution.max-gradient")
@given(drawn=with_upstream(pooling_cases()))
def test_max_gradient_in_any_shares(ops, drawn):
    case, upstream = drawn
    exact = to_float64(case.inputs), to_float64(upstream), *case[1:]
    least, greatest = definition.max_pool2d_gradient_limits(*exact)
    bound = (greatest - least) / 2 + image_rounding.pooling_gradient(*exact)
    actual = ops.max_pool2d_gradient(case.inputs, upstream, **case.options)
    assert_within("max_pool2d_gradient", actual, (least + greatest) / 2, bound)


@claim("convolution.max-gradient")
def test_max_gradient_of_equals(ops, permitted):
    even = np.ones((1, 2, 2, 1), np.float32)
    gradient = ops.max_pool2d_gradient(even, np.ones((1, 1, 1, 1), np.float32), **TWO_BY_TWO)
    parts = {"first": [[1, 0], [0, 0]], "even": [[0.25, 0.25], [0.25, 0.25]]}
    known = {key: partial(assert_equal, "the gradient", gradient, gray_image(shares)) for key, shares in parts.items()}

    def uneven():
        assert_form("the gradient", gradient, even.shape)
        assert gradient.sum() == 1, f"the shares are {gradient.ravel()}"

    permitted({**known, "uneven": uneven})


@claim("convolution.max-gradient-sum")
@given(images=whole_arrays((2, 4, 6, 2)), upstream=whole_arrays((2, 2, 3, 2)))
def test_max_gradient_sum(ops, images, upstream):
    def sums(gradient):
        return definition.extract_patches(gradient, (2, 2), (2, 2), "valid").sum(axis=(3, 4))

    bound = sums(image_rounding.pooling_gradient(to_float64(images), to_float64(upstream), (2, 2), (2, 2), "valid"))
    gradient = assert_form("the gradient", ops.max_pool2d_gradient(images, upstream, **TWO_BY_TWO), images.shape)
    assert_within("its sums", sums(to_float64(gradient)), to_float64(upstream), bound, DOUBLE)


@claim("convolution.max-gradient-alone")
def test_max_gradient_alone(ops):
    gradient = ops.max_pool2d_gradient(arange(1, 4, 4, 1), gray_image([[1, 2], [3, 4]]), **TWO_BY_TWO)
    assert_equal("the gradient", gradient, gray_image([[0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]))


@claim("convolution.max-gradient-adds")
def test_max_gradient_adds(ops):
    image, upstream = gray_image([[1, 2, 3], [4, 9, 5], [6, 7, 8]]), gray_image([[1, 2], [3, 4]])
    gradient = ops.max_pool2d_gradient(image, upstream, pool_size=(2, 2), strides=(1, 1), padding="valid")
    assert_equal("the gradient", gradient, gray_image([[0, 0, 0], [0, 1 + 2 + 3 + 4, 0], [0, 0, 0]]))


@claim("convolution.average-gradient")
@given(drawn=with_upstream(pooling_cases()))
@example(drawn=(BORDER, np.ones((1, 2, 2, 1), np.float32)))
@example(drawn=(UNEVEN, np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)))
def test_average_gradient(ops, permitted, drawn):
    case, upstream = drawn
    exact = to_float64(case.inputs), to_float64(upstream), *case[1:]
    actual = ops.average_pool2d_gradient(case.inputs, upstream, **case.options)

    def check(**zeros):
        (expected,) = vjp(lambda images: definition.average_pool2d(images, *case[1:], **zeros), *exact[1::-1])
        bound = image_rounding.average_pool2d_gradient(*exact, **zeros)
        assert_within("average_pool2d_gradient", actual, expected, bound)

    permitted(average_checks(check), alike=True)


# Pooling: many sizes, sequences of calls, and special values

POOLING = pytest.mark.parametrize("window", POOLED, ids=str)
OVERLAPPING = WindowGeometry((2, 7, 8, 2), (3, 3), (2, 1), "same")


def assert_maximum(ops, what, case):
    """Compare max pooling with its definition exactly, since it does not round."""
    outputs = ops.max_pool2d(case.inputs, **case.options)
    assert_equal(f"max_pool2d, {what} ({describe(case)})", outputs, definition.max_pool2d(*case))


def assert_maximum_gradient(ops, what, case, upstream):
    """Compare the gradient of max pooling with the range that its definition permits for equal elements."""
    exact = to_float64(case.inputs), to_float64(upstream), *case[1:]
    least, greatest = definition.max_pool2d_gradient_limits(*exact)
    bound = (greatest - least) / 2 + image_rounding.pooling_gradient(*exact)
    found = ops.max_pool2d_gradient(case.inputs, upstream, **case.options)
    assert_within(f"max_pool2d_gradient, {what} ({describe(case)})", found, (least + greatest) / 2, bound)


@claim("convolution.max-pooling-every-size")
@POOLING
def test_max_pooling_every_size(ops, seed, window):
    assert_maximum(ops, "all elements distinct", pooling_case(seed, window))


@claim("convolution.max-gradient-every-size")
@POOLING
def test_max_gradient_every_size(ops, seed, window):
    case = pooling_case(seed, window)
    assert_maximum_gradient(ops, "all elements distinct", case, small_whole_numbers(seed, *case.output_shape))


# One channel is largest at the last of 306 positions, more than a byte can count, and the other at the first.
MANY_POSITIONS = PoolingCase(arange(1, 17, 18, 1) * np.array([1, -1], np.float32), (17, 18), (1, 1), "valid")


@claim("convolution.max-pooling-every-size")
def test_max_of_many_positions(ops):
    assert_maximum(ops, "rising and falling numbers", MANY_POSITIONS)


@claim("convolution.max-gradient-every-size")
def test_max_gradient_of_many_positions(ops):
    assert_maximum_gradient(ops, "rising and falling numbers", MANY_POSITIONS, arange(1, 1, 1, 2) + 1)


@claim("convolution.max-pooling-has-no-memory")
def test_max_pooling_has_no_memory(ops, seed):
    case = pooling_case(seed, OVERLAPPING)
    for what, call, _ in image_calls(seed, case):
        assert_maximum(ops, what, call)
    for other in (case._replace(pool_size=(1, 3)), case._replace(strides=(1, 1)), case._replace(padding="valid"), case):
        assert_maximum(ops, "the same images with other arguments", other)


@claim("convolution.max-gradient-has-no-memory")
def test_max_gradient_has_no_memory(ops, seed):
    case = pooling_case(seed, OVERLAPPING)
    for what, call, upstream in image_calls(seed, case):
        # A gradient must not use the positions of the largest elements of these other images.
        ops.max_pool2d(reverse_inside(call.inputs), **call.options)
        assert_maximum_gradient(ops, what, call, upstream)


def adjacent_floats(seed, *shape):
    """Draw float32 numbers just above 300 that differ only in their last bits."""
    bits = np.float32(300).view(np.int32) + np.random.default_rng((seed, *shape)).integers(0, 40, shape, np.int32)
    return bits.view(np.float32)


def extremes(seed, *shape):
    """Draw infinity, the largest and smallest normal numbers of float32, 1e30 and zero, of either sign."""
    known = np.finfo(np.float32)
    ends = np.array([np.inf, known.max, 1e30, known.tiny, 0], np.float32)
    drawn = np.random.default_rng((seed, *shape)).choice([*ends, *-ends], shape).astype(np.float32)
    # Some frameworks start from the least finite number, and so never return -inf.
    drawn[:, ::2, ::2] = np.maximum(drawn[:, ::2, ::2], known.min)
    return drawn


def large_negative(_seed, *shape):
    """Return numbers below any initial value from which a program might search for a maximum."""
    return np.linspace(-3e38, -1e20, int(np.prod(shape)), dtype=np.float32).reshape(shape)


@claim("convolution.max-of-any-numbers")
@pytest.mark.parametrize("draw", [adjacent_floats, extremes, large_negative])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_max_of_any_numbers(ops, seed, draw, padding):
    assert_maximum(ops, draw.__name__, PoolingCase(draw(seed, 2, 6, 7, 3), (2, 2), (1, 1), padding))


@claim("convolution.max-gradient-of-any-numbers")
@pytest.mark.parametrize("draw", [adjacent_floats, extremes, large_negative])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_max_gradient_of_any_numbers(ops, seed, draw, padding):
    case = PoolingCase(draw(seed, 2, 6, 7, 3), (2, 2), (1, 1), padding)
    assert_maximum_gradient(ops, draw.__name__, case, small_whole_numbers(seed, *case.output_shape))


def assert_average(ops, what, case, **zeros):
    """Compare average pooling with its definition."""
    exact = to_float64(case.inputs), *case[1:]
    bound = image_rounding.average_pool2d(*exact, **zeros)
    outputs, expected = ops.average_pool2d(case.inputs, **case.options), definition.average_pool2d(*exact, **zeros)
    assert_within(f"average_pool2d, {what} ({describe(case)})", outputs, expected, bound)


def assert_average_gradient(ops, what, case, upstream, **zeros):
    """Compare the gradient of average pooling with that of its definition."""
    exact = to_float64(case.inputs), to_float64(upstream), *case[1:]
    (expected,) = vjp(lambda images: definition.average_pool2d(images, *case[1:], **zeros), *exact[1::-1])
    found = ops.average_pool2d_gradient(case.inputs, upstream, **case.options)
    bound = image_rounding.average_pool2d_gradient(*exact, **zeros)
    assert_within(f"average_pool2d_gradient, {what} ({describe(case)})", found, expected, bound)


@claim("convolution.average-every-size")
def test_average_every_size(ops, permitted, seed):
    def check(**zeros):
        for window in POOLED:
            assert_average(ops, "all elements distinct", pooling_case(seed, window), **zeros)

    permitted(average_checks(check))


@claim("convolution.average-gradient-every-size")
def test_average_gradient_every_size(ops, permitted, seed):
    def check(**zeros):
        for window in POOLED:
            case = pooling_case(seed, window)
            assert_average_gradient(
                ops, "all elements distinct", case, small_whole_numbers(seed, *case.output_shape), **zeros
            )

    permitted(average_checks(check))


@claim("convolution.average-gradient-belongs")
@pytest.mark.parametrize("window", [window for window in POOLED if window.padding == "same"], ids=str)
def test_average_gradient_belongs(ops, seed, window):
    case = pooling_case(seed, window)
    # No number is negative, so that differences do not cancel.
    case = case._replace(inputs=np.abs(case.inputs))
    upstream = np.abs(small_whole_numbers(seed, *case.output_shape))
    forward = to_float64(ops.average_pool2d(case.inputs, **case.options))
    backward = to_float64(ops.average_pool2d_gradient(case.inputs, upstream, **case.options))
    # The default bound, for the average without zeros, is the larger one and covers both.
    exact, exact_upstream = (to_float64(case.inputs), *case[1:]), to_float64(upstream)
    bound = np.sum(exact_upstream * image_rounding.average_pool2d(*exact))
    bound += np.sum(exact[0] * image_rounding.average_pool2d_gradient(exact[0], exact_upstream, *case[1:]))
    what = f"images times gradient, and outputs times upstream ({describe(case)})"
    assert_within(what, np.sum(backward * exact[0]), np.sum(forward * exact_upstream), bound, DOUBLE)


@claim("convolution.average-has-no-memory")
def test_average_has_no_memory(ops, permitted, seed):
    case = pooling_case(seed, OVERLAPPING)
    others = case._replace(pool_size=(1, 3)), case._replace(strides=(1, 1)), case._replace(padding="valid"), case

    def check(**zeros):
        for what, call, _ in image_calls(seed, case):
            assert_average(ops, what, call, **zeros)
        for other in others:
            assert_average(ops, "the same images with other arguments", other, **zeros)

    permitted(average_checks(check))


@claim("convolution.average-gradient-has-no-memory")
def test_average_gradient_has_no_memory(ops, permitted, seed):
    def check(**zeros):
        for what, case, upstream in image_calls(seed, pooling_case(seed, OVERLAPPING)):
            assert_average_gradient(ops, what, case, upstream, **zeros)

    permitted(average_checks(check))


@claim("convolution.average-of-any-numbers")
@pytest.mark.parametrize("scale", [-60, 60, 120])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_average_of_any_numbers(ops, permitted, seed, scale, padding):
    images = np.ldexp(uniform(seed, 2, 6, 7, 3), scale)
    # One element of an image is so large that a running sum would lose the elements after it.
    images[1] = np.ldexp(images[1], -30)
    images[1, 2, 3] = np.ldexp(np.float32(1), scale)
    case = PoolingCase(images, (3, 3), (1, 1), padding)
    infinite = images.copy()
    infinite[0, 1, 1] = [np.inf, -np.inf, 0]

    def check(**zeros):
        assert_average(ops, "drawn numbers", case, **zeros)
        assert_average(ops, "two infinite numbers", case._replace(inputs=infinite), **zeros)

    permitted(average_checks(check), alike=True)


@claim("convolution.pooling-parameters")
def test_pooling_parameters(keras):
    layer = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2)
    layer(keras.to_tensor(arange(1, 16, 16, 3)))
    assert (len(layer.variables), layer.count_params()) == (0, 0)


@claim("convolution.pooling-strides-default")
def test_pooling_strides_default(keras):
    layer = keras.namespace.layers.MaxPool2D(pool_size=[2, 3])
    assert_form("the output", outputs_of(keras, layer, arange(1, 12, 12, 1)), (1, 6, 4, 1))


@claim("convolution.pool-size-default")
def test_pool_size_default(keras):
    layer = keras.namespace.layers.MaxPool2D()
    assert (tuple(layer.pool_size), layer.padding) == ((2, 2), "valid")
    assert_form("the output", outputs_of(keras, layer, IMAGE), (1, 3, 3, 1))


@claim("convolution.pooling-names")
def test_pooling_names(keras):
    assert keras.namespace.layers.MaxPooling2D is keras.namespace.layers.MaxPool2D


@claim("convolution.pooling-layer")
def test_pooling_layer(keras):
    layer, images = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2), arange(1, 16, 16, 3)
    assert_equal("the output", outputs_of(keras, layer, images), images[:, 1::2, 1::2])
