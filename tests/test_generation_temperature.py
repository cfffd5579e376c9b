"""Softmax with a temperature: lines 580 to 594 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import layers
from assay.spec.semantics.layers import softmax_with_temperature
from assay.spec.semantics.models import NUM_CHARS
from assay.spec.semantics.text import entropy
from assay.spec.vectors import read
from assay.testing import cases
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, assert_within, claim
from assay.testing.cases import ODD
from assay.testing.operations import (
    SOFTMAX_WITH_TEMPERATURE,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
)
from assay.testing.strategies import LARGEST_EXPONENT, distinct_rows, matrices

DOCUMENT = read("rnn")
TEMPERATURES = DOCUMENT["temperatures"]

each_temperature = pytest.mark.parametrize("temperature", TEMPERATURES)


@claim("generation.temperature")
@each_temperature
@given(scaled=matrices(LARGEST_EXPONENT))
def test_temperature(ops, temperature, scaled):
    # The differences of divided logits stay so small that no probability underflows to 0.
    logits = scaled * np.float32(temperature)
    exact = to_float64(logits), temperature
    assert_within(
        "softmax_with_temperature",
        ops.softmax_with_temperature(logits, temperature),
        softmax_with_temperature(*exact),
        rounding.softmax_with_temperature(*exact),
    )


@claim("generation.temperature-1")
@given(logits=matrices(LARGEST_EXPONENT))
def test_temperature_1(ops, logits):
    exact = to_float64(logits)
    assert_within(
        "softmax_with_temperature",
        ops.softmax_with_temperature(logits, 1.0),
        layers.softmax(exact),
        rounding.softmax_with_temperature(exact, 1.0),
    )


@claim("generation.any-temperature")
@pytest.mark.parametrize("temperature", [1e-5, 1e-3, 0.01, 0.05, 0.3, 0.7, 2, 3.5, 10.0, 100.0, 1e4])
def test_any_temperature(ops, seed, temperature):
    # Divided logits are a few units apart, and the logits themselves up to tens of thousands. In the last row, two
    # logits are equal and the largest.
    (scaled,) = cases.normal(seed, (5, NUM_CHARS), scale=3.0)
    scaled[-1, :2] = scaled[-1].max()
    logits = scaled * np.float32(temperature)
    assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, temperature)
    # Rows that add up to 1 already are logits like any others.
    probabilities = layers.softmax(scaled)
    if temperature > probabilities.max() / cases.LOGITS:
        assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, probabilities, temperature)


@claim("generation.temperature-any-shape")
@pytest.mark.parametrize("shape", [(5,), (10, 10), (ODD, 10), (67, ODD), (2, 3, 4), (2, 3, 1, 5)], ids=str)
def test_temperature_any_shape(ops, seed, shape):
    (logits,) = cases.normal(seed, shape, scale=0.4 * cases.LOGITS)
    assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, 0.4)


@claim("generation.temperature-large-logits")
def test_temperature_large_logits(ops):
    logits = np.array([[1e4, 9999.0], [-1e4, -9999.0], [300.0, 299.75], [100.0, 0.0], [-3.0, -2.0]], np.float32)
    for temperature in (0.25, 1.0):
        assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, temperature)
    huge = np.array([[3e37, 0.0], [-3e37, 3e37], [0.0, -3e37]], np.float32)
    found = ops.softmax_with_temperature(huge, 0.25)
    assert_equal("softmax_with_temperature of huge logits", found, np.array([[1, 0], [0, 1], [1, 0]]))


@claim("generation.temperature-calls-are-independent")
def test_temperature_calls_are_independent(ops, seed):
    first, second, larger = cases.normal(seed, (5, NUM_CHARS), (5, NUM_CHARS), (67, ODD))
    calls = (first, 0.5), (second, 0.5), (first, 1.2), (first, 1.0), (larger, 0.2)
    assert_calls_are_independent(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, *calls)


@claim("generation.temperature-memory-order")
def test_temperature_memory_order(ops, seed):
    for shape in ((5, 10), (3, 5, 10)):
        (logits,) = cases.normal(seed, shape)
        assert_any_memory_order(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, 0.5)


@claim("generation.cold")
@given(logits=distinct_rows())
def test_cold(ops, logits):
    # The logits are 1 apart, and exp(-128) is less than half of the smallest positive number of float32.
    expected = layers.one_hot(logits.argmax(axis=-1), logits.shape[-1])
    assert_equal("softmax_with_temperature", ops.softmax_with_temperature(logits, 1 / 128), expected)


@claim("generation.hot")
@given(logits=matrices(LARGEST_EXPONENT), temperature=st.sampled_from([1e3, 1e6]))
def test_hot(ops, logits, temperature):
    even = np.full(logits.shape, 1 / logits.shape[-1])
    # Logits differ by at most 2 * LARGEST_EXPONENT, so the ratio of two probabilities is at most exp of that / T.
    deviation = even * np.expm1(2 * LARGEST_EXPONENT / temperature)
    bound = deviation + rounding.softmax_with_temperature(to_float64(logits), temperature)
    assert_within("softmax_with_temperature", ops.softmax_with_temperature(logits, temperature), even, bound)


def probabilities_by_temperature(ops, logits):
    """Return the probabilities at the four temperatures of the document, in float64."""
    return [
        to_float64(assert_form("softmax_with_temperature", ops.softmax_with_temperature(logits, one), logits.shape))
        for one in TEMPERATURES
    ]


@claim("generation.entropy")
@given(logits=distinct_rows())
def test_entropy(ops, logits):
    entropies = np.array([entropy(each) for each in probabilities_by_temperature(ops, logits)])
    assert (np.diff(entropies, axis=0) > 0).all(), (
        f"the entropies are {entropies.tolist()}, expected to rise with the temperature"
    )


@claim("generation.range")
@given(logits=distinct_rows())
def test_range(ops, logits):
    ranges = np.array([np.ptp(each, axis=-1) for each in probabilities_by_temperature(ops, logits)])
    assert (np.diff(ranges, axis=0) < 0).all(), (
        f"the ranges are {ranges.tolist()}, expected to fall with the temperature"
    )


@claim("generation.order-kept")
@given(logits=distinct_rows())
def test_order_kept(ops, logits):
    for temperature, found in zip(TEMPERATURES, probabilities_by_temperature(ops, logits), strict=True):
        assert_equal(f"the order at {temperature}", found.argsort(axis=-1), logits.argsort(axis=-1), np.dtype(np.int64))


invalid_temperatures = pytest.mark.parametrize("temperature", [0.0, -0.5, float("nan")])


@claim("generation.temperature-above-0")
@invalid_temperatures
def test_softmax_at_temperature_above_0(ops, temperature):
    logits = np.array([[0.0, 1.0]], np.float32)
    assert_rejected(f"temperature={temperature}", lambda: ops.softmax_with_temperature(logits, temperature))
    # A refused temperature has no effect on the next call.
    assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, 0.5)
