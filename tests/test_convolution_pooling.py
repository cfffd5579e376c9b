"""How pooling works: lines 392 to 479 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution as definition
from assay.spec.semantics.differentiation import vjp
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.convolutions import IMAGE, arange, call_layer, fast_bound, grey_image, uniform, whole_numbers
from assay.testing.image_cases import (
    POOLED,
    describe,
    distinct,
    image_calls,
    pooling_case,
    reverse_inside,
    small_whole_numbers,
)
from assay.testing.stored_arrays import assert_results_stay, memory_orders, swap_elements
from assay.testing.strategies import (
    POOLINGS,
    PoolingCase,
    WindowGeometry,
    floats,
    pooling_cases,
    whole_arrays,
    with_upstream,
)

BOTH_POOLS = pytest.mark.parametrize("pool", ["max_pool2d", "average_pool2d"])
DOUBLE = np.dtype(np.float64)
TWO_BY_TWO = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}


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
    assert_equal(pool, pool2d(ops, pool, arange(1, 4, 4, 1), (2, 2), (2, 2)), grey_image(expected))


@claim("convolution.pooling-overlaps")
@pytest.mark.parametrize(("pool", "expected"), [("max_pool2d", [[4, 5], [7, 8]]), ("average_pool2d", [[2, 3], [5, 6]])])
def test_pooling_overlaps(ops, pool, expected):
    assert_equal(pool, pool2d(ops, pool, arange(1, 3, 3, 1), (2, 2), (1, 1)), grey_image(expected))


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
    image = grey_image([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    outputs = pool2d(ops, "average_pool2d", image, (2, 2), (2, 2), "same")

    def check(*, with_zeros):
        two, one = (4, 4) if with_zeros else (2, 1)
        expected = grey_image([[(1 + 2 + 4 + 5) / 4, (3 + 6) / two], [(7 + 8) / two, 9 / one]])
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
    known = {key: partial(assert_equal, "the gradient", gradient, grey_image(shares)) for key, shares in parts.items()}

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
    gradient = ops.max_pool2d_gradient(arange(1, 4, 4, 1), grey_image([[1, 2], [3, 4]]), **TWO_BY_TWO)
    assert_equal("the gradient", gradient, grey_image([[0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]))


@claim("convolution.max-gradient-adds")
def test_max_gradient_adds(ops):
    image, upstream = grey_image([[1, 2, 3], [4, 9, 5], [6, 7, 8]]), grey_image([[1, 2], [3, 4]])
    gradient = ops.max_pool2d_gradient(image, upstream, pool_size=(2, 2), strides=(1, 1), padding="valid")
    assert_equal("the gradient", gradient, grey_image([[0, 0, 0], [0, 1 + 2 + 3 + 4, 0], [0, 0, 0]]))


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


# Many sizes, sequences of calls, and special values

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


def assert_gradients_stay(what, gradient, seed, case):
    """Check that a later call does not change the gradient that an earlier one has returned."""
    upstream = small_whole_numbers(seed, *case.output_shape)
    calls = [(case.inputs, one) for one in (upstream, reverse_inside(upstream))]
    assert_results_stay(what, partial(gradient, **case.options), *calls)


def other_gradients(seed, case):
    """Yield cases of pooling that differ in one argument alone, with a gradient of the outputs' shape."""
    upstream = small_whole_numbers(seed, *case.output_shape)
    for images, of_outputs in swap_elements((case.inputs, upstream)):
        yield case._replace(inputs=images), of_outputs
    # With `same`, the window does not change the shape of the outputs.
    yield case._replace(pool_size=(2, 3)), upstream
    # Nor does an eighth row of images, as each second row begins a window.
    yield pooling_case(seed, OVERLAPPING._replace(images=(2, 8, 8, 2))), upstream
    yield case, upstream


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
    for other, upstream in other_gradients(seed, case):
        assert_maximum_gradient(ops, "other arguments", other, upstream)
    assert_gradients_stay("max_pool2d_gradient", ops.max_pool2d_gradient, seed, case)


@claim("convolution.max-gradient-has-no-memory")
def test_max_gradient_of_equal_maxima(ops, seed):
    # The largest elements have the same values, but other positions in their windows.
    case = PoolingCase(distinct(seed, 2, 4, 6, 3), *TWO_BY_TWO.values())
    upstream = small_whole_numbers(seed, *case.output_shape)
    assert_maximum_gradient(ops, "all elements distinct", case, upstream)
    mirrored = case.inputs.reshape(2, 4, 3, 2, 3)[:, :, :, ::-1].reshape(case.inputs.shape)
    assert_maximum_gradient(ops, "windows mirrored", case._replace(inputs=mirrored), upstream)


def adjacent_floats(seed, *shape):
    """Draw float32 numbers just above 300 that differ only in their last bits."""
    bits = np.float32(300).view(np.int32) + np.random.default_rng((seed, *shape)).integers(0, 40, shape, np.int32)
    return bits.view(np.float32)


def extremes(seed, *shape):
    """Draw infinity, the largest and smallest normal numbers of float32, 1e30 and zero, of either sign."""
    known = np.finfo(np.float32)
    ends = np.array([np.inf, known.max, 1e30, known.tiny, 0], np.float32)
    drawn = np.random.default_rng((seed, *shape)).choice([*ends, *-ends], shape).astype(np.float32)
    # Some frameworks start from the least finite number, and so never return -inf. Every window of 2x2 has one of these
    # elements, also a window that is cut off by the border.
    rows, columns = (np.union1d(np.arange(0, length, 2), length - 1) for length in shape[1:3])
    some = np.ix_(range(shape[0]), rows, columns)
    drawn[some] = np.maximum(drawn[some], known.min)
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
    case = pooling_case(seed, OVERLAPPING)

    def check(**zeros):
        for what, call, upstream in image_calls(seed, case):
            assert_average_gradient(ops, what, call, upstream, **zeros)
        for other, upstream in other_gradients(seed, case):
            assert_average_gradient(ops, "other arguments", other, upstream, **zeros)

    permitted(average_checks(check))
    assert_gradients_stay("average_pool2d_gradient", ops.average_pool2d_gradient, seed, case)


@claim("convolution.pooling-memory-order")
def test_pooling_memory_order(ops, permitted, seed):
    case = pooling_case(seed, OVERLAPPING)
    upstream = small_whole_numbers(seed, *case.output_shape)
    viewed = [
        (f"arrays {order}", case._replace(inputs=images), of_outputs)
        for order, (images, of_outputs), _ in memory_orders(case.inputs, upstream)
    ]
    for what, one, of_outputs in viewed:
        assert_maximum(ops, what, one)
        assert_maximum_gradient(ops, what, one, of_outputs)

    def check(**zeros):
        for what, one, of_outputs in viewed:
            assert_average(ops, what, one, **zeros)
            assert_average_gradient(ops, what, one, of_outputs, **zeros)

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
    assert_form("the output", call_layer(keras, layer, arange(1, 12, 12, 1)), (1, 6, 4, 1))


@claim("convolution.pool-size-default")
def test_pool_size_default(keras):
    layer = keras.namespace.layers.MaxPool2D()
    assert (tuple(layer.pool_size), layer.padding) == ((2, 2), "valid")
    assert_form("the output", call_layer(keras, layer, IMAGE), (1, 3, 3, 1))


@claim("convolution.pooling-names")
def test_pooling_names(keras):
    assert keras.namespace.layers.MaxPooling2D is keras.namespace.layers.MaxPool2D


@claim("convolution.pooling-layer")
def test_pooling_layer(keras):
    layer, images = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2), arange(1, 16, 16, 3)
    assert_equal("the output", call_layer(keras, layer, images), images[:, 1::2, 1::2])
