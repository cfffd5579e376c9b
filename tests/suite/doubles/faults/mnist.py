"""Faults of the handwritten digits: how they are prepared and drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from assay.contract import Array
from doubles.dependent_draws import added, opposite_places, opposites, row_by_row
from doubles.faulty import Fault
from doubles.memory_order import (
    ignoring_gaps,
    in_memory_order,
    reading,
    single_example_in_memory_order,
    without_strides,
)

BYTE = 2**8


def divided_by_256(preprocess, images, labels):
    """Scale by the number of grey levels instead of the largest one."""
    scaled, classes = preprocess(images, labels)
    return scaled * np.float32(255 / 256), classes


def labels_in_8_bits(preprocess, images, labels):
    """Read labels as numbers with a sign."""
    scaled, _ = preprocess(images, labels)
    return scaled, labels.astype(np.int8).astype(np.int32)


def pixels_in_7_bits(preprocess, images, labels):
    """Read grey levels as numbers with a sign."""
    scaled, classes = preprocess(images, labels)
    return np.where(images[..., None] > 127, scaled - np.float32(256 / 255), scaled).astype(np.float32), classes


def scaled_by_the_largest(preprocess, images, labels):
    """Divide by the largest pixel."""
    scaled, classes = preprocess(images, labels)
    return scaled / max(scaled.max(), np.float32(1e-6)), classes


def single_image_squeezed(preprocess, images, labels):
    """Lose the axis of the examples where there is one."""
    scaled, classes = preprocess(images, labels)
    return (scaled[0], classes) if len(images) == 1 else (scaled, classes)


def large_data_sets_in_float16(preprocess, images, labels):
    """Round many images to float16."""
    scaled, converted = preprocess(images, labels)
    return (scaled.astype(np.float16).astype(np.float32) if len(images) > BYTE else scaled), converted


def shuffled_images(preprocess, images, labels):
    """Change the order of the images, and not that of the labels, where there are many."""
    scaled, classes = preprocess(images, labels)
    return (scaled[::-1].copy() if len(images) > 1_000 else scaled), classes


def shuffled_pairs(preprocess, images, labels):
    """Change the order of the examples, where there are many."""
    scaled, classes = preprocess(images, labels)
    order = np.random.default_rng(0).permutation(len(images)) if len(images) > 10 else slice(None)
    return scaled[order], classes[order]


def rows_and_columns_of_mnist(preprocess, images, labels):
    """Take every image of 784 pixels for one of 28 rows."""
    scaled, classes = preprocess(images, labels)
    return (scaled.reshape(-1, 28, 28, 1) if scaled[0].size == 784 else scaled), classes


def rows_and_columns_swapped(preprocess, images, labels):
    """Transpose every image."""
    return preprocess(images.swapaxes(1, 2), labels)


@lru_cache
def _drawn_again(sample_batch, images, labels, shape, batch_size, seed):
    images = np.frombuffer(images, np.float32).reshape(shape)
    return sample_batch(images, np.frombuffer(labels, np.int32), batch_size, seed)


def batches_returned_again(sample_batch, images, labels, batch_size, seed):
    """Return the same arrays for the same sizes and seed, if they were drawn from the same examples."""
    return _drawn_again(sample_batch, images.tobytes(), labels.tobytes(), images.shape, batch_size, seed)


def single_example_alone(sample_batch, images, labels, batch_size, seed):
    """Drop the axis of a batch of one."""
    found, classes = sample_batch(images, labels, batch_size, seed)
    return (found[0], classes[0]) if batch_size == 1 else (found, classes)


def images_flattened_by_columns(sample_batch, images, labels, batch_size, seed):
    """Swap rows and columns of square images."""
    some, classes = sample_batch(images, labels, batch_size, seed)
    return some.transpose(0, 2, 1, 3).reshape(some.shape), classes


def labels_drawn_apart(sample_batch, images, labels, batch_size, seed):
    """Draw one index for the images and another one for the labels."""
    drawn, _ = sample_batch(images, labels, batch_size, seed)
    _, others = sample_batch(images, labels, batch_size, seed + 1)
    return drawn, others


def large_batches_mislabelled(sample_batch, images, labels, batch_size, seed):
    """Reverse the labels of a large batch."""
    found, classes = sample_batch(images, labels, batch_size, seed)
    return found, classes if batch_size < 100 else classes[::-1].copy()


def last_example_never_drawn(sample_batch, images, labels, batch_size, seed):
    """Take the upper bound of the random index for inclusive and subtract 1."""
    return sample_batch(images[:-1], labels[:-1], batch_size, seed)


def balanced_classes(sample_batch, images, labels, batch_size, seed):
    """Draw a label first, and then an example that has it."""
    generator, classes = np.random.default_rng(seed), np.unique(labels)
    if len(classes) != 2:
        return sample_batch(images, labels, batch_size, seed)
    places = [generator.choice(np.flatnonzero(labels == one)) for one in generator.choice(classes, batch_size)]
    return images[places], labels[places]


def byte_modulo_examples(sample_batch, images, labels, batch_size, seed):
    """Draw few examples by random bytes."""
    if len(images) > BYTE:
        return sample_batch(images, labels, batch_size, seed)
    places = np.random.default_rng(seed).integers(0, BYTE, batch_size) % len(images)
    return images[places], labels[places]


def distinct_where_many(sample_batch, images, labels, batch_size, seed):
    """Draw without replacement from much more than the batch takes."""
    if batch_size > len(images) // 8:
        return sample_batch(images, labels, batch_size, seed)
    places = np.random.default_rng(seed).choice(len(images), batch_size, replace=False)
    return images[places], labels[places]


def drawn_by(places):
    """Return a wrong `sample_batch` that draws the places otherwise: (count, batch size, seed) to places."""

    def wrong(_right, images, labels, batch_size, seed):
        some = places(len(images), batch_size, seed)
        return images[some], labels[some]

    return wrong


def not_repeated(examples, batch_size, seed):
    """Draw without replacement where there are enough examples."""
    return np.random.default_rng(seed).choice(examples, batch_size, replace=batch_size >= examples)


def of_15_bits(examples, batch_size, seed):
    """Let the places overflow."""
    return np.random.default_rng(seed).integers(0, examples, batch_size) % 2**15


def first_never(examples, batch_size, seed):
    """Count examples from 1."""
    return np.minimum(np.random.default_rng(seed).integers(1, max(2, examples), batch_size), examples - 1)


def examples_as_opposites(
    _sample_batch: Callable[..., Any], images: Array, labels: Array, count: int, seed: int
) -> Any:
    """Draw every second example as far from the end as another one from the start."""
    index = (opposites(np.random.default_rng(seed), count) * len(images)).astype(int)
    return images[index], labels[index]


def draw_opposite_examples(right, images, labels, batch_size, seed):
    """Take the opposites of half of the examples for the others."""
    del right
    places = opposite_places(len(images), batch_size, seed)
    return images[places], labels[places]


def half_drawn(examples, batch_size, seed):
    """Draw half of a batch, and double it."""
    return np.resize(np.random.default_rng(seed).integers(0, examples, -(-batch_size // 2)), batch_size)


def from_a_start(examples, batch_size, seed):
    """Draw where a batch begins."""
    return (np.random.default_rng(seed).integers(examples) + np.arange(batch_size)) % examples


def by_half_of_the_seed(examples, batch_size, seed):
    """Draw the same for two seeds in a row, but for long batches."""
    return np.random.default_rng(seed // 2 if batch_size == 1 else seed).integers(0, examples, batch_size)


def by_8_bits_of_the_seed(examples, batch_size, seed):
    """Lose the upper bits of the seed."""
    return np.random.default_rng(seed % 256).integers(0, examples, batch_size)


def pixels_clipped(sample_batch, images, labels, batch_size, seed):
    """Keep pixels between 0 and 1."""
    some, classes = sample_batch(images, labels, batch_size, seed)
    return np.clip(some, -0.0, images.max() if images.min() >= 0 else 1).astype(np.float32), classes


FAULTS = {
    "divided_by_256": Fault("datasets.preprocess", "mnist.scaled-range", "actual 0.996", divided_by_256),
    "labels_in_8_bits": Fault("datasets.preprocess", "mnist.every-grey-level", "labels above 127", labels_in_8_bits),
    "pixels_in_7_bits": Fault("datasets.preprocess", "mnist.every-grey-level", "the images", pixels_in_7_bits),
    "scaled_by_the_largest": Fault("datasets.preprocess", "mnist.one-image", "one image of 1", scaled_by_the_largest),
    "single_image_squeezed": Fault("datasets.preprocess", "mnist.one-image", "has shape", single_image_squeezed),
    "large_data_sets_in_float16": Fault(
        "datasets.preprocess", "mnist.order-kept", "1797 of 2062 elements", large_data_sets_in_float16
    ),
    "images_shuffled": Fault("datasets.preprocess", "mnist.order-kept", "the position of each image", shuffled_images),
    "examples_shuffled": Fault("datasets.preprocess", "mnist.order-kept", "the position of each image", shuffled_pairs),
    "preprocess_ignores_gaps": Fault(
        "datasets.preprocess", "mnist.preprocess-memory-order", "images cropped from larger ones", ignoring_gaps(0)
    ),
    "rows_of_mnist": Fault(
        "datasets.preprocess", "mnist.pixels-stay", "expected [3, 14, 56, 1]", rows_and_columns_of_mnist
    ),
    "rows_and_columns_swapped": Fault(
        "datasets.preprocess", "mnist.image-axes", "[[1, 5, 3, 0]]", rows_and_columns_swapped
    ),
    "batches_returned_again": Fault(
        "datasets.sample_batch", "mnist.results-stay", "after its result was changed", batches_returned_again
    ),
    "batch_of_memory": Fault(
        "datasets.sample_batch", "mnist.batch-memory-order", "transposed", reading(in_memory_order, 0)
    ),
    "batch_without_strides": Fault(
        "datasets.sample_batch", "mnist.batch-memory-order", "sliced", reading(without_strides, 1)
    ),
    "only_image_in_memory_order": Fault(
        "datasets.sample_batch", "mnist.batch-memory-order", "arrays transposed", single_example_in_memory_order
    ),
    "single_example_alone": Fault("datasets.sample_batch", "mnist.batch-size", "batch of 1", single_example_alone),
    "drawn_images_by_columns": Fault(
        "datasets.sample_batch", "mnist.batch-from-data", "is not in the data set", images_flattened_by_columns
    ),
    "labels_drawn_apart": Fault(
        "datasets.sample_batch", "mnist.batch-pairs", "the labels of the batch", labels_drawn_apart
    ),
    "large_batches_mislabelled": Fault(
        "datasets.sample_batch", "mnist.batch-pairs", "labels", large_batches_mislabelled
    ),
    "last_example_never_drawn": Fault(
        "datasets.sample_batch", "mnist.every-index", "[0, 1, 2, 3], expected all", last_example_never_drawn
    ),
    "balanced_classes": Fault("datasets.sample_batch", "mnist.uniform-draws", "its label", balanced_classes),
    "byte_modulo_examples": Fault(
        "datasets.sample_batch", "mnist.uniform-draws", "draws of the first 52 of 102", byte_modulo_examples
    ),
    "distinct_where_many": Fault(
        "datasets.sample_batch", "mnist.small-batches-repeat", "250 of 2,000", distinct_where_many
    ),
    "not_repeated": Fault(
        "datasets.sample_batch",
        "mnist.small-batches-repeat",
        "two equal examples of three: 0 of",
        drawn_by(not_repeated),
    ),
    "places_of_15_bits": Fault("datasets.sample_batch", "mnist.ends-are-drawn", "of twelfth", drawn_by(of_15_bits)),
    "first_never_drawn": Fault(
        "datasets.sample_batch", "mnist.ends-are-drawn", "draws of example 0 of 3: 0", drawn_by(first_never)
    ),
    "examples_as_shuffled_opposites": Fault(
        "datasets.sample_batch", "mnist.draws-are-independent", "were the opposite of another", examples_as_opposites
    ),
    "opposite_examples": Fault(
        "datasets.sample_batch", "mnist.draws-are-independent", "look as dependent as", draw_opposite_examples
    ),
    "examples_by_the_sum_with_the_seed": Fault(
        "datasets.sample_batch",
        "mnist.draws-are-independent",
        "by the next seed that this one draws",
        row_by_row(added, 2),
    ),
    "half_drawn": Fault("datasets.sample_batch", "mnist.draws-are-independent", "the same", drawn_by(half_drawn)),
    "from_a_start": Fault(
        "datasets.sample_batch", "mnist.draws-are-independent", "1 draws later: 0 of", drawn_by(from_a_start)
    ),
    "half_of_the_seed": Fault(
        "datasets.sample_batch", "mnist.draws-are-independent", "for the next seed", drawn_by(by_half_of_the_seed)
    ),
    "batch_seed_of_8_bits": Fault(
        "datasets.sample_batch", "mnist.batch-seed", "draw the same batch", drawn_by(by_8_bits_of_the_seed)
    ),
    "pixels_clipped": Fault(
        "datasets.sample_batch", "mnist.images-as-they-are", "the images of the batch", pixels_clipped
    ),
}
