"""The softmax function: lines 177 to 190 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.semantics import layers
from assay.testing import cases
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.cases import MANY, ODD
from assay.testing.operations import (
    SOFTMAX,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
)
from assay.testing.strategies import LARGEST_EXPONENT, arrays, distinct_rows, matrices


def assert_softmax(what, actual, logits):
    """Compare a result with the definition."""
    logits = logits.astype(np.float64)
    assert_within(what, actual, layers.softmax(logits), rounding.softmax(logits))


def sum_bound(logits):
    """Bound the deviation from 1 of the sum of a row's rounded probabilities."""
    return np.sum(rounding.softmax(logits.astype(np.float64)), axis=-1)


@claim("softmax.definition")
@given(logits=matrices(LARGEST_EXPONENT))
def test_definition(ops, logits):
    assert_softmax("softmax", ops.softmax(logits), logits)


# A single class; more classes than rows, as many, and fewer; sums of many terms; and ranks from 1 to 5.
SHAPES = ((1,), (5,), (10, 10), (ODD, 10), (67, ODD), (3, MANY), (2, 3, 4), (4, 3, 3), (3, 1, 5, 2), (2, 3, 1, 2, 2))


@claim("softmax.any-shape")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_shape(ops, seed, shape):
    (logits,) = cases.normal(seed, shape, scale=cases.LOGITS)
    assert_correct(SOFTMAX, ops.softmax, logits)


@claim("softmax.any-shape")
@pytest.mark.parametrize("shape", [(3,), (5, 10), (2, 3, 4)], ids=str)
def test_probabilities_as_logits(ops, seed, shape):
    # Rows that add up to 1 already are logits like any others.
    (logits,) = cases.normal(seed, shape)
    assert_correct(SOFTMAX, ops.softmax, layers.softmax(logits))


@claim("softmax.rows-apart")
def test_rows_apart(ops, seed):
    # If all rows were shifted by the overall maximum, rows far below it would underflow to 0.
    (logits,) = cases.normal(seed, (2, 3, 5))
    shifts = np.array([-(2.0**20), -1000.0, -100.0, 100.0, 1000.0, 2.0**20], np.float32).reshape(2, 3, 1)
    assert_correct(SOFTMAX, ops.softmax, logits + shifts)


@claim("softmax.one-bit-apart")
@pytest.mark.parametrize("exponent", [0, 10, 16, 23])
def test_one_bit_apart(ops, exponent):
    # 1, 2 and 3 units in the last place above a power of 2.
    steps = np.arange(4, dtype=np.float32)[::-1] * np.float32(2.0 ** (exponent - 23))
    assert_correct(SOFTMAX, ops.softmax, np.float32(2.0**exponent) + steps[None])


@claim("softmax.minus-infinity")
def test_minus_infinity(ops, seed):
    (logits,) = cases.normal(seed, (5, 10))
    # The other logits of a row are near 0 or so low that no finite number may stand for minus infinity.
    logits += np.array([0.0, 0.0, -(2.0**14), -(2.0**20), -(2.0**127)], np.float32)[:, None]
    masked = np.arange(50).reshape(5, 10) % 3 == 1
    found = assert_form("softmax", ops.softmax(np.where(masked, -np.float32(np.inf), logits)), (5, 10))
    assert_equal("the probabilities of logits of minus infinity", found[masked], np.zeros(masked.sum()))
    for row, kept in enumerate(~masked):
        assert_softmax(f"softmax of the other logits of row {row}", found[row, kept], logits[row, kept])


@claim("softmax.calls-are-independent")
def test_calls_are_independent(ops, seed):
    first, second, larger = cases.normal(seed, (5, 10), (5, 10), (67, ODD))
    assert_calls_are_independent(SOFTMAX, ops.softmax, (first,), (second,), (larger,))


@claim("softmax.memory-order")
def test_memory_order(ops, seed):
    for shape in ((5, 10), (3, 5, 10)):
        assert_any_memory_order(SOFTMAX, ops.softmax, *cases.normal(seed, shape))


@claim("softmax.between-0-and-1")
@given(logits=matrices())
def test_between_0_and_1(ops, logits):
    result = assert_form("softmax", ops.softmax(logits), logits.shape)
    # The interval from 0 to 1 as its centre and half its width, plus the rounding error of a result of 1.
    assert_within("softmax", result, np.full(logits.shape, 0.5), 0.5 + rounding.gamma(rounding.DIVIDE))


@claim("softmax.sums-to-1")
@given(logits=matrices())
def test_sums_to_1(ops, logits):
    sums = assert_form("softmax", ops.softmax(logits), logits.shape).sum(axis=-1, dtype=np.float64)
    assert_within("the sum of each row", sums, np.ones(len(logits)), sum_bound(logits), np.dtype(np.float64))


@claim("softmax.keeps-form")
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
def test_keeps_form(ops, shape):
    assert_form("softmax", ops.softmax(np.ones(shape, np.float32)), shape)


@claim("softmax.ten-classes")
@given(logits=arrays((1, 10), LARGEST_EXPONENT))
def test_ten_classes(ops, logits):
    result = assert_form("softmax", ops.softmax(logits), (1, 10))
    assert (result >= 0).all(), f"negative probabilities in {result}"
    total = result.sum(dtype=np.float64)
    assert_within("the sum of ten probabilities", total, 1.0, sum_bound(logits)[0], np.dtype(np.float64))


@claim("softmax.keeps-order")
@given(logits=distinct_rows())
def test_keeps_order(ops, logits):
    order = np.argsort(ops.softmax(logits), axis=-1)
    assert (order == np.argsort(logits, axis=-1)).all(), f"the order of the logits {logits} became {order}"


@claim("softmax.emphasises-the-maximum")
@given(logits=distinct_rows())
def test_emphasises_the_maximum(ops, logits):
    # The logits are positive integers, so softmax increases the share by far more than rounding errors.
    share = logits.max(axis=-1) / logits.sum(axis=-1)
    largest = assert_form("softmax", ops.softmax(logits), logits.shape).max(axis=-1)
    assert (largest > share).all(), f"the share of the largest logit is {share}, and its probability only {largest}"


@claim("softmax.suppresses-the-rest")
@given(logits=matrices(LARGEST_EXPONENT))
def test_suppresses_the_rest(ops, logits):
    result = assert_form("softmax", ops.softmax(logits), logits.shape).astype(np.float64)
    distance = logits.max(axis=-1, keepdims=True) - logits.astype(np.float64)
    permitted = result.max(axis=-1, keepdims=True) * np.exp(-distance)
    bound = 2 * rounding.softmax(logits.astype(np.float64))
    assert (result <= permitted + bound).all(), f"softmax of {logits} is {result}, expected at most {permitted}"


@claim("softmax.tends-to-argmax")
@given(logits=distinct_rows())
def test_tends_to_argmax(ops, logits):
    largest = [ops.softmax(np.float32(factor) * logits).max(axis=-1) for factor in (1, 2, 4, 8, 16)]
    assert (np.diff(largest, axis=0) >= 0).all(), f"the largest probability does not grow with the factor: {largest}"
    assert_softmax("softmax of 16 times the logits", ops.softmax(np.float32(16) * logits), np.float32(16) * logits)


@claim("softmax.is-smooth")
@given(logits=distinct_rows(), step=st.floats(2**-10, 2**-4, width=32))
def test_is_smooth(ops, logits, step):
    shifted = logits.copy()
    shifted[:, 0] += np.float32(step)
    change = np.abs(ops.softmax(shifted).astype(np.float64) - ops.softmax(logits))
    # No partial derivative of softmax exceeds 1/4, the maximum of p (1 - p).
    permitted = 0.25 * np.abs(shifted - logits).max() + 2 * rounding.softmax(logits.astype(np.float64))
    assert (change <= permitted).all(), f"a change of {step} in a logit changes softmax by {change.max()}"


@claim("softmax.equal-logits")
@given(value=st.floats(-100, 100, width=32), count=st.sampled_from([2, 3, 10]))
def test_equal_logits(ops, value, count):
    logits = np.full((1, count), value, np.float32)
    assert_within(
        "softmax of equal logits",
        ops.softmax(logits),
        np.full((1, count), 1 / count),
        rounding.softmax(logits),
    )


@claim("softmax.shift-invariant")
@given(logits=distinct_rows(), shift=st.integers(-1000, 1000))
def test_shift_invariant(ops, logits, shift):
    # The shifted logits are small integers, and therefore exact.
    assert_softmax("softmax of shifted logits", ops.softmax(logits + np.float32(shift)), logits)


@claim("softmax.large-logits")
@pytest.mark.parametrize(
    "logits",
    [
        *([100.0, 99.0], [1000.0, 0.0], [-1000.0, -1001.0], [3e38, 0.0]),
        *([3e38, -3e38], [3e38, 3e38], [-3e38, -3e38], [88.0, 89.0], [-104.0, -103.0], [65504.0, 65503.0]),
    ],
)
def test_large_logits(ops, logits):
    rows = np.array([logits], np.float32)
    assert_softmax(f"softmax of {logits}", ops.softmax(rows), rows)


@claim("softmax.large-logits")
def test_large_logit_anywhere(ops):
    # A maximum by blocks must find the largest logit in every block, and in the remainder.
    places = np.arange(0, ODD, 10)
    largest = layers.one_hot(places, ODD).astype(np.float32)
    assert_equal("softmax", ops.softmax(np.float32(1e4) * largest), largest)


@claim("softmax.layer")
def test_layer_of_any_rank(keras, seed):
    logits = np.random.default_rng(seed).uniform(-3, 3, (2, 3, 5)).astype(np.float32)
    result = keras.to_numpy(keras.namespace.layers.Softmax()(keras.to_tensor(logits)))
    assert_form("layers.Softmax()", result, logits.shape)
    assert_softmax("layers.Softmax()", result.reshape(6, 5), logits.reshape(6, 5))


@claim("softmax.layer")
@given(logits=matrices(LARGEST_EXPONENT))
def test_layer(keras, logits):
    result = keras.to_numpy(keras.namespace.layers.Softmax()(keras.to_tensor(logits)))
    assert_softmax("layers.Softmax()", result, logits)
