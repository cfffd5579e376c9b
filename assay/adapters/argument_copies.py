"""Copies of arguments for an implementation, and detection of changes to them.

An implementation may receive an array in any memory order, and must not change it.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.lib.stride_tricks import as_strided

from assay.contract import Array

# A view with larger gaps than this is copied without the gaps.
_LARGEST_GAP = 4
# Larger arrays keep their memory order, since changing it takes time.
_LARGEST_VARIED = 100_000
# Number of leading elements whose bytes determine the memory order of a copy.
_HASHED = 16


def copy_arguments(tree: Any) -> Any:  # noqa: ANN401 - arguments of any function of the contract
    """Copy arguments for the implementation, which may change them; equal values give equal copies."""
    if isinstance(tree, np.ndarray):
        return _copy_array(tree)
    if isinstance(tree, dict):
        return {key: copy_arguments(branch) for key, branch in tree.items()}
    if isinstance(tree, tuple | list):
        return [*map(copy_arguments, tree)] if isinstance(tree, list) else (*map(copy_arguments, tree),)
    return tree


def _copy_array(array: Array) -> Array:
    """Copy an array in its own memory order: transposed, sliced, broadcast and read-only arrays keep their layout."""
    if array.flags.c_contiguous and array.flags.writeable:
        return _vary_memory_order(array)
    reach = sum((size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True))
    length = 1 + reach // array.itemsize
    if min(array.shape, default=1) == 0 or min(array.strides, default=0) < 0 or length > _LARGEST_GAP * array.size:
        return array.copy()
    memory = as_strided(array, (length,), (array.itemsize,)).copy()
    return as_strided(memory, array.shape, array.strides, writeable=array.flags.writeable)


def _vary_memory_order(array: Array) -> Array:
    """Copy an array, sometimes in another memory order, which depends on the values so that a case can be repeated."""
    if array.ndim < 2 or not 1 < array.size <= _LARGEST_VARIED:  # noqa: PLR2004 - a matrix
        return array.copy()
    match crc32(array.reshape(-1)[:_HASHED].tobytes()) % 12:
        case 0 | 6:
            return array.copy(order="F")
        case 1:
            return _copy_with_gaps(array, slice(None, None, 2))
        case 7:
            return _copy_with_gaps(array, slice(array.shape[-1]))
    return array.copy()


def _copy_with_gaps(array: Array, columns: slice) -> Array:
    """Copy an array into some columns of one with twice as many."""
    memory = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    memory[..., columns] = array
    return memory[..., columns]


def are_same(left: Any, right: Any) -> bool:  # noqa: ANN401
    """Whether two trees hold the same values; NaN is the same as NaN."""
    if isinstance(left, np.ndarray):
        if left.shape != right.shape or left.dtype != right.dtype:
            return False
        # Comparing with NaN as equal takes several times as long, and NaN is rare.
        return np.array_equal(left, right) or (left.dtype.kind == "f" and np.array_equal(left, right, equal_nan=True))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(are_same(left[key], right[key]) for key in left)
    if isinstance(left, tuple | list):
        return len(left) == len(right) and all(map(are_same, left, right))
    # NaN counts as the same, although it is not equal to itself.
    return left is right or bool(left == right)
