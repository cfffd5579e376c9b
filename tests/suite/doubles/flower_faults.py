"""Faults of the pipeline of images, and of the data set that goes through it."""

from itertools import count

import numpy as np

from assay.spec.semantics.datasets import resize
from doubles.faulty import Fault


def buffered(count, buffer, generator):
    """Draw each next place from a buffer that the following one fills up."""
    held, order = [*range(min(buffer, count))], []
    for place in range(count):
        order.append(held.pop(generator.integers(len(held))))
        held += [place + buffer] if place + buffer < count else []
    return order


def oldest_preferred(count, buffer, generator):
    """Take the oldest image of the buffer in one of four draws."""
    held, order = [*range(min(buffer, count))], []
    for place in range(count):
        order.append(held.pop(0 if generator.random() < 1 / 4 else generator.integers(len(held))))
        held += [place + buffer] if place + buffer < count else []
    return order


def place_kept(count, buffer, generator):
    """Draw one place of the buffer, and take the image that is there each time."""
    held, order, drawn = [*range(min(buffer, count))], [], generator.integers(buffer)
    for place in range(count):
        order.append(held.pop(min(drawn, len(held) - 1)))
        held += [place + buffer] if place + buffer < count else []
        drawn = generator.integers(buffer) if place % 4 == 3 else drawn
    return order


def by_blocks(count, buffer, generator):
    """Shuffle one buffer after the other, each by itself."""
    blocks = [generator.permutation(np.arange(start, min(start + buffer, count))) for start in range(0, count, buffer)]
    return np.concatenate(blocks).tolist()


def working(order=buffered, resized=resize, batched=None):
    """Return a fault that is a pipeline of its own.

    Args:
        order: Function from the number of images, the buffer and a generator to the places of an epoch.
        resized: Function from an image and a size to the image between 0 and 1.
        batched: Function from the images and labels of an epoch to batches; None for the right one.

    """

    def image_batches(_right, images, labels, *, image_size, shuffle_buffer, batch_size, epochs, seed):
        generator, batches = np.random.default_rng(seed), []
        for _ in range(epochs):
            places = order(len(images), shuffle_buffer, generator)
            made = np.stack([resized(images[place], image_size) for place in places]).astype(np.float32)
            found = made, labels[places]
            if batched:
                found = batched(*found, batch_size, generator)
            starts = range(0, len(found[0]), batch_size)
            batches += [tuple(array[start : start + batch_size] for array in found) for start in starts]
        return batches

    return image_batches


def halved_while_large(image, size):
    """Leave out every second row and column, as long as four times as many as needed remain."""
    while min(image.shape[:2]) >= 4 * max(size):
        image = image[::2, ::2]
    return resize(image, size)


def batches_shuffled(images, labels, batch_size, generator):
    """Shuffle within each batch again, and the labels otherwise than the images."""
    places = [
        generator.permutation(np.arange(len(labels))[start : start + batch_size])
        for start in range(0, len(labels), batch_size)
    ]
    return images, labels[np.concatenate(places)]


def letterboxed(image, size):
    """Keep the proportions, and leave the rest black."""
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    inner = tuple(max(1, round(length * scale)) for length in image.shape[:2])
    canvas = np.zeros((*size, image.shape[2]))
    canvas[: inner[0], : inner[1]] = resize(image, inner)
    return canvas


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


def nearest(image, size):
    """Take the nearest pixel."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, image.shape, strict=False)
    )
    return image[rows][:, columns] / 255


def whole_levels(image, size):
    """Round to whole levels of grey."""
    return np.rint(resize(image, size) * 255) / 255


def divided_by_256(image, size):
    """Scale by the number of levels."""
    return resize(image, size) * (255 / 256)


def centred(image, size):
    """Scale to -1 to 1."""
    return 2 * resize(image, size) - 1


def buffer_halved(image_batches, images, labels, *, shuffle_buffer, **options):
    """Shuffle in half of the buffer."""
    return image_batches(images, labels, shuffle_buffer=(shuffle_buffer + 1) // 2, **options)


def buffer_one_larger(image_batches, images, labels, *, shuffle_buffer, **options):
    """Hold one image more."""
    return image_batches(images, labels, shuffle_buffer=shuffle_buffer + 1, **options)


def buffer_of_everything(image_batches, images, labels, *, shuffle_buffer, **options):
    """Shuffle the whole data set."""
    return image_batches(images, labels, shuffle_buffer=len(images), **options)


def never_shuffled(image_batches, images, labels, *, shuffle_buffer, **options):
    """Leave the order as it is."""
    return image_batches(images, labels, shuffle_buffer=1, **options)


def whole_batches_shuffled(image_batches, images, labels, *, shuffle_buffer, seed, epochs, **options):
    """Shuffle after batching."""
    batches = image_batches(images, labels, shuffle_buffer=1, seed=seed, epochs=epochs, **options)
    generator, size = np.random.default_rng(seed), len(batches) // epochs
    places = [epoch * size + place for epoch in range(epochs) for place in generator.permutation(size)]
    return [batches[place] for place in places]


def last_left_out(image_batches, images, labels, *, batch_size, **options):
    """Drop what does not fill a batch."""
    batches = image_batches(images, labels, batch_size=batch_size, **options)
    return [batch for batch in batches if len(batch[1]) == batch_size]


def empty_batch_at_the_end(image_batches, images, labels, *, batch_size, **options):
    """End an epoch with an empty batch where nothing is left."""
    batches = image_batches(images, labels, batch_size=batch_size, **options)
    empty = tuple(array[:0] for array in batches[-1])
    return [*batches, empty] if len(batches[-1][1]) == batch_size and batch_size > 1 else batches


def epochs_joined(image_batches, images, labels, *, batch_size, **options):
    """Batch all epochs together."""
    batches = image_batches(images, labels, batch_size=batch_size, **options)
    joined = [np.concatenate(arrays) for arrays in zip(*batches, strict=True)]
    return [
        tuple(array[start : start + batch_size] for array in joined) for start in range(0, len(joined[1]), batch_size)
    ]


def every_epoch_reversed(image_batches, images, labels, *, epochs, **options):
    """Go through the second epoch, and every other one, backwards."""
    forward = image_batches(images, labels, epochs=1, **options)
    backward = [tuple(array[::-1].copy() for array in batch) for batch in forward[::-1]]
    return [batch for epoch in range(epochs) for batch in (backward if epoch % 2 else forward)]


def labels_of_8_bits(image_batches, images, labels, **options):
    """Store labels as bytes."""
    return [(found, kept.astype(np.uint8).astype(np.int32)) for found, kept in image_batches(images, labels, **options)]


def seed_without_use(image_batches, images, labels, *, seed, **options):
    """Shuffle by the same seed always."""
    return image_batches(images, labels, seed=0, **options)


def split_unshuffled(batches, count, *, shuffle_buffer, **options):
    """Read the split in its order."""
    return batches(count, shuffle_buffer=1, **options)


def split_scaled_twice(batches, count, **options):
    """Scale what has been scaled."""
    return [(images / np.float32(255), labels) for images, labels in batches(count, **options)]


def split_without_seed(batches, count, *, seed, **options):
    """Shuffle by the same seed always."""
    return batches(count, seed=0, **options)


SPLIT_SEEDS = count(1)


def split_by_another_seed_each_time(batches, number, *, seed, **options):
    """Seed the first call only, and draw on in the next one."""
    return batches(number, seed=seed + 1_000 * next(SPLIT_SEEDS), **options)


def first_of_the_split_left_out(batches, count, *, batch_size, **options):
    """Begin with the second example."""
    found = batches(count + 1, batch_size=batch_size, **options)
    joined = [np.concatenate(arrays)[1:] for arrays in zip(*found, strict=True)]
    return [tuple(array[place * batch_size : (place + 1) * batch_size] for array in joined) for place in range(count)]


def one_left_over_left_out(image_batches, *arguments, batch_size, **options):
    """Leave out a last batch of one, which Batch Normalisation could not be trained on."""
    found = image_batches(*arguments, batch_size=batch_size, **options)
    return [batch for batch in found if len(batch[1]) > 1 or batch_size == 1 or len(found) == options["epochs"]]


def labels_of_the_split_rolled(batches, count, **options):
    """Give each image the label of its neighbour."""
    return [(images, np.roll(labels, 1)) for images, labels in batches(count, **options)]


def first_batch_again(batches, count, **options):
    """Return the first batch as often as batches are asked for."""
    return batches(1, **options) * count


def names_sorted(info, **options):
    """Number the classes in the order of the alphabet."""
    found = info(**options)
    return found._replace(class_names=tuple(sorted(found.class_names)))


BATCHES, SPLIT = "flowers.image_batches", "flowers.batches"


def examples_of_the_mock_counted(info, *, mock):
    """Tell how many examples are made up."""
    found = info(mock=mock)
    return found._replace(num_examples=240) if mock else found


FLOWER_FAULTS = {
    "examples_of_the_mock_counted": Fault("flowers.info", "flowers.made-up-count", "240", examples_of_the_mock_counted),
    "oldest_preferred": Fault(BATCHES, "flowers.shuffle-evenly", "draws are", working(oldest_preferred)),
    "place_kept": Fault(BATCHES, "flowers.shuffle-evenly", "the same place as before", working(place_kept)),
    "shuffled_by_blocks": Fault(BATCHES, "flowers.shuffle-evenly", "draws are", working(by_blocks)),
    "buffer_halved": Fault(BATCHES, "flowers.shuffle-evenly", "of the newer half", buffer_halved),
    "buffer_one_larger": Fault(BATCHES, "flowers.shuffle-of-one", "", buffer_one_larger),
    "buffer_of_everything": Fault(BATCHES, "flowers.shuffle-window", "before the buffer", buffer_of_everything),
    "flowers_never_shuffled": Fault(BATCHES, "flowers.shuffled", "the order of the data set", never_shuffled),
    "whole_batches_shuffled": Fault(BATCHES, "flowers.shuffled-before-batched", "follow", whole_batches_shuffled),
    "labels_shuffled_again": Fault(BATCHES, "flowers.labels-stay", "the labels", working(batched=batches_shuffled)),
    "every_epoch_reversed": Fault(BATCHES, "flowers.shuffle-evenly", "while the buffer holds", every_epoch_reversed),
    "last_left_out": Fault(BATCHES, "flowers.last-batch", "4", last_left_out),
    "empty_batch_at_the_end": Fault(BATCHES, "flowers.batches-of-few", "0", empty_batch_at_the_end),
    "one_left_over_left_out": Fault(BATCHES, "flowers.batches-of-few", "4, 4", one_left_over_left_out),
    "epochs_joined": Fault(BATCHES, "flowers.last-batch", "4", epochs_joined),
    "labels_of_8_bits": Fault(BATCHES, "flowers.labels-stay", "the labels", labels_of_8_bits),
    "seed_without_use": Fault(BATCHES, "flowers.shuffle-seed", "epochs in common", seed_without_use),
    "letterboxed": Fault(BATCHES, "flowers.resize-each", "image 1", working(resized=letterboxed)),
    "halved_while_large": Fault(BATCHES, "flowers.resize-each", "(200, 300)", working(resized=halved_while_large)),
    "corners_aligned": Fault(BATCHES, "flowers.resize", "image", working(resized=corners_aligned)),
    "nearest_pixel": Fault(BATCHES, "flowers.resize-each", "image", working(resized=nearest)),
    "whole_levels": Fault(BATCHES, "flowers.resize-keeps-fractions", "image 0", working(resized=whole_levels)),
    "divided_by_the_levels": Fault(BATCHES, "flowers.scaled-to-1", "0.996", working(resized=divided_by_256)),
    "scaled_around_0": Fault(BATCHES, "flowers.scaled-to-1", "-1", working(resized=centred)),
    "split_unshuffled": Fault(SPLIT, "flowers.split-shuffled", "the order of the split", split_unshuffled),
    "split_scaled_twice": Fault(SPLIT, "flowers.split-in-order", "the images", split_scaled_twice),
    "split_without_seed": Fault(SPLIT, "flowers.split-shuffled", "the same order", split_without_seed),
    "split_by_another_seed_each_time": Fault(
        SPLIT, "flowers.split-shuffled", "the images of the same seed", split_by_another_seed_each_time
    ),
    "first_of_the_split_left_out": Fault(SPLIT, "flowers.split-in-order", "images", first_of_the_split_left_out),
    "labels_of_the_split_rolled": Fault(SPLIT, "flowers.split-in-order", "the labels", labels_of_the_split_rolled),
    "first_batch_again": Fault(SPLIT, "flowers.split-in-order", "the images", first_batch_again),
    "names_sorted": Fault("flowers.info", "flowers.flower-names", "daisy", names_sorted),
}
