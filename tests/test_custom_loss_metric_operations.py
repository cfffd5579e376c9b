"""Tensors and their operations, for custom layers, losses and metrics: lines 878 to 914 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, assert_rejected, claim

CUBE = np.array([[[1, -2, 3], [4, 0, -6]], [[-7, 8, 5], [2, 9, -1]]], np.float32)


def apply(keras, name, *arrays, **options):
    """Apply an operation to arrays, and return the result as an array."""
    return keras.to_numpy(getattr(keras.operations, name)(*map(keras.to_tensor, arrays), **options))


LAYOUTS = {
    "in C order": lambda array: array,
    "transposed": lambda array: array.T.copy().T,
    "a slice": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "backwards": lambda array: array[::-1].copy()[::-1],
    "broadcast": lambda array: np.broadcast_to(array[:1], array.shape),
}


@claim("custom_loss_metric.tensors")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_tensors(keras, dtype):
    numbers = np.array([[0, 1, 255], [3, 128, 7]]).astype(dtype)
    for what, arrange in LAYOUTS.items():
        array = arrange(numbers)
        assert_equal(f"an array {what}", keras.to_numpy(keras.to_tensor(array)), array, array.dtype)
    for shape in ((), (0, 3), (1,), (2, 1, 3, 1, 2)):
        array = np.ones(shape, dtype)
        assert_equal(f"an array of {list(shape)}", keras.to_numpy(keras.to_tensor(array)), array, array.dtype)


@claim("custom_loss_metric.tensors-are-copies")
def test_tensors_are_copies(keras):
    # The caller overwrites the array after each conversion.
    array, tensors = np.zeros((2, 3), np.float32), []
    for number in range(3):
        array[:] = number
        tensors.append(keras.to_tensor(array))
    array[:] = -1
    arrays = [*map(keras.to_numpy, tensors)]
    for number, found in enumerate(arrays):
        assert_equal(f"tensor {number} after later conversions", found, np.full((2, 3), number))


@claim("custom_loss_metric.tensors-are-copies")
def test_arrays_are_copies(keras):
    layer = keras.namespace.layers.Dense(3, use_bias=False, kernel_initializer="zeros")
    layer.build((None, 2))
    arrays = []
    for number in range(3):
        layer.kernel.assign(keras.to_tensor(np.full((2, 3), number, np.float32)))
        arrays.append(keras.to_numpy(layer.kernel))
    for number, found in enumerate(arrays):
        assert_equal(f"array {number} after later assignments", found, np.full((2, 3), number))


@claim("custom_loss_metric.numbers-are-kept")
def test_numbers_are_kept(keras):
    float64_numbers = np.array([1 / 3, 2.0**60 + 2.0**10, 1e-300])
    assert_equal("float64", keras.to_numpy(keras.to_tensor(float64_numbers)), float64_numbers, float64_numbers.dtype)
    integers = np.array([2**53 + 1, -(2**62) - 1], np.int64)
    assert np.array_equal(keras.to_numpy(keras.to_tensor(integers)), integers)
    float32_numbers = np.array([1 / 3, np.inf, -np.inf, 2.0**-126, -0.0], np.float32)
    assert np.array_equal(
        keras.to_numpy(keras.to_tensor(float32_numbers)).view(np.int32), float32_numbers.view(np.int32)
    )


@claim("custom_loss_metric.reductions")
@pytest.mark.parametrize(("name", "reduce"), [("reduce_sum", np.sum), ("reduce_mean", np.mean)])
def test_reductions(keras, name, reduce):
    # Multiples of 12, so that all means are exact.
    numbers = CUBE * 12
    for options in ({}, {"axis": 0}, {"axis": 1}, {"axis": 2}, {"axis": -1}):
        assert_equal(f"{name} with {options}", apply(keras, name, numbers, **options), reduce(numbers, **options))


@claim("custom_loss_metric.sum-of-whole-numbers")
def test_sum_of_whole_numbers(keras):
    numbers = np.array([[2**24, 1, -3], [5, 7, 2**20]], np.int32)
    assert_equal("the sum", apply(keras, "reduce_sum", numbers), numbers.sum(), np.dtype(np.int32))
    assert_equal(
        "the sum of rows", apply(keras, "reduce_sum", numbers, axis=1), numbers.sum(axis=1), np.dtype(np.int32)
    )


@claim("custom_loss_metric.squares")
def test_squares(keras):
    assert_equal("the squares", apply(keras, "square", CUBE), CUBE**2)


@claim("custom_loss_metric.casts")
@pytest.mark.parametrize(
    ("numbers", "dtype", "expected"),
    [
        pytest.param(
            np.float32([1.9, -1.9, 0.5, -0.5, 2.5]), "int32", [1, -1, 0, 0, 2], id="float32 to int32, towards 0"
        ),
        pytest.param(np.array([True, False]), "int32", [1, 0], id="bool to int32"),
        pytest.param(np.array([True, False]), "float32", [1, 0], id="bool to float32"),
        pytest.param(np.int32([3, -7, 2**24]), "float32", [3, -7, 2**24], id="int32 to float32"),
        pytest.param(np.uint8([0, 200, 255]), "int32", [0, 200, 255], id="uint8 to int32"),
        pytest.param(np.float32([0, -0.5, 3]), "bool", [False, True, True], id="float32 to bool"),
    ],
)
def test_casts(keras, numbers, dtype, expected):
    found = keras.to_numpy(keras.operations.cast(keras.to_tensor(numbers), dtype))
    assert_equal("the numbers", found, np.array(expected, dtype), np.dtype(dtype))


@claim("custom_loss_metric.equality")
def test_equality(keras):
    one, next_one = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    left, right = np.array([one, one, 0.0, np.nan], np.float32), np.array([one, next_one, -0.0, np.nan], np.float32)
    expected = np.array([True, False, True, False])
    assert_equal("equal of numbers one bit apart", apply(keras, "equal", left, right), expected, np.dtype(bool))
    rows, columns = np.int32([[1], [2]]), np.int32([1, 2, 1])
    assert_equal("equal of rows and columns", apply(keras, "equal", rows, columns), rows == columns, np.dtype(bool))


@claim("custom_loss_metric.largest")
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_largest(keras, axis, dtype):
    found = keras.to_numpy(keras.operations.argmax(keras.to_tensor(CUBE), axis=axis, output_type=dtype))
    assert_equal("the positions of the maximum", found, CUBE.argmax(axis=axis), np.dtype(dtype))


@claim("custom_loss_metric.lengths")
@pytest.mark.parametrize("shape", [(5,), (4, 2, 3), (1, 7)])
def test_lengths(keras, shape):
    found = keras.operations.shape(keras.to_tensor(np.zeros(shape, np.float32)))
    assert [int(found[axis]) for axis in range(len(shape))] == [*shape]


@claim("custom_layer.products")
@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (3, 4)), ((3, 3), (3, 3)), ((2, 4, 3), (3, 5)), ((2, 2, 3), (2, 3, 2))], ids=str
)
def test_products(keras, left, right):
    arrays = [(np.arange(np.prod(shape)).reshape(shape) % 7 - 3).astype(np.float32) for shape in (left, right)]
    assert_equal("the product", apply(keras, "matmul", *arrays), np.matmul(*arrays))


@claim("custom_layer.unfit-operands")
def test_unfit_operands(keras):
    error, ones = keras.operations.InvalidArgumentError, np.ones((2, 3), np.float32)
    # If it were a base class of common errors, any failure would pass as a rejection.
    assert issubclass(error, Exception)
    assert not any(issubclass(kind, error) for kind in (ValueError, TypeError, RuntimeError, AttributeError))
    for what, name, other in (
        ("a product of [2, 3] and [2, 3]", "matmul", ones),
        ("a product of float32 and int32", "matmul", np.ones((3, 2), np.int32)),
        ("equal of [2, 3] and [2]", "equal", ones[:, 0]),
        ("equal of float32 and int32", "equal", np.ones((2, 3), np.int32)),
    ):
        assert_rejected(what, lambda name=name, other=other: apply(keras, name, ones, other), error)
