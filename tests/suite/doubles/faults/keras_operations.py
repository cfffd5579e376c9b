"""Faults of the tensors and operations that custom layers, losses and metrics use."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed


def _operation(name, make):
    """Exchange an operation, made of the right ones."""
    return lambda operations: Changed(operations, **{name: make(operations)})


def float64_narrowed(to_tensor, array):
    """Make float32 of float64."""
    return to_tensor(array.astype(np.float32) if array.dtype == np.float64 else array)


def whole_numbers_narrowed(to_tensor, array):
    """Make int32 of int64."""
    return to_tensor(array.astype(np.int32) if array.dtype == np.int64 else array)


def read_in_memory_order(to_tensor, array):
    """Take the numbers as they lie in memory."""
    return to_tensor(np.frombuffer(array.tobytes("A"), array.dtype).reshape(array.shape).copy())


def scalars_become_vectors(to_tensor, array):
    """Make one axis of none."""
    return to_tensor(np.atleast_1d(array))


def tensors_cached(to_tensor, array, _cache={}):  # noqa: B006 - kept between calls
    """Convert each array once, although its owner may overwrite it."""
    if _cache.get("array") is not array:
        _cache.update(array=array, tensor=to_tensor(array))
    return _cache["tensor"]


def arrays_in_one_buffer(to_numpy, tensor, _buffers={}):  # noqa: B006 - kept between calls
    """Copy all tensors of one shape and type into the same buffer."""
    array = np.asarray(to_numpy(tensor))
    buffer = _buffers.setdefault((array.shape, array.dtype.name), np.empty_like(array))
    buffer[...] = array
    return buffer


def rounded_to_bfloat16(to_numpy, tensor):
    """Cut float32 numbers off after 16 bits."""
    found = np.array(to_numpy(tensor))
    return (found.view(np.int32) & -65536).view(np.float32) if found.dtype == np.float32 and found.ndim else found


FAULTS = {
    "second_factor_transposed": Fault(
        "keras.operations",
        "custom_layer.products",
        "the product",
        _operation(
            "matmul",
            lambda right: lambda x, y: right.matmul(x, y, transpose_b=x.shape[-1] == y.shape[-1] == y.shape[-2]),
        ),
    ),
    "products_converted": Fault(
        "keras.operations",
        "custom_layer.unfit-operands",
        "float32 and int32 is accepted",
        _operation("matmul", lambda right: lambda x, y: right.matmul(x, right.cast(y, x.dtype))),
    ),
    "any_error": Fault(
        "keras.operations",
        "custom_layer.unfit-operands",
        "True = any(",
        _operation("InvalidArgumentError", lambda _: Exception),
    ),
    "last_axis_reduced": Fault(
        "keras.operations",
        "custom_loss_metric.reductions",
        "reduce_mean with {'axis': 1}",
        _operation("reduce_mean", lambda right: lambda inputs, axis=None: right.reduce_mean(inputs, axis=axis and -1)),
    ),
    "axis_of_a_sum_ignored": Fault(
        "keras.operations",
        "custom_loss_metric.reductions",
        "reduce_sum with {'axis': 0}",
        _operation("reduce_sum", lambda right: lambda inputs, axis=None: right.reduce_sum(inputs)),
    ),
    "first_axis_alone": Fault(
        "keras.operations",
        "custom_loss_metric.reductions",
        "reduce_mean with {}",
        _operation("reduce_mean", lambda right: lambda inputs, axis=0: right.reduce_mean(inputs, axis=axis)),
    ),
    "sum_in_float32": Fault(
        "keras.operations",
        "custom_loss_metric.sum-of-whole-numbers",
        "the sum",
        _operation(
            "reduce_sum",
            lambda right: (
                lambda inputs, axis=None: right.cast(
                    right.reduce_sum(right.cast(inputs, "float32"), axis=axis), inputs.dtype
                )
            ),
        ),
    ),
    "magnitude_for_square": Fault(
        "keras.operations",
        "custom_loss_metric.squares",
        "the squares",
        _operation("square", lambda right: lambda inputs: inputs * right.cast(inputs > 0, inputs.dtype) * inputs),
    ),
    "cast_rounds": Fault(
        "keras.operations",
        "custom_loss_metric.casts",
        "the numbers",
        _operation(
            "cast",
            lambda right: (
                lambda inputs, dtype: (
                    right.cast(inputs + right.cast(0.5, inputs.dtype), dtype)
                    if dtype == "int32" and inputs.dtype.is_floating
                    else right.cast(inputs, dtype)
                )
            ),
        ),
    ),
    "cast_ignored": Fault(
        "keras.operations",
        "custom_loss_metric.casts",
        "expected bool",
        _operation(
            "cast",
            lambda right: (
                lambda inputs, dtype: right.cast(inputs, "float32") if dtype == "bool" else right.cast(inputs, dtype)
            ),
        ),
    ),
    "nearly_equal": Fault(
        "keras.operations",
        "custom_loss_metric.equality",
        "one bit apart",
        _operation(
            "equal",
            lambda right: (
                lambda x, y: right.equal(x, y) if x.dtype != y.dtype or x.dtype.is_integer else (x - y) ** 2 < 1e-9
            ),
        ),
    ),
    "largest_of_the_last_axis": Fault(
        "keras.operations",
        "custom_loss_metric.largest",
        "the positions",
        _operation(
            "argmax",
            lambda right: (
                lambda inputs, axis=-1, output_type="int64": right.argmax(inputs, axis=-1, output_type=output_type)
            ),
        ),
    ),
    "largest_magnitude": Fault(
        "keras.operations",
        "custom_loss_metric.largest",
        "the positions",
        _operation(
            "argmax",
            lambda right: (
                lambda inputs, axis=-1, output_type="int64": right.argmax(
                    inputs * inputs, axis=axis, output_type=output_type
                )
            ),
        ),
    ),
    "type_of_argmax_ignored": Fault(
        "keras.operations",
        "custom_loss_metric.largest",
        "expected int32",
        _operation(
            "argmax", lambda right: lambda inputs, axis=-1, output_type="int64": right.argmax(inputs, axis=axis)
        ),
    ),
    "lengths_backwards": Fault(
        "keras.operations",
        "custom_loss_metric.lengths",
        "[3, 2, 4]",
        _operation("shape", lambda right: lambda inputs: right.shape(inputs)[::-1]),
    ),
    "float64_narrowed": Fault("keras.to_tensor", "custom_loss_metric.tensors", "expected float64", float64_narrowed),
    "whole_numbers_narrowed": Fault(
        "keras.to_tensor", "custom_loss_metric.tensors", "expected int64", whole_numbers_narrowed
    ),
    "read_in_memory_order": Fault(
        "keras.to_tensor", "custom_loss_metric.tensors", "an array transposed", read_in_memory_order
    ),
    "scalars_become_vectors": Fault(
        "keras.to_tensor", "custom_loss_metric.tensors", "an array of []", scalars_become_vectors
    ),
    "tensors_cached": Fault(
        "keras.to_tensor", "custom_loss_metric.tensors-are-copies", "tensor 1 after later conversions", tensors_cached
    ),
    "arrays_in_one_buffer": Fault(
        "keras.to_numpy",
        "custom_loss_metric.tensors-are-copies",
        "array 0 after later assignments",
        arrays_in_one_buffer,
    ),
    "rounded_to_bfloat16": Fault(
        "keras.to_numpy", "custom_loss_metric.numbers-are-kept", "array_equal", rounded_to_bfloat16
    ),
}
