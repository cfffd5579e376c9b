"""Faults that depend on where an array's elements lie: rows with gaps between them, and images as channels."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from doubles.faulty import Fault


def without_gaps(array):
    """Return what a kernel reads that takes rows, contiguous in themselves, to follow each other."""
    dense = np.empty(array.shape, array.dtype).strides
    if array.ndim < 2 or array.strides[-1] != array.itemsize or array.flags.c_contiguous:
        return array
    if any(found < expected for found, expected in zip(array.strides, dense, strict=True)):
        return array
    return as_strided(array, array.shape, dense).copy()


def ignoring_gaps(position, rank=None):
    """Return a fault that ignores the gaps in an argument, of any rank or of one."""

    def wrong(right, *args, **options):
        values = args[position]
        if rank in (None, values.ndim):
            values = without_gaps(values)
        return right(*args[:position], values, *args[position + 1 :], **options)

    return wrong


def reshape_as_channels_first(right, inputs, target_shape):
    """Reshape images to images in the order of channels first, as a port from another framework does."""
    if inputs.ndim != 4 or len(target_shape) != 3:
        return right(inputs, target_shape)
    rows, columns, channels = target_shape
    return np.moveaxis(right(np.moveaxis(inputs, -1, 1), (channels, rows, columns)), 1, -1)


CROPPED = "arrays cropped from larger ones"
LAYOUT_FAULTS = {
    "softmax_of_rows_ignores_gaps": Fault("ops.softmax", "softmax.memory-order", CROPPED, ignoring_gaps(0, rank=2)),
    "temperature_of_rows_ignores_gaps": Fault(
        "ops.softmax_with_temperature", "generation.temperature-memory-order", CROPPED, ignoring_gaps(0, rank=2)
    ),
    "tanh_of_rows_ignores_gaps": Fault("ops.tanh", "dense.activation-memory-order", CROPPED, ignoring_gaps(0, rank=2)),
    "dense_ignores_gaps_in_kernel": Fault("ops.dense", "dense.memory-order", CROPPED, ignoring_gaps(1)),
    "gradient_of_rows_ignores_gaps": Fault(
        "ops.sgd_step", "linear_model.sgd-memory-order", CROPPED, ignoring_gaps(1, rank=2)
    ),
    "squares_of_rows_ignore_gaps": Fault(
        "ops.mean_squared_error", "linear_model.mean-memory-order", CROPPED, ignoring_gaps(0, rank=2)
    ),
    "convolution_ignores_gaps_in_images": Fault(
        "ops.conv2d", "convolution.memory-order", f"{CROPPED} (", ignoring_gaps(0)
    ),
    "convolution_gradients_ignore_gaps_in_upstream": Fault(
        "ops.conv2d_gradients", "convolution.memory-order", f"{CROPPED} (", ignoring_gaps(3)
    ),
    "max_gradient_ignores_gaps_in_upstream": Fault(
        "ops.max_pool2d_gradient", "convolution.pooling-memory-order", f"{CROPPED} (", ignoring_gaps(1)
    ),
    "average_ignores_gaps": Fault(
        "ops.average_pool2d", "convolution.pooling-memory-order", f"{CROPPED} (", ignoring_gaps(0)
    ),
    "normalization_gradients_ignore_gaps_in_upstream": Fault(
        "ops.batch_normalization_gradients", "training_flag.memory-order", CROPPED, ignoring_gaps(5)
    ),
    "sample_ignores_gaps": Fault("ops.sample", "generation.certain-any-size", CROPPED, ignoring_gaps(0)),
    "dropout_ignores_gaps": Fault("ops.dropout", "cnn.dropout-every-rank", CROPPED, ignoring_gaps(0)),
    "preprocess_ignores_gaps": Fault(
        "datasets.preprocess", "mnist.preprocess-memory-order", "images cropped from larger ones", ignoring_gaps(0)
    ),
    "reshape_as_channels_first": Fault(
        "ops.reshape", "cnn.reshape-every-rank", "(2, 4, 6, 2) to (2, 6, 4)", reshape_as_channels_first
    ),
}
