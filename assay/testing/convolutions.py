"""Shared parts of the tests of convolution and pooling: the document's example, arrays, bounds and calls of layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.vectors import read
from assay.testing.strategies import LARGEST_WHOLE

# The values of the document's program: image [1, 7, 7, 1], W [1, 3, 3] and b [1]. KERNEL is W in the shape of a layer.
EXAMPLE = {name: np.array(values, np.float32) for name, values in read("convolution").items()}
IMAGE, W, B = EXAMPLE["image"][None, ..., None], EXAMPLE["W"][None], EXAMPLE["b"]
KERNEL = W.reshape(3, 3, 1, 1)
MATRIX = EXAMPLE["A"][None, ..., None]


def whole_numbers(seed: int, *shape: int) -> Array:
    """Draw whole numbers, whose sums of products are exact in any order."""
    generator = np.random.default_rng((seed, *shape))
    return generator.integers(-LARGEST_WHOLE, LARGEST_WHOLE, shape, endpoint=True).astype(np.float32)


def uniform(seed: int, *shape: int, limit: float = 1.0) -> Array:
    """Draw uniform numbers from -limit to limit."""
    return np.random.default_rng((seed, *shape)).uniform(-limit, limit, shape).astype(np.float32)


def arange(*shape: int) -> Array:
    """Return an array of a shape whose elements are 0, 1, 2, ..."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def grey_image(rows: Any) -> Array:  # noqa: ANN401 - anything that NumPy takes for a matrix
    """Return rows of pixels as a batch of one image with one channel."""
    return np.array(rows, np.float32)[None, ..., None]


def fast_bound(*problems: tuple[Array, Array]) -> float:
    """Bound the total error of fast algorithms in convolutions (images, kernel) of whole numbers."""
    return float(sum(image_rounding.fast_conv2d(*map(to_float64, problem)).max() for problem in problems))


def shapes_of(variables: Iterable[Any]) -> list[tuple[int, ...]]:
    """Return the shapes of a layer's variables."""
    return [tuple(variable.shape) for variable in variables]


def call_layer(keras: GroupProxy, layer: Any, images: Array) -> Any:  # noqa: ANN401 - a layer, and what it returned
    """Call a layer of the namespace on images."""
    return keras.to_numpy(layer(keras.to_tensor(images)))
