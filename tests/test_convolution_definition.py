"""Convolutions and their gradients compared with the definition: lines 392 to 479 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution as definition
from assay.spec.semantics import precision
from assay.spec.semantics.differentiation import vjp
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.convolutions import KERNEL, B, fast_bound, uniform
from assay.testing.image_cases import (
    CONVOLVED,
    LARGE_CONVOLVED,
    convolution_case,
    describe,
    image_calls,
    reverse_inside,
    small_whole_numbers,
)
from assay.testing.stored_arrays import assert_results_stay, memory_orders, swap_elements
from assay.testing.strategies import ConvolutionCase, WindowGeometry, convolution_cases, with_upstream


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
        *(case._replace(inputs=one[0], kernel=one[1], bias=one[2]) for one in swap_elements(case.arrays)),
        case,
    ):
        assert_whole_number_convolution(ops, "other arguments", other)


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
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_activation_of_whole_images(ops, seed, activation):
    # A window as large as the image, where a convolution is a product of matrices.
    case = ConvolutionCase(uniform(seed, 2, 3, 4, 3), uniform(seed, 3, 4, 3, 5), uniform(seed, 5), (1, 1), "valid")
    assert_convolution(ops, case, activation)


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
    for images, kernel, bias, of_outputs in swap_elements((*case.arrays, upstream)):
        other = case._replace(inputs=images, kernel=kernel, bias=bias)
        assert_whole_number_gradients(ops, "two elements swapped", other, of_outputs)
    # Five rows give two rows of outputs for either stride.
    for strides in ((3, 3), (4, 4)):
        other = convolution_case(seed, WindowGeometry((2, 5, 5, 2), (3, 3), strides, "same"), 3)
        assert_whole_number_gradients(ops, "other strides", other, small_whole_numbers(seed, *other.output_shape))
    calls = [(*case.arrays, one) for one in (upstream, reverse_inside(upstream))]
    assert_results_stay("conv2d_gradients", partial(ops.conv2d_gradients, **case.options), *calls)


@claim("convolution.memory-order")
def test_memory_order(ops, seed):
    case = convolution_case(seed, WindowGeometry((2, 6, 7, 2), (3, 2), (1, 2), "same"), 3)
    upstream = small_whole_numbers(seed, *case.output_shape)
    for order, (images, kernel, bias, of_outputs), _ in memory_orders(*case.arrays, upstream):
        viewed = case._replace(inputs=images, kernel=kernel, bias=bias)
        assert_whole_number_convolution(ops, f"arrays {order}", viewed)
        assert_whole_number_gradients(ops, f"arrays {order}", viewed, of_outputs)


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
