"""A pipeline of images in NumPy, for faults to exchange a part of."""

import numpy as np

from assay.spec.semantics.datasets import resize


def buffered(count, buffer, generator):
    """Draw each next place from a buffer that the following one fills up."""
    held, order = [*range(min(buffer, count))], []
    for place in range(count):
        order.append(held.pop(generator.integers(len(held))))
        held += [place + buffer] if place + buffer < count else []
    return order


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
