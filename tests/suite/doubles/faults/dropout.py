"""Faults of dropout."""

import numpy as np

from doubles.faulty import Fault
from doubles.memory_order import ignoring_gaps


def dropped_but_not_scaled(dropout, inputs, rate, seed, *, training):
    """Leave what is kept as it is."""
    dropped = dropout(inputs, rate, seed, training=training)
    return np.where(dropped == 0, dropped, inputs) if training else dropped


def last_elements_kept(dropout, inputs, rate, seed, *, training):
    """Draw for whole blocks of eight elements, and keep what these leave over."""
    outputs = np.array(dropout(inputs, rate, seed, training=training))
    if training:
        whole = inputs.size // 8 * 8
        outputs.reshape(-1)[whole:] = inputs.reshape(-1)[whole:] / np.float32(1 - rate)
    return outputs


def rank_3_not_scaled(dropout, inputs, rate, seed, *, training):
    """Leave what is kept as it is, for sequences."""
    result = dropout(inputs, rate, seed, training=training)
    return np.where(result == 0, result, inputs) if training and inputs.ndim == 3 else result


def scaled_by_share(dropout, inputs, rate, seed, *, training):
    """Divide by the share that was kept instead of the probability."""
    result = dropout(inputs, rate, seed, training=training)
    kept = max(float((result != 0).mean()), 1 / result.size)
    return (result * np.float32((1 - rate) / kept)).astype(np.float32) if training and inputs.ndim > 2 else result


def images_always_dropped(dropout, inputs, rate, seed, *, training):
    """Drop elements of images in inference, too."""
    return dropout(inputs, rate, seed, training=training or inputs.ndim == 4)


class Unseeded:
    """A dropout that goes on drawing where the last call left off."""

    def __init__(self):
        """Have made no call."""
        self._calls = 0

    def __call__(self, dropout, inputs, rate, seed, *, training):
        """Add the number of calls to the seed."""
        self._calls += 1
        return dropout(inputs, rate, (seed + self._calls) % 2**31, training=training)


def masked(inputs, kept, rate):
    """Drop what is not kept, and scale the rest."""
    return np.where(kept, inputs / np.float32(1 - rate), np.float32(0)).astype(np.float32)


def dropping(choose):
    """Make a dropout that chooses what is kept: (generator, inputs, rate) to a mask."""

    def wrong(dropout, inputs, rate, seed, *, training):
        if not training or rate == 0:
            return dropout(inputs, rate, seed, training=training)
        return masked(inputs, choose(np.random.default_rng(seed), inputs, rate), rate)

    return wrong


def one_mask_for_all(generator, inputs, rate):
    """Draw a mask for the first example, and use it for all examples of rank 3."""
    if inputs.ndim != 3:
        return generator.random(inputs.shape) >= rate
    return np.broadcast_to(generator.random(inputs.shape[1:]) >= rate, inputs.shape)


def recycled_numbers(generator, inputs, rate):
    """Draw 4,096 numbers, and use them again and again."""
    return np.resize(generator.random(4096), inputs.shape) >= rate


def pairs_against_each_other(generator, inputs, rate):
    """Use u for one half of the elements and 1 - u for the other."""
    half = generator.random(-(-inputs.size // 2))
    return np.concatenate([half, 1 - half])[: inputs.size].reshape(inputs.shape) >= rate


def exact_count(generator, inputs, rate):
    """Drop exactly the share that the rate is."""
    order = generator.permutation(inputs.size).reshape(inputs.shape)
    return order >= round(rate * inputs.size)


def exact_count_of_examples(generator, inputs, rate):
    """Drop the same number from each example, of more than three elements."""
    if inputs.ndim == 1 or inputs[0].size <= 3:
        return generator.random(inputs.shape) >= rate
    return np.stack([exact_count(generator, example, rate) for example in inputs])


def whole_channels(generator, inputs, rate):
    """Drop whole channels of images, as spatial dropout does."""
    drawn = generator.random(
        (len(inputs), *[1] * (inputs.ndim - 2), inputs.shape[-1]) if inputs.ndim == 4 else inputs.shape
    )
    return np.broadcast_to(drawn >= rate, inputs.shape)


def one_of_a_row_kept(generator, inputs, rate):
    """Keep at least one element of each row."""
    kept = generator.random(inputs.shape) >= rate
    kept[..., 0] |= ~kept.any(axis=-1)
    return kept


def eight_bits(generator, inputs, rate):
    """Draw numbers of 8 bits."""
    return generator.integers(0, 256, inputs.shape) >= rate * 256


def large_ones_dropped(generator, inputs, rate):
    """Drop large elements more often than small ones."""
    size = np.abs(inputs) - np.median(np.abs(inputs))
    return generator.random(inputs.shape) >= rate + np.where(size == 0, 0, np.sign(size) * min(rate, 1 - rate) / 2)


def seed_of_8_bits(dropout, inputs, rate, seed, *, training):
    """Use the last 8 bits of the seed."""
    return dropout(inputs, rate, seed % 256, training=training)


def seed_as_float32(dropout, inputs, rate, seed, *, training):
    """Lose bits of large seeds."""
    return dropout(inputs, rate, min(int(np.float32(seed)), 2**31 - 1), training=training)


def mixed(numbers):
    """Return numbers between 0 and 1 that look drawn, one for each whole number (SplitMix64)."""
    with np.errstate(over="ignore"):
        bits = numbers * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (bits ^ (bits >> np.uint64(31))) / 2.0**64


def dropping_by(combine):
    """Return a dropout that draws by a combination of seed and place."""

    def wrong(_dropout, inputs, rate, seed, *, training):
        if not training:
            return inputs.copy()
        kept = mixed(combine(np.arange(inputs.size, dtype=np.uint64), np.uint64(seed))).reshape(inputs.shape) >= rate
        return np.where(kept, inputs / np.float32(1 - rate), np.float32(0))

    return wrong


FAULTS = {
    "dropped_but_not_scaled": Fault("ops.dropout", "cnn.dropout-training", "expected 1.33", dropped_but_not_scaled),
    "last_elements_kept": Fault("ops.dropout", "cnn.dropout-elements", "[0, 0, 0, 0, 0, 0, 0]", last_elements_kept),
    "rank_3_not_scaled": Fault("ops.dropout", "cnn.dropout-every-rank", "what dropout at", rank_3_not_scaled),
    "scaled_by_share": Fault("ops.dropout", "cnn.dropout-every-rank", "what dropout at", scaled_by_share),
    "images_always_dropped": Fault("ops.dropout", "cnn.dropout-every-rank", "in inference", images_always_dropped),
    "dropout_ignores_gaps": Fault(
        "ops.dropout", "cnn.dropout-every-rank", "arrays cropped from larger ones", ignoring_gaps(0)
    ),
    "unseeded": Fault("ops.dropout", "cnn.dropout-repeats", "two masks", Unseeded()),
    "one_mask_for_all": Fault(
        "ops.dropout", "cnn.dropout-independent", "have a probability of", dropping(one_mask_for_all)
    ),
    "recycled_numbers": Fault(
        "ops.dropout", "cnn.dropout-independent", "have a probability of", dropping(recycled_numbers)
    ),
    "pairs_against_each_other": Fault(
        "ops.dropout", "cnn.dropout-independent", "neighbours", dropping(pairs_against_each_other)
    ),
    "exact_count_of_examples": Fault(
        "ops.dropout", "cnn.dropout-parts", "along the axes", dropping(exact_count_of_examples)
    ),
    "whole_channels": Fault("ops.dropout", "cnn.dropout-parts", "along the axes", dropping(whole_channels)),
    "one_of_a_row_kept": Fault("ops.dropout", "cnn.dropout-groups", "rows that lose", dropping(one_of_a_row_kept)),
    "eight_bits": Fault("ops.dropout", "cnn.dropout-resolution", "elements of 1341331", dropping(eight_bits)),
    "large_ones_dropped": Fault("ops.dropout", "cnn.dropout-values", "'large'", dropping(large_ones_dropped)),
    "exact_count": Fault("ops.dropout", "cnn.dropout-seeds", "zeros of 143", dropping(exact_count)),
    "seed_of_8_bits": Fault("ops.dropout", "cnn.dropout-seeds", "drop the same elements", seed_of_8_bits),
    "seed_as_float32": Fault("ops.dropout", "cnn.dropout-seeds", "drop the same elements", seed_as_float32),
    "dropped_by_the_sum_with_the_seed": Fault(
        "ops.dropout", "cnn.dropout-seeds", "of a seed and of the next", dropping_by(np.add)
    ),
    "dropped_by_the_bits_of_the_seed": Fault(
        "ops.dropout", "cnn.dropout-seeds", "of a seed and of the next", dropping_by(np.bitwise_xor)
    ),
}
