"""Faults of the training on a text: which windows it draws, and its seed."""

from __future__ import annotations

import numpy as np

from assay.alternatives.numpy.models import rnn
from assay.alternatives.numpy.text import draw_windows
from doubles.faulty import Fault
from doubles.initial_draws import layers_drawn_in_turn
from doubles.memory_order import reading, without_strides
from doubles.narrow_numbers import in_a_byte
from doubles.text_program import Program
from doubles.training_loops import fit_of_16_bits, fitting_text, places_of_16_bits, trained_on_batches


def byte_after_the_window(indices, seq_length, batch_size, generator):
    """Keep the characters after the windows in bytes with a sign."""
    windows, targets = draw_windows(indices, seq_length, batch_size, generator)
    return windows, in_a_byte(targets, np.int8)


def windows_of_16_bits(indices, seq_length, batch_size, generator):
    """Draw 16 bits for the beginning of a window."""
    starts = places_of_16_bits(generator, len(indices) - seq_length, batch_size)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def in_order(places: int, batch_size: int, _generator: np.random.Generator, step: int) -> np.ndarray:
    """Read the text from its beginning to its end."""
    return (step * batch_size + np.arange(batch_size)) % places


def without_replacement(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Shuffle all places, over and over."""
    return np.concatenate([generator.permutation(places) for _ in range(-(-batch_size // places))])[:batch_size]


def without_replacement_if_possible(
    places: int, batch_size: int, generator: np.random.Generator, _step: int
) -> np.ndarray:
    """Draw each place at most once, unless a batch holds more windows than the text has."""
    return generator.choice(places, batch_size, replace=batch_size > places)


def each_twice(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw half as many places, and use each twice."""
    return np.repeat(generator.integers(0, places, -(-batch_size // 2)), 2)[:batch_size]


def one_for_the_batch(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw one place for all windows of a batch."""
    return np.repeat(generator.integers(0, places), batch_size)


def first_half(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Never draw the second half of the windows."""
    return generator.integers(0, max(1, places // 2), batch_size)


def all_but_the_last(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Take the upper bound for inclusive, and subtract 1."""
    return generator.integers(0, max(1, places - 1), batch_size)


def mostly_the_first(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw places near the beginning more often."""
    return (places * generator.random(batch_size) ** 2).astype(int)


def text_fit_adds_steps_to_the_seed(
    _fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed
):
    """Draw each batch with a generator of its own, of the seed plus the number of the step."""
    places = len(indices) - seq_length
    draws = (np.random.default_rng(seed + step).integers(0, places, batch_size) for step in range(num_batches))
    batches = ((indices[some[:, None] + np.arange(seq_length)], indices[some + seq_length]) for some in draws)
    return trained_on_batches(rnn(num_chars), seed, learning_rate, batches)


def batches_each_twice(places: int, batch_size: int, generator: np.random.Generator, step: int) -> np.ndarray:
    """Use each batch for two steps."""
    seed = generator.bit_generator.seed_seq.entropy
    return np.random.default_rng((seed, step // 2)).integers(0, places, batch_size)


def two_batches_in_turn(places: int, batch_size: int, _generator: np.random.Generator, step: int) -> np.ndarray:
    """Use two buffers of random numbers over and over."""
    return np.random.default_rng(step % 2).integers(0, places, batch_size)


def the_same_windows_always(places: int, batch_size: int, _generator: np.random.Generator, step: int) -> np.ndarray:
    """Draw windows without regard to the seed."""
    return np.random.default_rng(step).integers(0, places, batch_size)


FAULTS = {
    "fitted_to_bytes": Fault(
        "text.fit",
        "rnn_training.batches",
        "which is not the mean over 1 windows",
        fitting_text(draw=byte_after_the_window),
    ),
    "text_windows_backwards": Fault(
        "text.fit",
        "rnn_training.batches",
        "not the mean over 50 windows",
        Program(batch=lambda windows, targets: (windows[:, ::-1].copy(), targets)),
    ),
    "text_targets_one_early": Fault(
        "text.fit",
        "rnn_training.batches",
        "not the mean over 50 windows",
        Program(batch=lambda windows, _targets: (windows, windows[:, -1].copy())),
    ),
    "text_targets_shuffled": Fault(
        "text.fit",
        "rnn_training.batches",
        "not the mean over 50 windows",
        Program(batch=lambda windows, targets: (windows, np.roll(targets, 1))),
    ),
    "text_windows_one_short": Fault(
        "text.fit", "rnn_training.batches", "not the mean over 50 windows", Program(length=lambda length: length - 1)
    ),
    "text_batches_of_64": Fault(
        "text.fit", "rnn_training.batches", "not the mean over 50 windows", Program(size=lambda _size: 64)
    ),
    "text_batches_of_33": Fault(
        "text.fit", "rnn_training.batches", "not the mean over 50 windows", Program(size=lambda size: min(size, 33))
    ),
    "text_batches_one_short": Fault(
        "text.fit", "rnn_training.batches", "not the mean", Program(size=lambda size: max(1, size - 1))
    ),
    "text_losses_summed": Fault(
        "text.fit", "rnn_training.batches", "not the mean", Program(losses=lambda curve: 50 * curve)
    ),
    "text_losses_smoothed": Fault(
        "text.fit",
        "rnn_training.batches",
        "not the mean",
        Program(losses=lambda curve: (np.cumsum(curve) / np.arange(1, len(curve) + 1)).astype(np.float32)),
    ),
    "text_losses_in_bits": Fault(
        "text.fit", "rnn_training.batches", "not the mean", Program(losses=lambda curve: curve / np.float32(np.log(2)))
    ),
    "text_batches_of_even_size": Fault(
        "text.fit", "rnn_training.batches", "not the mean over 67 windows", Program(size=lambda n: max(1, n - n % 2))
    ),
    "text_fit_draws_16_bits": Fault(
        "text.fit", "rnn_training.even-draws", "the last third", fitting_text(draw=windows_of_16_bits)
    ),
    "text_read_in_order": Fault("text.fit", "rnn_training.even-draws", "with replacement", Program(draw=in_order)),
    "text_without_replacement": Fault(
        "text.fit", "rnn_training.even-draws", "with replacement", Program(draw=without_replacement)
    ),
    "text_without_replacement_if_possible": Fault(
        "text.fit", "rnn_training.even-draws", "draws with replacement", Program(draw=without_replacement_if_possible)
    ),
    "text_each_window_twice": Fault(
        "text.fit", "rnn_training.even-draws", "an even number of windows of each kind", Program(draw=each_twice)
    ),
    "text_one_window_for_a_batch": Fault(
        "text.fit", "rnn_training.even-draws", "with replacement", Program(draw=one_for_the_batch)
    ),
    "text_second_half_never_drawn": Fault(
        "text.fit", "rnn_training.even-draws", "with replacement", Program(draw=first_half)
    ),
    "text_last_window_never_drawn": Fault(
        "text.fit", "rnn_training.even-draws", "with replacement", Program(draw=all_but_the_last)
    ),
    "text_beginning_more_often": Fault(
        "text.fit", "rnn_training.even-draws", "with replacement", Program(draw=mostly_the_first)
    ),
    "text_fit_adds_steps_to_the_seed": Fault(
        "text.fit", "rnn_training.new-draws", "shifted by", text_fit_adds_steps_to_the_seed
    ),
    "text_fit_layers_in_turn": Fault(
        "text.fit",
        "rnn_training.new-draws",
        "of the next are made of the same numbers",
        fitting_text(initial=layers_drawn_in_turn),
    ),
    "text_each_batch_twice": Fault(
        "text.fit",
        "rnn_training.new-draws",
        "with the same counts as the batch 1 later",
        Program(draw=batches_each_twice),
    ),
    "text_batches_repeated": Fault(
        "text.fit", "rnn_training.new-draws", "repeat after", Program(draw=two_batches_in_turn)
    ),
    "text_fit_seed_of_16_bits": Fault("text.fit", "rnn_training.seeds", "draw the same initial", fit_of_16_bits),
    "text_windows_without_seed": Fault(
        "text.fit", "rnn_training.seeds", "draw the same windows", Program(draw=the_same_windows_always)
    ),
    "text_fit_without_strides": Fault(
        "text.fit", "rnn_training.memory-order", "is not the mean", reading(without_strides, 0)
    ),
}
