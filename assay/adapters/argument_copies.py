"""Copies of arguments for an implementation, and whether it has changed them.

An implementation may get an array in any memory order, and must not change it.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.lib.stride_tricks import as_strided

from assay.contract import Array

# A view that leaves out more of its memory than this is copied without the gaps.
_LARGEST_GAP = 4
# Larger arrays keep their memory order: to change it would take time.
_LARGEST_VARIED = 100_000
# First elements, whose bytes decide the memory order of a copy.
_HASHED = 16


def copy_arguments(tree: Any) -> Any:  # noqa: ANN401 - arguments of any function of the contract
    """Copy arguments for the implementation, which may change what it gets; the same values give the same copy."""
    if isinstance(tree, np.ndarray):
        return _copy_array(tree)
    if isinstance(tree, dict):
        return {key: copy_arguments(branch) for key, branch in tree.items()}
    if isinstance(tree, tuple | list):
        return [*map(copy_arguments, tree)] if isinstance(tree, list) else (*map(copy_arguments, tree),)
    return tree


def _copy_array(array: Array) -> Array:
    """Copy an array in its own memory order: transposed, sliced, broadcast and read-only arrays stay as they are."""
    if array.flags.c_contiguous and array.flags.writeable:
        return _vary_memory_order(array)
    reach = sum((size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True))
    length = 1 + reach // array.itemsize
    if min(array.shape, default=1) == 0 or min(array.strides, default=0) < 0 or length > _LARGEST_GAP * array.size:
        return array.copy()
    memory = as_strided(array, (length,), (array.itemsize,)).copy()
    return as_strided(memory, array.shape, array.strides, writeable=array.flags.writeable)


def _vary_memory_order(array: Array) -> Array:
    """Copy an array, now and then in another memory order: which one depends on its values, so that a case repeats."""
    if array.ndim < 2 or not 1 < array.size <= _LARGEST_VARIED:  # noqa: PLR2004 - a matrix
        return array.copy()
    match crc32(array.reshape(-1)[:_HASHED].tobytes()) % 6:
        case 0:
            return array.copy(order="F")
        case 1:
            memory = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            memory[..., ::2] = array
            return memory[..., ::2]
    return array.copy()


def are_same(left: Any, right: Any) -> bool:  # noqa: ANN401
    """Whether two trees hold the same values; NaN is the same as NaN."""
    if isinstance(left, np.ndarray):
        if left.shape != right.shape or left.dtype != right.dtype:
            return False
        # To look for NaN takes several times as long, and there hardly ever is any.
        return np.array_equal(left, right) or (left.dtype.kind == "f" and np.array_equal(left, right, equal_nan=True))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(are_same(left[key], right[key]) for key in left)
    if isinstance(left, tuple | list):
        return len(left) == len(right) and all(map(are_same, left, right))
    # NaN is the same as itself, and not equal to it.
    return left is right or bool(left == right)
