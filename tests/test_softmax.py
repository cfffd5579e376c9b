"""The softmax function: lines 177 to 190 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.semantics import layers
from assay.testing.assertions import assert_form, assert_within, claim
from assay.testing.strategies import LARGEST_EXPONENT, arrays, distinct_rows, matrices


def assert_softmax(what, actual, logits):
    """Compare a result with the definition."""
    logits = logits.astype(np.float64)
    assert_within(what, actual, layers.softmax(logits), rounding.softmax(logits))


def sum_bound(logits):
    """Bound how far the rounded probabilities of a row are from adding up to 1."""
    return np.sum(rounding.softmax(logits.astype(np.float64)), axis=-1)


@claim("softmax.definition")
@given(logits=matrices(LARGEST_EXPONENT))
def test_definition(ops, logits):
    assert_softmax("softmax", ops.softmax(logits), logits)


@claim("softmax.between-0-and-1")
@given(logits=matrices())
def test_between_0_and_1(ops, logits):
    result = assert_form("softmax", ops.softmax(logits), logits.shape)
    # The middle of the interval, and half its width but for the rounding of a result of 1.
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
    # Shares of positive logits that differ by steps of 1: the gain is far above rounding.
    share = logits.max(axis=-1) / logits.sum(axis=-1)
    largest = assert_form("softmax", ops.softmax(logits), logits.shape).max(axis=-1)
    assert (largest > share).all(), f"the largest logit has {share} of the sum, and {largest} of softmax"


@claim("softmax.suppresses-the-rest")
@given(logits=matrices(LARGEST_EXPONENT))
def test_suppresses_the_rest(ops, logits):
    result = assert_form("softmax", ops.softmax(logits), logits.shape).astype(np.float64)
    distance = logits.max(axis=-1, keepdims=True) - logits.astype(np.float64)
    permitted = result.max(axis=-1, keepdims=True) * np.exp(-distance)
    bound = 2 * rounding.softmax(logits.astype(np.float64))
    assert (result <= permitted + bound).all(), f"softmax of {logits} leaves {result}, and at most {permitted} is right"


@claim("softmax.tends-to-argmax")
@given(logits=distinct_rows())
def test_tends_to_argmax(ops, logits):
    largest = [ops.softmax(np.float32(factor) * logits).max(axis=-1) for factor in (1, 2, 4, 8, 16)]
    assert (np.diff(largest, axis=0) >= 0).all(), f"the maximum's share does not grow with the factor: {largest}"
    assert_softmax("softmax of 16 times the logits", ops.softmax(np.float32(16) * logits), np.float32(16) * logits)


@claim("softmax.is-smooth")
@given(logits=distinct_rows(), step=st.floats(2**-10, 2**-4, width=32))
def test_is_smooth(ops, logits, step):
    moved = logits.copy()
    moved[:, 0] += np.float32(step)
    change = np.abs(ops.softmax(moved).astype(np.float64) - ops.softmax(logits))
    # No partial derivative of softmax is steeper than 1/4, as p (1 - p) is largest at p = 1/2.
    permitted = 0.25 * np.abs(moved - logits).max() + 2 * rounding.softmax(logits.astype(np.float64))
    assert (change <= permitted).all(), f"a change of {step} in a logit moves softmax by {change.max()}"


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
    # Small whole numbers: the shifted logits are exact.
    assert_softmax("softmax of shifted logits", ops.softmax(logits + np.float32(shift)), logits)


@claim("softmax.large-logits")
@pytest.mark.parametrize("logits", [[100.0, 99.0], [1000.0, 0.0], [-1000.0, -1001.0], [3e38, 0.0]])
def test_large_logits(ops, logits):
    rows = np.array([logits], np.float32)
    assert_softmax(f"softmax of {logits}", ops.softmax(rows), rows)


@claim("softmax.layer")
@given(logits=matrices(LARGEST_EXPONENT))
def test_layer(keras, logits):
    result = keras.to_numpy(keras.namespace.layers.Softmax()(keras.to_tensor(logits)))
    assert_softmax("layers.Softmax()", result, logits)
