"""Faults of reshape and flatten."""

import numpy as np

from doubles.faulty import Fault
from doubles.kept_results import Kept
from doubles.lost_remainders import lose_rest
from doubles.memory_order import single_example_in_memory_order, transposed_where_square


def reshape_to_square(reshape, inputs, target_shape):
    """Write a square by columns."""
    outputs = reshape(inputs, target_shape)
    square = len(target_shape) == 2 and target_shape[0] == target_shape[1]
    return outputs.swapaxes(1, 2) if square else outputs


def reshape_to_same(reshape, inputs, target_shape):
    """Reverse the batch where there is nothing to reshape."""
    return inputs[::-1].copy() if tuple(target_shape) == inputs.shape[1:] else reshape(inputs, target_shape)


def batch_of_one_lost(reshape, inputs, target_shape):
    """Return a single example without the axis of the batch."""
    found = reshape(inputs, target_shape)
    return found[0] if len(found) == 1 else found


def columns_first_to_matrices(reshape, inputs, target_shape):
    """Read matrices column by column, of batches larger than 8."""
    if len(inputs) > 8 and len(target_shape) == 2:
        return np.stack([example.reshape(target_shape, order="F") for example in inputs])
    return reshape(inputs, target_shape)


def infinity_lost(function, inputs, *shape):
    """Make what is infinite large."""
    return np.nan_to_num(function(inputs, *shape))


def sign_of_zero_lost(function, inputs, *shape):
    """Add 0, which takes the sign of -0 away."""
    return function(inputs, *shape) + np.float32(0)


def reshape_as_channels_first(right, inputs, target_shape):
    """Reshape images to images in the order of channels first, as a port from another framework does."""
    if inputs.ndim != 4 or len(target_shape) != 3:
        return right(inputs, target_shape)
    rows, columns, channels = target_shape
    return np.moveaxis(right(np.moveaxis(inputs, -1, 1), (channels, rows, columns)), 1, -1)


def no_axis_is_one(reshape, inputs, target_shape):
    """Take a shape of no axis for that of a vector."""
    return reshape(inputs, tuple(target_shape) or (-1,))


def reshaped_by_columns(_reshape, inputs, target_shape):
    """Read and write the first axis of an example fastest."""
    return np.stack([example.reshape(target_shape, order="F") for example in inputs])


def flatten_by_columns(flatten, inputs):
    """Join the axes with the first one fastest."""
    return inputs.reshape(len(inputs), -1, order="F")


def rank_5_by_columns(flatten, inputs):
    """Join five axes with the second to last fastest."""
    return flatten(inputs.swapaxes(-1, -2).copy()) if inputs.ndim == 5 else flatten(inputs)


def flattened_in_blocks(flatten, inputs):
    """Copy blocks of 1,024 numbers."""
    return lose_rest(flatten(inputs), 1, 1024)


def single_numbers_stay(flatten, inputs):
    """Return what has two axes at most as it is, though examples of one number get an axis."""
    return inputs.copy() if inputs.ndim < 3 else flatten(inputs)


FAULTS = {
    "reshape_to_square": Fault("ops.reshape", "cnn.reshape-every-rank", "to (4, 4)", reshape_to_square),
    "reshape_to_same": Fault("ops.reshape", "cnn.reshape-every-rank", "to (4, 4)", reshape_to_same),
    "single_example_in_memory_order": Fault(
        "ops.reshape", "cnn.reshape-every-rank", "arrays transposed in memory", single_example_in_memory_order
    ),
    "square_examples_transposed": Fault(
        "ops.reshape", "cnn.reshape-every-rank", "(4, 4) to (2, 2)", transposed_where_square
    ),
    "batch_of_one_lost": Fault("ops.reshape", "cnn.reshape-every-rank", "has shape", batch_of_one_lost),
    "columns_first_to_matrices": Fault("ops.reshape", "cnn.reshape-every-rank", "differ", columns_first_to_matrices),
    "reshape_loses_infinity": Fault("ops.reshape", "cnn.reshape-every-rank", "expected inf", infinity_lost),
    "reshape_loses_signs": Fault("ops.reshape", "cnn.reshape-every-rank", "a sign of a zero", sign_of_zero_lost),
    "reshape_as_channels_first": Fault(
        "ops.reshape", "cnn.reshape-every-rank", "(2, 4, 6, 2) to (2, 6, 4)", reshape_as_channels_first
    ),
    "no_axis_is_one": Fault("ops.reshape", "cnn.reshape-every-rank", "to () has shape", no_axis_is_one),
    "reshape_kept": Fault("ops.reshape", "cnn.reshape-has-no-memory", "other numbers", Kept()),
    "reshaped_by_columns": Fault("ops.reshape", "convolution.image-as-vector", "differ", reshaped_by_columns),
    "flatten_by_columns": Fault("ops.flatten", "mlp.flatten-order", "actual   =", flatten_by_columns),
    "single_image_in_memory_order": Fault(
        "ops.flatten", "mlp.flatten-every-rank", "flatten of", single_example_in_memory_order
    ),
    "flatten_loses_infinity": Fault("ops.flatten", "mlp.flatten-every-rank", "expected inf", infinity_lost),
    "rank_5_by_columns": Fault("ops.flatten", "mlp.flatten-every-rank", "[5, 2, 3, 2, 2]", rank_5_by_columns),
    "flattened_in_blocks": Fault("ops.flatten", "mlp.flatten-every-rank", "[2, 33, 65]", flattened_in_blocks),
    "single_numbers_stay": Fault("ops.flatten", "mlp.flatten-every-rank", "expected [5, 1]", single_numbers_stay),
}
