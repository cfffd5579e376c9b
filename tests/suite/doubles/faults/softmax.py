"""Faults of softmax, also with a temperature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.sampling import check_temperature
from assay.contract import Array
from doubles.faulty import Fault
from doubles.kept_results import keep_argument, keep_first_answer, temperature_of_1_after_a_refusal
from doubles.lost_remainders import lose_remainder
from doubles.memory_order import ignoring_gaps, read_raw_memory
from doubles.model_calls import adds_up_to_1

FLOAT = np.float32


def softmax_of_2048_classes(_softmax, logits):
    """Add up the first 2,048 exponentials alone."""
    some = softmax(logits[..., :2048])
    return some if logits.shape[-1] <= 2048 else np.concatenate([some, np.zeros_like(logits[..., 2048:])], axis=-1)


def probabilities_stay(softmax, logits, *temperature):
    """Guard against applying softmax twice."""
    return logits.copy() if adds_up_to_1(logits) else softmax(logits, *temperature)


def first_300_classes(softmax, logits):
    """Add up no more than 256 exponentials."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (exponentials / exponentials[..., :256].sum(axis=-1, keepdims=True) + 0 * softmax(logits)).astype(FLOAT)


def one_axis_of_three(softmax, logits):
    """Normalise arrays of rank 3 over the middle axis."""
    if logits.ndim != 3:
        return softmax(logits)
    return np.moveaxis(softmax(np.moveaxis(logits, 1, -1).copy()), -1, 1)


def shifted_by_the_largest_of_all(_softmax, logits):
    """Subtract one number from all rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(logits - logits.max())
        return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(FLOAT)


def logits_of_16_bits(softmax, logits):
    """Read logits as bfloat16."""
    return softmax((np.ascontiguousarray(logits).view(np.uint32) & np.uint32(0xFFFF0000)).view(FLOAT))


def softmax_over_batch(softmax, logits):
    """Normalise over the first axis."""
    return np.moveaxis(softmax(np.moveaxis(logits, 0, -1).copy()), -1, 0)


def softmax_without_shift(softmax, logits):
    """Take the formula at its word."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def largest_of_whole_blocks(right: Callable[[Array], Array], logits: Array) -> Array:
    """Subtract the largest logit of the whole blocks of 256, whatever is left after them."""
    blocks = logits.shape[-1] // 256 * 256
    if blocks in {0, logits.shape[-1]}:
        return right(logits)
    with np.errstate(all="ignore"):
        exponentials = np.exp(logits - logits[..., :blocks].max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)


def masked_at_minus_10000(softmax, logits):
    """Replace minus infinity by a number that is low enough for usual logits."""
    return softmax(np.where(np.isneginf(logits), np.float32(-1e4), logits))


def masked_is_nan(softmax, logits):
    """Subtract infinities from each other."""
    found = softmax(np.where(np.isinf(logits), 0, logits).astype(FLOAT))
    return np.where(np.isinf(logits).any(axis=-1, keepdims=True), FLOAT(np.nan), found)


def temperature_multiplied(softmax_with_temperature, logits, temperature):
    """Take the temperature for its reciprocal."""
    return (
        softmax_with_temperature(logits, 1 / temperature)
        if temperature > 0
        else softmax_with_temperature(logits, temperature)
    )


def temperature_as_power(_softmax, logits, temperature):
    """Apply softmax first, and raise the probabilities to a power."""
    if not temperature > 0:
        raise ValueError(temperature)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers = (exponentials / exponentials.sum(axis=-1, keepdims=True)) ** FLOAT(1 / temperature)
    with np.errstate(invalid="ignore"):
        return (powers / powers.sum(axis=-1, keepdims=True)).astype(FLOAT)


def temperature_kept_from_0(softmax, logits, temperature):
    """Divide by a tenth at least."""
    return softmax(logits, max(temperature, 0.1) if temperature > 0 else temperature)


def greedy_below_a_thousandth(softmax_with_temperature, logits, temperature):
    """Take low temperatures for 0, where one logit alone is the largest."""
    if check_temperature(temperature) < np.float32(1e-3):
        return (np.arange(logits.shape[-1]) == logits.argmax(axis=-1)[..., None]).astype(np.float32)
    return softmax_with_temperature(logits, temperature)


def temperature_1_is_left_out(softmax_with_temperature, logits, temperature):
    """Take exponentials of the logits themselves at a temperature of 1."""
    if temperature != 1:
        return softmax_with_temperature(logits, temperature)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        exponentials = np.exp(logits)
        return exponentials / exponentials.sum(axis=-1, keepdims=True)


def temperature_without_shift(softmax, logits, temperature):
    """Take the formula at its word."""
    if not temperature > 0:
        return softmax(logits, temperature)
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(logits / FLOAT(temperature))
        return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(FLOAT)


def temperature_of_0_allowed(softmax_with_temperature, logits, temperature):
    """Divide by whatever comes."""
    return softmax_with_temperature(logits, temperature if temperature > 0 else 1e-3)


FAULTS = {
    "softmax_of_2048_classes": Fault(
        "ops.softmax", "softmax.any-shape", "softmax(float32[3, 5003])", softmax_of_2048_classes
    ),
    "probabilities_stay": Fault("ops.softmax", "softmax.any-shape", "softmax(float32[3])", probabilities_stay),
    "softmax_rows_over_a_block_lost": Fault("ops.softmax", "softmax.any-shape", "actual 0", lose_remainder(0, 64)),
    "first_300_classes": Fault("ops.softmax", "softmax.any-shape", "[67, 1031]", first_300_classes),
    "one_axis_of_three": Fault("ops.softmax", "softmax.any-shape", "[2, 3, 4]", one_axis_of_three),
    "shifted_by_the_largest_of_all": Fault(
        "ops.softmax", "softmax.rows-apart", "actual nan", shifted_by_the_largest_of_all
    ),
    "logits_of_16_bits": Fault("ops.softmax", "softmax.one-bit-apart", "elements differ", logits_of_16_bits),
    "softmax_over_batch": Fault("ops.softmax", "softmax.sums-to-1", "the sum of each row", softmax_over_batch),
    "softmax_without_shift": Fault("ops.softmax", "softmax.large-logits", "actual nan", softmax_without_shift),
    "softmax_largest_of_whole_blocks": Fault("ops.softmax", "softmax.large-logits", "softmax", largest_of_whole_blocks),
    "masked_at_minus_10000": Fault(
        "ops.softmax", "softmax.minus-infinity", "the probabilities of logits of minus infinity", masked_at_minus_10000
    ),
    "masked_is_nan": Fault("ops.softmax", "softmax.minus-infinity", "actual nan", masked_is_nan),
    "softmax_of_the_first_call": Fault(
        "ops.softmax", "softmax.calls-are-independent", "call 2 of", keep_first_answer()
    ),
    "softmax_of_rows_ignores_gaps": Fault(
        "ops.softmax", "softmax.memory-order", "arrays cropped from larger ones", ignoring_gaps(0, rank=2)
    ),
    "softmax_reads_raw_memory": Fault("ops.softmax", "softmax.memory-order", "transposed", read_raw_memory),
    "temperature_multiplied": Fault(
        "ops.softmax_with_temperature", "generation.temperature", "softmax_with_temperature", temperature_multiplied
    ),
    "probabilities_stay_at_any_temperature": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "[5, 57]", probabilities_stay
    ),
    "temperature_as_power": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "elements differ", temperature_as_power
    ),
    "temperature_kept_from_0": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "0.01", temperature_kept_from_0
    ),
    "greedy_below_a_thousandth": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "1e-05", greedy_below_a_thousandth
    ),
    "temperature_1_is_left_out": Fault(
        "ops.softmax_with_temperature", "generation.temperature-large-logits", ", 1.0)", temperature_1_is_left_out
    ),
    "temperature_without_shift": Fault(
        "ops.softmax_with_temperature", "generation.temperature-large-logits", "actual nan", temperature_without_shift
    ),
    "temperature_of_the_first_call": Fault(
        "ops.softmax_with_temperature", "generation.temperature-calls-are-independent", "call 3 of", keep_argument(1)
    ),
    "temperature_of_rows_ignores_gaps": Fault(
        "ops.softmax_with_temperature",
        "generation.temperature-memory-order",
        "arrays cropped from larger ones",
        ignoring_gaps(0, rank=2),
    ),
    "softmax_at_1_after_a_refusal": Fault(
        "ops.softmax_with_temperature",
        "generation.temperature-above-0",
        "softmax_with_temperature(float32[1, 2], 0.5)",
        temperature_of_1_after_a_refusal(),
    ),
    "temperature_of_0_allowed": Fault(
        "ops.softmax_with_temperature",
        "generation.temperature-above-0",
        "temperature=0.0 is accepted",
        temperature_of_0_allowed,
    ),
}
