"""Faults of the draws of windows from a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array
from doubles.dependent_draws import added, combined, opposite_places, opposites, row_by_row
from doubles.faulty import Fault
from doubles.memory_order import reading, without_strides

BYTE = 2**8
Starts = Callable[[int, int, int], np.ndarray]
Function = Callable[..., Any]


def next_character_off_by_one(sample_windows, indices, seq_length, batch_size, seed):
    """Predict the last character of the window."""
    windows, _ = sample_windows(indices, seq_length, batch_size, seed)
    return windows, windows[:, -1].copy()


def keep_windows():
    """Keep windows by everything but the text."""
    kept = {}

    def sample_windows(right, indices, *arguments):
        key = (len(indices), *arguments)
        if key not in kept:
            kept[key] = right(indices, *arguments)
        return tuple(values.copy() for values in kept[key])

    return sample_windows


def remembering_text() -> Callable[..., Any]:
    """Return a loader that takes a text for an earlier one with the same length and first character."""
    texts: dict[tuple[int, int], Array] = {}

    def wrong(sample_windows: Callable[..., Any], indices: Array, *options: int) -> Any:
        known = texts.setdefault((len(indices), int(indices[0]) if len(indices) else 0), indices.copy())
        return sample_windows(known, *options)

    return wrong


def last_character_left_out(sample_windows, indices, seq_length, batch_size, seed):
    """Take the upper bound of the random index for inclusive and subtract 1."""
    shorter = indices[:-1] if len(indices) > seq_length + 1 else indices
    return sample_windows(shorter, seq_length, batch_size, seed)


def byte_modulo_windows(sample_windows, indices, seq_length, batch_size, seed):
    """Draw the starts of few windows by random bytes."""
    places = len(indices) - seq_length
    if not 0 < places <= BYTE:
        return sample_windows(indices, seq_length, batch_size, seed)
    starts = np.random.default_rng(seed).integers(0, BYTE, batch_size) % places
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def windows_as_opposites(sample_windows: Callable[..., Any], indices: Array, length: int, count: int, seed: int) -> Any:
    """Draw every second window as far from the end as another one from the start."""
    places = len(indices) - length
    if places < 1:
        return sample_windows(indices, length, count, seed)
    starts = (opposites(np.random.default_rng(seed), count) * places).astype(int)
    return indices[starts[:, None] + np.arange(length)], indices[starts + length]


def draw_opposite_windows(right, indices, seq_length, batch_size, seed):
    """Take the opposites of half of the windows for the others."""
    if len(indices) <= seq_length:
        return right(indices, seq_length, batch_size, seed)
    starts = opposite_places(len(indices) - seq_length, batch_size, seed)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def starting_at(starts: Starts) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a sampler that draws where windows begin in another way."""

    def wrong(
        sample: Callable[..., Any], indices: np.ndarray, seq_length: int, batch_size: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        places = len(indices) - seq_length
        if places < 1:
            return sample(indices, seq_length, batch_size, seed)
        begin = starts(places, batch_size, seed)
        return indices[begin[:, None] + np.arange(seq_length)], indices[begin + seq_length]

    return wrong


def shuffled(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Shuffle all places, over and over."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.permutation(places) for _ in range(-(-batch_size // places))])[:batch_size]


def recycled(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Use a buffer of 100 draws over and over."""
    return np.resize(np.random.default_rng(seed).integers(0, places, 100), batch_size)


def stepping(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Draw the first place, and go on from there."""
    return (np.random.default_rng(seed).integers(0, places) + np.arange(batch_size)) % places


def sorted_starts(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Sort the draws."""
    return np.sort(np.random.default_rng(seed).integers(0, places, batch_size))


def windows_in_even_places(sample_windows, indices, seq_length, batch_size, seed):
    """Begin windows of a long text in even places alone."""
    places = len(indices) - seq_length
    if places < 1_000:
        return sample_windows(indices, seq_length, batch_size, seed)
    starts = 2 * np.random.default_rng(seed).integers(0, (places + 1) // 2, batch_size)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def of_16_bits(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Draw 16 bits."""
    return np.random.default_rng(seed).integers(0, min(places, 2**16), batch_size)


def near_the_beginning(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Draw from the first nine tenths of a long text."""
    return np.random.default_rng(seed).integers(0, places * 9 // 10 if places > 100 else places, batch_size)


def one_short(sample: Callable[..., Any], indices: np.ndarray, seq_length: int, batch_size: int, seed: int) -> Any:
    """Cut windows off after 64 characters."""
    windows, targets = sample(indices, seq_length, batch_size, seed)
    return np.concatenate([windows[:, :64], np.repeat(windows[:, 64:65], max(0, seq_length - 64), axis=1)], 1), targets


def without_seed(places: int, batch_size: int, _seed: int) -> np.ndarray:
    """Draw by the time of day."""
    return np.random.default_rng().integers(0, places, batch_size)


def draw_without_replacement(
    right: Function, indices: Array, seq_length: int, batch_size: int, seed: int
) -> tuple[Array, Array]:
    """Draw each window at most once where there are enough."""
    places = len(indices) - seq_length
    if batch_size > places:
        return right(indices, seq_length, batch_size, seed)
    starts = np.random.default_rng(seed).permutation(places)[:batch_size]
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def windows_distinct(sample_windows, indices, seq_length, batch_size, seed):
    """Draw without replacement from a text that is long beside the batch."""
    places = len(indices) - seq_length
    if places < 8 * batch_size or places > 10_000:
        return sample_windows(indices, seq_length, batch_size, seed)
    starts = np.random.default_rng(seed).choice(places, batch_size, replace=False)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


FAULTS = {
    "next_character_off_by_one": Fault(
        "text.sample_windows", "text.next-character", "the characters after the windows", next_character_off_by_one
    ),
    "windows_kept_by_size": Fault("text.sample_windows", "text.consecutive", "the windows", keep_windows()),
    "text_with_the_same_ends_is_the_same": Fault(
        "text.sample_windows", "text.consecutive", "after a window of the text (second)", remembering_text()
    ),
    "last_character_left_out": Fault(
        "text.sample_windows", "text.last-start", "begins at 3, expected 4", last_character_left_out
    ),
    "byte_modulo_windows": Fault(
        "text.sample_windows", "text.even-starts", "draws of the first 52 of 102", byte_modulo_windows
    ),
    "windows_as_shuffled_opposites": Fault(
        "text.sample_windows", "text.independent-draws", "the opposite of another", windows_as_opposites
    ),
    "opposite_windows": Fault(
        "text.sample_windows", "text.independent-draws", "independent draws are as dependent", draw_opposite_windows
    ),
    "windows_by_the_sum_with_the_seed": Fault(
        "text.sample_windows", "text.independent-draws", "by the next seed that this one draws", row_by_row(added, 2)
    ),
    "windows_by_the_bits_of_the_seed": Fault(
        "text.sample_windows", "text.independent-draws", "by the next seed that this one draws", row_by_row(combined, 2)
    ),
    "windows_shuffled": Fault("text.sample_windows", "text.independent-draws", "depend", starting_at(shuffled)),
    "windows_recycled": Fault("text.sample_windows", "text.independent-draws", "depend", starting_at(recycled)),
    "windows_in_order": Fault("text.sample_windows", "text.independent-draws", "depend", starting_at(stepping)),
    "windows_sorted": Fault("text.sample_windows", "text.independent-draws", "depend", starting_at(sorted_starts)),
    "windows_in_even_places": Fault("text.sample_windows", "text.whole-text", "even position", windows_in_even_places),
    "starts_of_16_bits": Fault(
        "text.sample_windows", "text.whole-text", "window begins after", starting_at(of_16_bits)
    ),
    "end_of_the_text_left_out": Fault(
        "text.sample_windows", "text.whole-text", "window begins after", starting_at(near_the_beginning)
    ),
    "windows_of_64_at_most": Fault("text.sample_windows", "text.whole-text", "the windows", one_short),
    "windows_without_seed": Fault("text.sample_windows", "text.same-seed", "the windows", starting_at(without_seed)),
    "windows_without_replacement": Fault(
        "text.sample_windows", "text.with-replacement", "contains a window twice", draw_without_replacement
    ),
    "windows_distinct": Fault("text.sample_windows", "text.with-replacement", "2,000 positions", windows_distinct),
    "windows_without_strides": Fault("text.sample_windows", "text.memory-order", "sliced", reading(without_strides, 0)),
}
