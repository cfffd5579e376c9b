"""What Hypothesis draws: values freely, shapes from a small pool, as some implementations compile once per shape."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assay.contract import Array

# Batch, input_dim and units of a Dense layer: one of everything, more of each, and no two alike.
DENSE_SHAPES = ((1, 1, 1), (2, 3, 4), (5, 2, 3), (4, 5, 1))
MATRIX_SHAPES = ((1, 2), (2, 3), (5, 10))

# Sums of products of numbers up to here stay far from float32's largest; a larger range shows no other fault.
LARGEST = 1024.0
# exp(-x) leaves float32's normal range beyond 87, and near there some implementations give 0. Two numbers drawn from
# this range are at most 80 apart.
LARGEST_EXPONENT = 40.0
# Keras clips probabilities at 1e-7; drawn ones keep away from it, as other implementations clip elsewhere or not.
LEAST_PROBABILITY = 2.0**-20


def floats(limit: float = LARGEST) -> st.SearchStrategy[float]:
    """Draw float32 numbers between -limit and limit, without subnormals, which hardware may flush to zero."""
    return st.floats(-limit, limit, width=32, allow_subnormal=False)


def arrays(shape: tuple[int, ...], limit: float = LARGEST) -> st.SearchStrategy[Array]:
    """Draw float32 arrays of a shape."""
    return hnp.arrays(np.float32, shape, elements=floats(limit))


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


def matrices(limit: float = LARGEST) -> st.SearchStrategy[Array]:
    """Draw float32 matrices."""
    return st.sampled_from(MATRIX_SHAPES).flatmap(lambda shape: arrays(shape, limit))


def same_shape(count: int, limit: float = LARGEST) -> st.SearchStrategy[tuple[Array, ...]]:
    """Draw `count` float32 matrices of one shape."""
    return st.sampled_from(MATRIX_SHAPES).flatmap(lambda shape: st.tuples(*[arrays(shape, limit)] * count))


class Classified(NamedTuple):
    """Predictions with their labels.

    Attributes:
        labels: int32 [batch].
        probabilities: float32 [batch, classes], each row a distribution but for rounding.

    """

    labels: Array
    probabilities: Array


@st.composite
def classified(draw: st.DrawFn) -> Classified:
    """Draw distributions that are nowhere near 0 and 1, and a label for each."""
    batch, classes = draw(st.sampled_from(MATRIX_SHAPES))
    weights = draw(hnp.arrays(np.float64, (batch, classes), elements=st.floats(2 * LEAST_PROBABILITY * classes, 1.0)))
    labels = draw(labels_of(batch, classes))
    return Classified(labels, (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32))


def labels_of(batch: int, classes: int) -> st.SearchStrategy[Array]:
    """Draw int32 labels [batch]."""
    return hnp.arrays(np.int32, (batch,), elements=st.integers(0, classes - 1))


@st.composite
def predictions(draw: st.DrawFn) -> Classified:
    """Draw predictions whose largest is alone by a step of 1, so that no rounding can move the argmax."""
    rows = draw(distinct_rows())
    return Classified(draw(labels_of(*rows.shape)), rows)


def seeds() -> st.SearchStrategy[int]:
    """Draw the seed of a random generator."""
    return st.integers(0, 2**31 - 1)


@st.composite
def distinct_rows(draw: st.DrawFn) -> Array:
    """Draw float32 matrices whose rows hold 1, 2, 3, ... in some order: far apart, positive and exact."""
    batch, classes = draw(st.sampled_from(MATRIX_SHAPES))
    orders: Any = draw(st.lists(st.permutations(range(1, classes + 1)), min_size=batch, max_size=batch))
    return np.array(orders, np.float32)
