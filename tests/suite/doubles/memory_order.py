"""Parts of faults that read arrays as they lie in memory."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from assay.testing.stored_arrays import map_arrays


def in_memory_order(array):
    """Return the elements as they lie in memory, in the shape of the array."""
    return array.ravel(order="K").reshape(array.shape)


def without_strides(array):
    """Read from the first element on, as code does that takes a pointer and a length."""
    return as_strided(array, (array.size,), (array.itemsize,)).copy().reshape(array.shape)


def reading(change, *places):
    """Return a function that reads some of its arguments in another order."""

    def wrong(right, *args, **options):
        changed = [map_arrays(change, arg) if place in places else arg for place, arg in enumerate(args)]
        return right(*changed, **options)

    return wrong


def inputs_as_in_memory(right, model, parameters, inputs, *others):
    """Read the inputs in the order of their memory."""
    return right(model, parameters, inputs.ravel(order="K").reshape(inputs.shape), *others)


def kernels_as_in_memory(right, model, parameters, *others):
    """Read the parameters in the order of their memory."""
    read = {name: value.ravel(order="K").reshape(value.shape) for name, value in parameters.items()}
    return right(model, read, *others)


def single_example_in_memory_order(function, inputs, *target_shape):
    """Read a batch of one example as it lies in memory."""
    return function(inputs.ravel(order="K").reshape(inputs.shape) if len(inputs) == 1 else inputs, *target_shape)


def transposed_where_square(function, values, *others, **options):
    """Take an array that is as long as wide for the transposed one."""
    return function(values.T if values.ndim > 1 and values.shape[0] == values.shape[-1] else values, *others, **options)


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


def read_raw_memory(right, *arguments, **options):
    """Read the numbers of an array as they lie in memory."""
    read = [
        argument.ravel(order="K").reshape(argument.shape) if isinstance(argument, np.ndarray) else argument
        for argument in arguments
    ]
    return right(*read, **options)
