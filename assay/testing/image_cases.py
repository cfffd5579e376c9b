"""Fixed cases of the operations on images: sizes, positions of a window, and sequences of calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from assay.contract import Array, Padding, Pair
from assay.testing.strategies import ConvolutionCase, PoolingCase, WindowGeometry

# Larger than the usual blocks of 2 to 1,024 elements, and a multiple of none of them.
LONG = 1031

# Image, window, strides and padding. Among them are pairs of axes for which `same` adds different numbers of elements
# because strides, windows or images differ. Others have windows as large as the image or larger, gaps, or extra rows.
GEOMETRIES: tuple[tuple[Pair, Pair, Pair, Padding], ...] = (
    ((6, 6), (3, 3), (1, 2), "same"),
    ((6, 6), (4, 4), (2, 1), "same"),
    ((6, 6), (2, 5), (1, 1), "same"),
    ((5, 8), (3, 2), (2, 3), "same"),
    ((7, 8), (2, 2), (3, 3), "same"),
    ((4, 4), (4, 4), (1, 1), "same"),
    ((2, 3), (5, 4), (1, 1), "same"),
    ((2, 5), (4, 7), (2, 3), "same"),
    ((1, 1), (3, 2), (1, 1), "same"),
    ((8, 7), (3, 2), (2, 3), "valid"),
    ((7, 8), (2, 3), (3, 2), "valid"),
    ((5, 6), (5, 6), (1, 1), "valid"),
    ((8, 7), (2, 2), (5, 4), "valid"),
    ((7, 6), (1, 1), (2, 3), "same"),
    # Sizes from well-known networks, for which frameworks have special kernels.
    ((6, 8), (1, 1), (2, 2), "valid"),
    ((8, 6), (1, 1), (2, 2), "same"),
    ((7, 8), (3, 3), (3, 3), "valid"),
    ((8, 9), (4, 4), (2, 2), "valid"),
    ((9, 8), (5, 5), (2, 2), "same"),
    ((8, 10), (7, 7), (2, 2), "same"),
    ((5, 9), (1, 7), (1, 1), "same"),
    ((9, 5), (3, 1), (1, 1), "same"),
)
WINDOWS = tuple(
    WindowGeometry((2, *size, 3), window, strides, padding) for size, window, strides, padding in GEOMETRIES
)

# One axis is longer than any block, the others have sizes near those of smaller blocks. The last number is the filters.
LARGE_CONVOLVED = (
    (WindowGeometry((LONG, 3, 4, 1), (2, 2), (1, 1), "same"), 2),
    (WindowGeometry((1, LONG, 4, 2), (3, 3), (1, 1), "same"), 2),
    (WindowGeometry((1, 4, LONG, 2), (3, 3), (1, 1), "valid"), 3),
    (WindowGeometry((2, 3, 3, LONG), (2, 2), (1, 1), "valid"), 2),
    (WindowGeometry((2, 3, 3, 2), (2, 2), (1, 1), "valid"), LONG),
    (WindowGeometry((5, 17, 33, 3), (3, 3), (1, 1), "same"), 5),
    (WindowGeometry((33, 5, 9, 5), (3, 3), (2, 2), "same"), 17),
    (WindowGeometry((17, 6, 5, 33), (3, 3), (1, 1), "valid"), 65),
    (WindowGeometry((3, 33, 65, 2), (5, 5), (2, 1), "same"), 3),
    (WindowGeometry((65, 2, 3, 17), (1, 1), (1, 1), "valid"), 130),
    (WindowGeometry((2, 131, 3, 2), (129, 1), (1, 1), "valid"), 2),
)
# One channel and one filter, as in signal processing, or only one of the two; as many filters as channels; and equal
# sizes of all axes or of two, where axes could be confused.
PLAIN_CONVOLVED = (
    (WindowGeometry((3, 7, 6, 1), (4, 2), (1, 1), "same"), 1),
    (WindowGeometry((1, 6, 8, 1), (2, 5), (2, 3), "same"), 1),
    (WindowGeometry((2, 7, 6, 5), (2, 4), (1, 1), "same"), 1),
    (WindowGeometry((2, 5, 6, 4), (2, 3), (1, 1), "valid"), 4),
    (WindowGeometry((3, 3, 3, 3), (3, 3), (1, 1), "same"), 3),
    (WindowGeometry((2, 2, 2, 2), (1, 1), (1, 1), "valid"), 2),
    (WindowGeometry((2, 4, 5, 4), (3, 2), (1, 1), "same"), 2),
    (WindowGeometry((2, 5, 4, 4), (2, 3), (1, 1), "same"), 3),
)
CONVOLVED = (*((window, 2) for window in WINDOWS), *LARGE_CONVOLVED, *PLAIN_CONVOLVED)
POOLED = (
    *WINDOWS,
    WindowGeometry((LONG, 3, 4, 1), (2, 2), (1, 1), "same"),
    WindowGeometry((1, LONG, 4, 2), (3, 3), (2, 2), "same"),
    WindowGeometry((1, 4, LONG, 2), (2, 2), (2, 2), "valid"),
    WindowGeometry((2, 3, 4, LONG), (2, 2), (1, 1), "valid"),
    WindowGeometry((33, 5, 17, 5), (2, 2), (2, 2), "same"),
    WindowGeometry((5, 17, 9, 33), (3, 3), (2, 2), "valid"),
    WindowGeometry((17, 6, 5, 65), (2, 2), (2, 2), "valid"),
    WindowGeometry((3, 5, 7, 130), (3, 3), (3, 3), "same"),
    WindowGeometry((2, 131, 3, 2), (129, 1), (1, 1), "valid"),
    # More positions than a byte has values.
    WindowGeometry((1, 17, 18, 2), (17, 18), (1, 1), "valid"),
    # Equal sizes of all axes or of two, where axes could be confused.
    WindowGeometry((3, 3, 3, 3), (3, 3), (1, 1), "same"),
    WindowGeometry((2, 4, 5, 4), (3, 2), (1, 1), "same"),
    WindowGeometry((2, 5, 4, 4), (2, 3), (1, 1), "same"),
)


def small_whole_numbers(seed: int, *shape: int) -> Array:
    """Make whole numbers from -2 to 2, whose sums of products are exact in any order."""
    return np.random.default_rng((seed, *shape)).integers(-2, 2, shape, endpoint=True).astype(np.float32)


def distinct(seed: int, *shape: int) -> Array:
    """Make distinct whole numbers of both signs, so that every maximum is unique."""
    count = int(np.prod(shape))
    return (np.random.default_rng((seed, *shape)).permutation(count) - count // 2).reshape(shape).astype(np.float32)


def convolution_case(seed: int, window: WindowGeometry, filters: int) -> ConvolutionCase:
    """Make a convolution of whole numbers."""
    shapes = window.images, (*window.window, window.images[3], filters), (filters,)
    images, kernel, bias = (small_whole_numbers(seed, *shape) for shape in shapes)
    return ConvolutionCase(images, kernel, bias, window.strides, window.padding)


def pooling_case(seed: int, window: WindowGeometry) -> PoolingCase:
    """Make a pooling case: an image with distinct elements."""
    return PoolingCase(distinct(seed, *window.images), *window[1:])


def describe(case: ConvolutionCase | PoolingCase) -> str:
    """Describe the sizes, strides and padding of a case, for a message."""
    window = case.kernel.shape if isinstance(case, ConvolutionCase) else case.pool_size
    return f"images {list(case.inputs.shape)}, window {list(window)}, strides {list(case.strides)}, {case.padding}"


def reverse_inside(array: Array) -> Array:
    """Reverse all elements except the first and the last: the sum, the norm and the corners stay the same."""
    flat = array.ravel().copy()
    flat[1:-1] = flat[-2:0:-1]
    return flat.reshape(array.shape)


def change_one(array: Array) -> Array:
    """Add 1 to an element in the middle."""
    changed = array.copy()
    changed.flat[array.size // 2] += 1
    return changed


Case = TypeVar("Case", ConvolutionCase, PoolingCase)


def image_calls(seed: int, case: Case) -> Iterator[tuple[str, Case, Array]]:
    """Yield a sequence of calls in which a cached result or a buffer that is not cleared shows in a later call.

    Yields:
        Description of the call relative to earlier ones, its arguments, and a gradient of its result.

    """
    images, upstream = case.inputs, small_whole_numbers(seed, *case.output_shape)
    smaller = case._replace(inputs=images[:, 2:, 2:].copy())
    yield "the first call", case, upstream
    yield "the elements in another order", case._replace(inputs=reverse_inside(images)), upstream
    yield "one element larger by 1", case._replace(inputs=change_one(images)), upstream
    yield "another upstream gradient", case, reverse_inside(upstream)
    yield "a smaller image after a larger one", smaller, small_whole_numbers(seed, *smaller.output_shape)
    yield "a black image", case._replace(inputs=np.zeros_like(images)), upstream
    yield "the first call once more", case, upstream
