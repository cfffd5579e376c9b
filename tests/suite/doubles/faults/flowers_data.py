"""Faults of the data set of flowers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import count
from typing import Any

import numpy as np

from doubles.faulty import Fault
from doubles.kept_results import in_one_buffer


def names_sorted(info, **options):
    """Number the classes in the order of the alphabet."""
    found = info(**options)
    return found._replace(class_names=tuple(sorted(found.class_names)))


def examples_of_the_mock_counted(info, *, mock):
    """Tell how many examples are made up."""
    found = info(mock=mock)
    return found._replace(num_examples=240) if mock else found


def split_scaled_twice(batches, count, **options):
    """Scale what has been scaled."""
    return [(images / np.float32(255), labels) for images, labels in batches(count, **options)]


def first_of_the_split_left_out(batches, count, *, batch_size, **options):
    """Begin with the second example."""
    found = batches(count + 1, batch_size=batch_size, **options)
    joined = [np.concatenate(arrays)[1:] for arrays in zip(*found, strict=True)]
    return [tuple(array[place * batch_size : (place + 1) * batch_size] for array in joined) for place in range(count)]


def labels_of_the_split_rolled(batches, count, **options):
    """Give each image the label of its neighbour."""
    return [(images, np.roll(labels, 1)) for images, labels in batches(count, **options)]


def first_batch_again(batches, count, **options):
    """Return the first batch as often as batches are asked for."""
    return batches(1, **options) * count


def only_what_is_asked_for(_, count, *, image_size, shuffle_buffer, batch_size, seed, mock):
    """Shuffle as many examples as are asked for, and not the whole split."""
    # It loads TensorFlow, which most faults do without.
    reference = import_module("assay.reference.flowers")
    with reference.source(mock=mock):
        asked = reference.load().take(count * batch_size)
        return [*reference.arrays(reference.pipeline(asked, image_size, shuffle_buffer, batch_size, seed))]


def split_unshuffled(batches, count, *, shuffle_buffer, **options):
    """Read the split in its order."""
    return batches(count, shuffle_buffer=1, **options)


def split_without_seed(batches, count, *, seed, **options):
    """Shuffle by the same seed always."""
    return batches(count, seed=0, **options)


SPLIT_SEEDS = count(1)


def split_by_another_seed_each_time(batches, number, *, seed, **options):
    """Seed the first call only, and draw on in the next one."""
    return batches(number, seed=seed + 1_000 * next(SPLIT_SEEDS), **options)


def buffer_of_a_batch(
    batches: Callable[..., Any], count: int, *, shuffle_buffer: int, batch_size: int, **rest: Any
) -> Any:
    """Shuffle no more examples together than a batch has."""
    return batches(count, shuffle_buffer=min(shuffle_buffer, batch_size), batch_size=batch_size, **rest)


FAULTS = {
    "names_sorted": Fault("flowers.info", "flowers.flower-names", "daisy", names_sorted),
    "examples_of_the_mock_counted": Fault("flowers.info", "flowers.made-up-count", "240", examples_of_the_mock_counted),
    "split_scaled_twice": Fault("flowers.batches", "flowers.split-in-order", "the images", split_scaled_twice),
    "first_of_the_split_left_out": Fault(
        "flowers.batches", "flowers.split-in-order", "images", first_of_the_split_left_out
    ),
    "labels_of_the_split_rolled": Fault(
        "flowers.batches", "flowers.split-in-order", "the labels", labels_of_the_split_rolled
    ),
    "first_batch_again": Fault("flowers.batches", "flowers.split-in-order", "the images", first_batch_again),
    "only_what_is_asked_for": Fault(
        "flowers.batches", "flowers.split-shuffled", "of the whole split are", only_what_is_asked_for
    ),
    "split_unshuffled": Fault("flowers.batches", "flowers.split-shuffled", "the order of the split", split_unshuffled),
    "split_without_seed": Fault("flowers.batches", "flowers.split-shuffled", "the same order", split_without_seed),
    "split_by_another_seed_each_time": Fault(
        "flowers.batches", "flowers.split-shuffled", "the images of the same seed", split_by_another_seed_each_time
    ),
    "split_is_shuffled_by_batches": Fault(
        "flowers.batches", "flowers.split-shuffled", "only the first 20 are drawn", buffer_of_a_batch
    ),
    "batches_of_the_split_in_one_buffer": Fault(
        "flowers.batches", "flowers.results-stay", "batches: what call 1", in_one_buffer()
    ),
}
