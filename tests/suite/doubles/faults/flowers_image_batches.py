"""Faults of the pipeline of images: their size, scale and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assay.contract import Array, Pair
from assay.spec.semantics.datasets import resize
from doubles.faulty import Fault
from doubles.image_pipeline import working
from doubles.kept_results import in_one_buffer, keeping_results


def three_channels_at_most(batches, images, labels, **options):
    """Drop what comes after red, green and blue."""
    found = batches([image[..., :3] for image in images], labels, **options)
    more = images[0].shape[-1] - 3
    return [(np.pad(one, [(0, 0)] * 3 + [(0, max(more, 0))]), its) for one, its in found]


def corners_aligned(image, size):
    """Put the outermost pixels onto each other."""
    result = image.astype(np.float64)
    for axis, length in enumerate(size):
        centre = np.linspace(0, image.shape[axis] - 1, length)
        before = np.floor(centre).astype(int)
        share = np.expand_dims(centre - before, tuple(range(1, image.ndim - axis)))
        after = np.minimum(before + 1, image.shape[axis] - 1)
        result = np.take(result, before, axis) * (1 - share) + np.take(result, after, axis) * share
    return result / 255


def square_images_transposed(image_batches, *arguments, image_size, **options):
    """Exchange rows and columns of square images."""
    found = image_batches(*arguments, image_size=image_size, **options)
    if image_size[0] != image_size[1]:
        return found
    return [(images.swapaxes(1, 2), labels) for images, labels in found]


def letterboxed(image, size):
    """Keep the proportions, and leave the rest black."""
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    inner = tuple(max(1, round(length * scale)) for length in image.shape[:2])
    canvas = np.zeros((*size, image.shape[2]))
    canvas[: inner[0], : inner[1]] = resize(image, inner)
    return canvas


def halved_while_large(image, size):
    """Leave out every second row and column, as long as four times as many as needed remain."""
    while min(image.shape[:2]) >= 4 * max(size):
        image = image[::2, ::2]
    return resize(image, size)


def nearest(image, size):
    """Take the nearest pixel."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, image.shape, strict=False)
    )
    return image[rows][:, columns] / 255


def doubling(image_batches: Callable[..., Any], images: Sequence[Array], labels: Array, **options: Any) -> Any:
    """Repeat pixels if an image is enlarged exactly twice."""
    size = options["image_size"]
    larger = [one.repeat(2, 0).repeat(2, 1) if (2 * one.shape[0], 2 * one.shape[1]) == size else one for one in images]
    return image_batches(larger, labels, **options)


def _average(image: Array, size: Pair) -> Array:
    rows, columns = (length // final for length, final in zip(image.shape, size, strict=False))
    if min(rows, columns) < 4:
        return image
    blocks = image[: rows * size[0], : columns * size[1]].reshape(size[0], rows, size[1], columns, -1)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)


def averaging(image_batches: Callable[..., Any], images: Sequence[Array], labels: Array, **options: Any) -> Any:
    """Average pixels if an image is much larger."""
    return image_batches([_average(one, options["image_size"]) for one in images], labels, **options)


def whole_levels(image, size):
    """Round to whole levels of grey."""
    return np.rint(resize(image, size) * 255) / 255


def divided_by_256(image, size):
    """Scale by the number of levels."""
    return resize(image, size) * (255 / 256)


def centred(image, size):
    """Scale to -1 to 1."""
    return 2 * resize(image, size) - 1


def images_not_scaled(image_batches, images, labels, **options):
    """Leave the numbers between 0 and 255."""
    return [(batch * np.float32(255), found) for batch, found in image_batches(images, labels, **options)]


def batches_shuffled(images, labels, batch_size, generator):
    """Shuffle within each batch again, and the labels otherwise than the images."""
    places = [
        generator.permutation(np.arange(len(labels))[start : start + batch_size])
        for start in range(0, len(labels), batch_size)
    ]
    return images, labels[np.concatenate(places)]


def labels_of_8_bits(image_batches, images, labels, **options):
    """Store labels as bytes."""
    return [(found, kept.astype(np.uint8).astype(np.int32)) for found, kept in image_batches(images, labels, **options)]


def last_left_out(image_batches, images, labels, *, batch_size, **options):
    """Drop what does not fill a batch."""
    batches = image_batches(images, labels, batch_size=batch_size, **options)
    return [batch for batch in batches if len(batch[1]) == batch_size]


def epochs_joined(image_batches, images, labels, *, batch_size, **options):
    """Batch all epochs together."""
    batches = image_batches(images, labels, batch_size=batch_size, **options)
    joined = [np.concatenate(arrays) for arrays in zip(*batches, strict=True)]
    return [
        tuple(array[start : start + batch_size] for array in joined) for start in range(0, len(joined[1]), batch_size)
    ]


def empty_batch_at_the_end(image_batches, images, labels, *, batch_size, **options):
    """End an epoch with an empty batch where nothing is left."""
    batches = image_batches(images, labels, batch_size=batch_size, **options)
    empty = tuple(array[:0] for array in batches[-1])
    return [*batches, empty] if len(batches[-1][1]) == batch_size and batch_size > 1 else batches


def one_left_over_left_out(image_batches, *arguments, batch_size, **options):
    """Leave out a last batch of one, which Batch Normalisation could not be trained on."""
    found = image_batches(*arguments, batch_size=batch_size, **options)
    return [batch for batch in found if len(batch[1]) > 1 or batch_size == 1 or len(found) == options["epochs"]]


FAULTS = {
    "three_channels_at_most": Fault("flowers.image_batches", "flowers.resize", "image", three_channels_at_most),
    "corners_aligned": Fault("flowers.image_batches", "flowers.resize", "image", working(resized=corners_aligned)),
    "square_images_transposed": Fault("flowers.image_batches", "flowers.resize", "image", square_images_transposed),
    "letterboxed": Fault("flowers.image_batches", "flowers.resize-each", "image 1", working(resized=letterboxed)),
    "halved_while_large": Fault(
        "flowers.image_batches", "flowers.resize-each", "(200, 300)", working(resized=halved_while_large)
    ),
    "nearest_pixel": Fault("flowers.image_batches", "flowers.resize-each", "image", working(resized=nearest)),
    "enlarged_twice_by_repeating": Fault(
        "flowers.image_batches", "flowers.resize-each", "an image of (4, 6)", doubling
    ),
    "much_larger_images_are_averaged": Fault(
        "flowers.image_batches", "flowers.resize-each", "an image of (40, 60)", averaging
    ),
    "whole_levels": Fault(
        "flowers.image_batches", "flowers.resize-keeps-fractions", "image 0", working(resized=whole_levels)
    ),
    "divided_by_the_levels": Fault(
        "flowers.image_batches", "flowers.scaled-to-1", "0.996", working(resized=divided_by_256)
    ),
    "scaled_around_0": Fault("flowers.image_batches", "flowers.scaled-to-1", "-1", working(resized=centred)),
    "images_not_scaled": Fault("flowers.image_batches", "flowers.scaled-to-1", "255", images_not_scaled),
    "labels_shuffled_again": Fault(
        "flowers.image_batches", "flowers.labels-stay", "the labels", working(batched=batches_shuffled)
    ),
    "labels_of_8_bits": Fault("flowers.image_batches", "flowers.labels-stay", "the labels", labels_of_8_bits),
    "last_left_out": Fault("flowers.image_batches", "flowers.last-batch", "4", last_left_out),
    "epochs_joined": Fault("flowers.image_batches", "flowers.last-batch", "4", epochs_joined),
    "empty_batch_at_the_end": Fault("flowers.image_batches", "flowers.batches-of-few", "0", empty_batch_at_the_end),
    "one_left_over_left_out": Fault("flowers.image_batches", "flowers.batches-of-few", "4, 4", one_left_over_left_out),
    "batches_in_one_buffer": Fault(
        "flowers.image_batches", "flowers.results-stay", "image_batches: what call 1", in_one_buffer()
    ),
    "flowers_image_batches_kept_whatever_labels": Fault(
        "flowers.image_batches",
        "flowers.results-stay",
        "image_batches returns the same as before for another",
        keeping_results("flowers.image_batches", "labels"),
    ),
    "flowers_image_batches_kept_whatever_epochs": Fault(
        "flowers.image_batches",
        "flowers.results-stay",
        "image_batches returns the same as before for another",
        keeping_results("flowers.image_batches", "epochs"),
    ),
}
