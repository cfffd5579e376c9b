"""Faults of drawing classes by their probabilities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.contract import Array
from doubles.dependent_draws import classes_at, combined, opposite_from_the_end, opposites, row_by_row
from doubles.faulty import Fault
from doubles.memory_order import ignoring_gaps, transposed_where_square


def sure_classes_always(sample, probabilities, seed):
    """Take a class whose probability is above 0.95 without drawing."""
    sure = probabilities.max(axis=-1) > 0.95
    return np.where(sure, probabilities.argmax(axis=-1), sample(probabilities, seed)).astype(np.int32)


def sometimes_argmax(sample, probabilities, seed):
    """Take the most probable class in one of 20 draws."""
    chosen = np.random.default_rng([seed, 1]).random(len(probabilities)) < 0.05
    return np.where(chosen, probabilities.argmax(axis=-1), sample(probabilities, seed)).astype(np.int32)


def nucleus(sample, probabilities, seed):
    """Draw from the most probable classes that make up 99%."""
    order = np.argsort(-probabilities, axis=-1)
    sorted_ = np.take_along_axis(probabilities, order, axis=-1)
    kept = np.empty_like(probabilities)
    np.put_along_axis(kept, order, np.where(sorted_.cumsum(axis=-1) - sorted_ < 0.99, sorted_, 0), axis=-1)
    return sample(kept / kept.sum(axis=-1, keepdims=True), seed)


def rare_classes_are_impossible(sample, probabilities, seed):
    """Leave out classes with a probability below two in ten thousand."""
    return sample(np.where(probabilities < np.float32(2e-4), np.float32(0), probabilities), seed)


def argmax_instead_of_sampling(_sample, probabilities, _seed):
    """Take the most probable class."""
    return probabilities.argmax(axis=-1).astype(np.int32)


def sampled_from_the_logits(sample, probabilities, seed):
    """Draw by the logarithms, shifted and scaled to be probabilities."""
    logits = np.log(np.maximum(probabilities, 1e-30))
    shifted = logits - logits.min(axis=-1, keepdims=True) + 1e-3
    return sample((shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32), seed)


def one_number_for_all_rows(sample, probabilities, seed):
    """Draw every row from the same seed."""
    return np.concatenate([sample(row[None].copy(), seed) for row in probabilities])


def halves_opposite(_sample, probabilities, seed):
    """Draw for the second half of the rows half a turn from the first."""
    if np.isnan(probabilities).any():
        msg = "there is a NaN among the probabilities"
        raise ValueError(msg)
    points, half = np.random.default_rng(seed).random(len(probabilities)), len(probabilities) // 2
    points[len(points) - half :] = (points[:half] + 0.5) % 1
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    return (ends[:, :-1] <= (points * ends[:, -1])[:, None]).sum(axis=-1, dtype=np.int32)


def sampled_in_opposite_pairs(_sample, probabilities, seed):
    """Draw a number u for a row from the beginning, and take 1 - u for one from the end."""
    if np.isnan(probabilities).any():
        msg = "there is a NaN among the probabilities"
        raise ValueError(msg)
    points = opposite_from_the_end(np.random.default_rng(seed).random(len(probabilities)) - 0.5) + 0.5
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    return (ends[:, :-1] <= (points * ends[:, -1])[:, None]).sum(axis=-1, dtype=np.int32)


def rows_as_opposites(sample: Callable[..., Array], probabilities: Array, seed: int) -> Array:
    """Draw every second row as the opposite of another one."""
    sample(probabilities, seed)
    return classes_at(probabilities, opposites(np.random.default_rng(seed), len(probabilities)))


def drawn_at(points_of):
    """Return a sampler that draws by the points that a function gives for a number of rows and a seed."""

    def wrong(sample, probabilities, seed):
        if np.isnan(probabilities).any():
            return sample(probabilities, seed)
        ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
        points = points_of(len(probabilities), seed)[:, None] * ends[:, -1:]
        return np.minimum((ends <= points).sum(axis=-1), probabilities.shape[-1] - 1).astype(np.int32)

    return wrong


def one_for_two_rows(rows, seed):
    """Draw a random number for every two rows."""
    return np.repeat(np.random.default_rng(seed).random(rows // 2 + 1), 2)[:rows]


def antithetic(rows, seed):
    """Use each random number once more from the other end."""
    half = np.random.default_rng(seed).random(rows // 2 + 1)
    return np.column_stack([half, 1 - half]).ravel()[:rows]


def recycled(rows, seed):
    """Draw 1,024 random numbers, and begin with the first again."""
    return np.resize(np.random.default_rng(seed).random(1024), rows)


def seed_of_each_row(rows, seed):
    """Draw every row by the next seed."""
    return np.array([np.random.default_rng(seed + row).random() for row in range(rows)])


def stratified(rows, seed):
    """Spread random numbers evenly, in any order."""
    generator = np.random.default_rng(seed)
    return generator.permutation((np.arange(rows) + generator.random(rows)) / rows)


def rows_of_four_digits(sample: Callable[..., Array], probabilities: Array, seed: int) -> Array:
    """Draw each row by a number of four decimal digits."""
    sample(probabilities, seed)
    numbers = np.random.default_rng(seed).integers(0, 10**4, len(probabilities)) / 10**4
    return classes_at(probabilities, numbers)


def in_16_bits(rows, seed):
    """Draw random numbers of 16 bits."""
    return np.random.default_rng(seed).integers(0, 2**16, rows) / 2**16


def nobodys_seed(rows, _seed):
    """Go on with the generator of the process."""
    return np.random.random(rows)  # noqa: NPY002 - the mistake


def seeds_in_pairs(sample, probabilities, seed):
    """Take an even seed for the odd one after it."""
    return sample(probabilities, seed // 2)


def nan_in_the_first_row_alone(sample, probabilities, seed):
    """Look for NaN in one row, and make 0 of it in others."""
    return sample(np.concatenate([probabilities[:1], np.nan_to_num(probabilities[1:])]), seed)


FAULTS = {
    "square_probabilities_transposed": Fault(
        "ops.sample", "generation.certain-any-size", "sample", transposed_where_square
    ),
    "sample_ignores_gaps": Fault(
        "ops.sample", "generation.certain-any-size", "arrays cropped from larger ones", ignoring_gaps(0)
    ),
    "sure_classes_always": Fault("ops.sample", "generation.frequencies", "0.03", sure_classes_always),
    "sometimes_argmax": Fault("ops.sample", "generation.frequencies", "as far off as", sometimes_argmax),
    "nucleus": Fault("ops.sample", "generation.frequencies", "as far off as", nucleus),
    "rare_classes_are_impossible": Fault(
        "ops.sample", "generation.frequencies", "among rare ones: 200 of 200", rare_classes_are_impossible
    ),
    "argmax_instead_of_sampling": Fault(
        "ops.sample", "generation.frequencies", "as far off", argmax_instead_of_sampling
    ),
    "sampled_from_the_logits": Fault("ops.sample", "generation.frequencies", "as far off", sampled_from_the_logits),
    "one_number_for_all_rows": Fault("ops.sample", "generation.frequencies", "as far off", one_number_for_all_rows),
    "halves_opposite": Fault(
        "ops.sample", "generation.rows-are-independent", "draws at a fixed distance", halves_opposite
    ),
    "sampled_in_opposite_pairs": Fault(
        "ops.sample", "generation.rows-are-independent", "consecutive rows repeat", sampled_in_opposite_pairs
    ),
    "rows_as_shuffled_opposites": Fault(
        "ops.sample", "generation.rows-are-independent", "as often as its opposite", rows_as_opposites
    ),
    "one_for_two_rows": Fault(
        "ops.sample", "generation.rows-are-independent", "draws at a fixed distance", drawn_at(one_for_two_rows)
    ),
    "antithetic": Fault("ops.sample", "generation.rows-are-independent", "mirrored", drawn_at(antithetic)),
    "recycled": Fault("ops.sample", "generation.rows-are-independent", "consecutive rows repeat", drawn_at(recycled)),
    "seed_of_each_row": Fault("ops.sample", "generation.rows-are-independent", "repeat", drawn_at(seed_of_each_row)),
    "rows_sampled_by_the_bits_of_the_seed": Fault(
        "ops.sample", "generation.rows-are-independent", "by the next seed that this one draws", row_by_row(combined, 0)
    ),
    "stratified": Fault("ops.sample", "generation.every-class", "as even", drawn_at(stratified)),
    "rows_of_four_digits": Fault(
        "ops.sample", "generation.sample-resolution", "within reach of 16 random bits or fewer", rows_of_four_digits
    ),
    "sampled_in_16_bits": Fault(
        "ops.sample", "generation.sample-resolution", "16 random bits or fewer", drawn_at(in_16_bits)
    ),
    "nobodys_seed": Fault("ops.sample", "generation.sample-seed", "after another seed", drawn_at(nobodys_seed)),
    "seeds_in_pairs": Fault("ops.sample", "generation.sample-seed", "draw the same", seeds_in_pairs),
    "nan_in_the_first_row_alone": Fault("ops.sample", "generation.nan", "accepted", nan_in_the_first_row_alone),
}
