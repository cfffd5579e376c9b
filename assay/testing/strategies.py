"""Hypothesis strategies. Shapes come from a small pool, since some implementations compile once per shape."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assay.contract import Array, Padding, Pair
from assay.spec.semantics.convolution import output_size
from assay.testing.seeds import first_seed

# Batch, input_dim and units of a Dense layer: all 1, all different, and a single unit.
DENSE_SHAPES = ((1, 1, 1), (2, 3, 4), (5, 2, 3), (4, 5, 1))
MATRIX_SHAPES = ((1, 2), (2, 3), (5, 10))


class WindowGeometry(NamedTuple):
    """Geometry of a window that slides over images.

    Attributes:
        images: [batch, height, width, channels].
        window: Height and width.
        strides: Steps down and to the right.
        padding: `valid` or `same`.

    """

    images: tuple[int, int, int, int]
    window: Pair
    strides: Pair
    padding: Padding

    @property
    def outputs(self) -> Pair:
        """Number of rows and columns of the output."""
        axes = zip(self.images[1:3], self.window, self.strides, strict=True)
        rows, columns = (output_size(*axis, self.padding) for axis in axes)
        return rows, columns


# Each with a number of filters. They include `same` padding by no, an even and an odd number of elements, `valid` with
# a remainder, and strides smaller and larger than the window.
CONVOLUTIONS = (
    (WindowGeometry((1, 7, 7, 1), (3, 3), (1, 1), "valid"), 1),
    (WindowGeometry((1, 7, 7, 1), (3, 3), (2, 2), "valid"), 2),
    (WindowGeometry((2, 4, 5, 3), (3, 3), (1, 1), "same"), 2),
    (WindowGeometry((1, 6, 5, 2), (3, 3), (2, 2), "same"), 3),
    (WindowGeometry((1, 5, 6, 2), (2, 2), (1, 1), "same"), 3),
    (WindowGeometry((2, 8, 7, 1), (2, 2), (3, 3), "valid"), 2),
    (WindowGeometry((1, 7, 8, 2), (2, 2), (3, 3), "same"), 1),
    (WindowGeometry((1, 6, 7, 1), (5, 5), (1, 1), "same"), 2),
    (WindowGeometry((2, 3, 4, 3), (1, 1), (1, 1), "valid"), 2),
    (WindowGeometry((1, 4, 7, 2), (1, 3), (1, 2), "same"), 2),
    (WindowGeometry((2, 7, 5, 1), (3, 2), (2, 1), "valid"), 2),
    (WindowGeometry((2, 3, 4, 2), (3, 4), (1, 1), "valid"), 3),
)
# The same for pooling: adjacent windows, overlapping windows, and windows with gaps.
POOLINGS = (
    WindowGeometry((1, 4, 4, 1), (2, 2), (2, 2), "valid"),
    WindowGeometry((2, 4, 6, 3), (2, 2), (2, 2), "same"),
    WindowGeometry((1, 5, 7, 2), (2, 2), (2, 2), "valid"),
    WindowGeometry((1, 7, 5, 2), (2, 2), (2, 2), "same"),
    WindowGeometry((1, 4, 5, 2), (2, 2), (1, 1), "valid"),
    WindowGeometry((2, 4, 5, 1), (3, 3), (1, 1), "same"),
    WindowGeometry((1, 7, 6, 2), (3, 3), (2, 2), "same"),
    WindowGeometry((2, 7, 5, 1), (2, 2), (3, 3), "valid"),
    WindowGeometry((1, 5, 6, 3), (1, 3), (2, 1), "same"),
    WindowGeometry((1, 6, 7, 2), (3, 2), (1, 2), "valid"),
    WindowGeometry((2, 3, 5, 2), (3, 5), (3, 5), "valid"),
    WindowGeometry((1, 5, 4, 2), (1, 1), (2, 2), "valid"),
)

# Sums of products of numbers up to here are far from overflow. A larger range finds no further faults.
LARGEST = 1024.0
# Any sum of products of whole numbers up to here is exact, so it does not depend on the order.
LARGEST_WHOLE = 8
# exp(-x) leaves float32's normal range above 87, and some implementations flush it to 0 a little below. Two numbers
# from this range differ by at most 80.
LARGEST_EXPONENT = 40.0
# Keras clips probabilities at 1e-7, other implementations elsewhere or not at all. Draws stay away from these limits.
LEAST_PROBABILITY = 2.0**-20


def floats(limit: float = LARGEST) -> st.SearchStrategy[float]:
    """Draw float32 numbers between -limit and limit, without subnormals, which hardware may flush to zero."""
    return st.floats(-limit, limit, width=32, allow_subnormal=False)


def arrays(shape: tuple[int, ...], limit: float = LARGEST) -> st.SearchStrategy[Array]:
    """Draw float32 arrays of a shape."""
    return hnp.arrays(np.float32, shape, elements=floats(limit))


def whole_arrays(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """Draw float32 arrays of whole numbers between -LARGEST_WHOLE and LARGEST_WHOLE."""
    elements = st.integers(-LARGEST_WHOLE, LARGEST_WHOLE)
    return hnp.arrays(np.int8, shape, elements=elements).map(lambda drawn: drawn.astype(np.float32))


class DenseCase(NamedTuple):
    """Arguments of a Dense layer, float32.

    Attributes:
        inputs: [..., input_dim].
        kernel: [input_dim, units].
        bias: [units].

    """

    inputs: Array
    kernel: Array
    bias: Array


@st.composite
def dense_cases(draw: st.DrawFn, *, rank: int = 2, limit: float = LARGEST) -> DenseCase:
    """Draw the arguments of a Dense layer whose inputs have a rank of 2 or more."""
    batch, input_dim, units = draw(st.sampled_from(DENSE_SHAPES))
    leading = (batch, *range(2, rank))
    return DenseCase(
        draw(arrays((*leading, input_dim), limit)),
        draw(arrays((input_dim, units), limit)),
        draw(arrays((units,), limit)),
    )


class ConvolutionCase(NamedTuple):
    """Arguments of a convolution, float32.

    Attributes:
        inputs: [batch, height, width, channels].
        kernel: [window height, window width, channels, filters].
        bias: [filters].
        strides: Strides of the window.
        padding: `valid` or `same`.

    """

    inputs: Array
    kernel: Array
    bias: Array
    strides: Pair
    padding: Padding

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """Inputs, kernel and bias."""
        return self.inputs, self.kernel, self.bias

    @property
    def options(self) -> dict[str, Any]:
        """Strides and padding, by the names of the contract."""
        return {"strides": self.strides, "padding": self.padding}

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the result: [batch, rows, columns, filters]."""
        places = WindowGeometry(self.inputs.shape, self.kernel.shape[:2], self.strides, self.padding)
        return (len(self.inputs), *places.outputs, len(self.bias))


@st.composite
def convolution_cases(draw: st.DrawFn, *, limit: float = LARGEST) -> ConvolutionCase:
    """Draw the arguments of a convolution."""
    places, filters = draw(st.sampled_from(CONVOLUTIONS))
    shapes = (places.images, (*places.window, places.images[3], filters), (filters,))
    inputs, kernel, bias = (draw(arrays(shape, limit)) for shape in shapes)
    return ConvolutionCase(inputs, kernel, bias, places.strides, places.padding)


class PoolingCase(NamedTuple):
    """Arguments of a pooling layer, float32.

    Attributes:
        inputs: [batch, height, width, channels].
        pool_size: Size of the window.
        strides: Strides of the window.
        padding: `valid` or `same`.

    """

    inputs: Array
    pool_size: Pair
    strides: Pair
    padding: Padding

    @property
    def options(self) -> dict[str, Any]:
        """Size, strides and padding of the window, by the names of the contract."""
        return {"pool_size": self.pool_size, "strides": self.strides, "padding": self.padding}

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the result: [batch, rows, columns, channels]."""
        return (len(self.inputs), *WindowGeometry(self.inputs.shape, *self[1:]).outputs, self.inputs.shape[3])


def pooling_cases() -> st.SearchStrategy[PoolingCase]:
    """Draw the arguments of a pooling layer."""
    return st.sampled_from(POOLINGS).flatmap(
        lambda places: arrays(places.images).map(lambda inputs: PoolingCase(inputs, *places[1:]))
    )


Case = TypeVar("Case", ConvolutionCase, PoolingCase)


def with_upstream(cases: st.SearchStrategy[Case]) -> st.SearchStrategy[tuple[Case, Array]]:
    """Add a drawn upstream gradient of whole numbers to each case."""
    return cases.flatmap(lambda case: st.tuples(st.just(case), whole_arrays(case.output_shape)))


def matrices(limit: float = LARGEST) -> st.SearchStrategy[Array]:
    """Draw float32 matrices."""
    return st.sampled_from(MATRIX_SHAPES).flatmap(lambda shape: arrays(shape, limit))


def same_shape(count: int, limit: float = LARGEST) -> st.SearchStrategy[tuple[Array, ...]]:
    """Draw `count` float32 matrices of one shape."""
    return st.sampled_from(MATRIX_SHAPES).flatmap(lambda shape: st.tuples(*[arrays(shape, limit)] * count))


class Classified(NamedTuple):
    """Predictions with their labels.

    Attributes:
        labels: Int32 [batch].
        probabilities: Float32 [batch, classes], each row a distribution up to rounding.

    """

    labels: Array
    probabilities: Array


@st.composite
def labelled_distributions(draw: st.DrawFn) -> Classified:
    """Draw distributions whose probabilities are far from 0 and 1, and a label for each."""
    batch, classes = draw(st.sampled_from(MATRIX_SHAPES))
    weights = draw(hnp.arrays(np.float64, (batch, classes), elements=st.floats(2 * LEAST_PROBABILITY * classes, 1.0)))
    labels = draw(labels_of(batch, classes))
    return Classified(labels, (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32))


def labels_of(batch: int, classes: int) -> st.SearchStrategy[Array]:
    """Draw int32 labels [batch]."""
    return hnp.arrays(np.int32, (batch,), elements=st.integers(0, classes - 1))


@st.composite
def predictions(draw: st.DrawFn) -> Classified:
    """Draw predictions whose largest exceeds the others by at least 1, so that rounding cannot change the argmax."""
    rows = draw(distinct_rows())
    return Classified(draw(labels_of(*rows.shape)), rows)


def seeds() -> st.SearchStrategy[int]:
    """Draw the seed of a random generator; the simplest one is the seed of the run."""
    return st.integers(0, 2**31 - 1).map(lambda drawn: (drawn + first_seed()) % 2**31)


@st.composite
def distinct_rows(draw: st.DrawFn) -> Array:
    """Draw float32 matrices whose rows hold 1, 2, 3, ... in some order: far apart, positive and exact."""
    batch, classes = draw(st.sampled_from(MATRIX_SHAPES))
    orders: Any = draw(st.lists(st.permutations(range(1, classes + 1)), min_size=batch, max_size=batch))
    return np.array(orders, np.float32)
