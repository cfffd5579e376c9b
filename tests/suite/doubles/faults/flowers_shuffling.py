"""Faults of the order in which the pipeline of images takes examples."""

import numpy as np

from doubles.faulty import Fault
from doubles.image_pipeline import working


def never_shuffled(image_batches, images, labels, *, shuffle_buffer, **options):
    """Leave the order as it is."""
    return image_batches(images, labels, shuffle_buffer=1, **options)


def same_order_every_epoch(image_batches, images, labels, *, epochs, **options):
    """Shuffle once for all epochs."""
    return image_batches(images, labels, epochs=1, **options) * epochs


def _drawn(count, buffer, generator):
    """Draw an order of examples, each from a buffer that the next one refills."""
    held, order = [*range(min(buffer, count))], []
    for position in range(count):
        order.append(held.pop(int(generator.integers(len(held)))))
        if position + buffer < count:
            held.append(position + buffer)
    return order


def epochs_seeded_in_a_row(batches, images, labels, *, shuffle_buffer, batch_size, epochs, seed, **options):
    """Shuffle each epoch by the seed of the one before and 1."""
    ready = batches(images, labels, shuffle_buffer=1, batch_size=len(images), epochs=1, seed=seed, **options)[0]
    found = []
    for epoch in range(epochs):
        order = np.array(_drawn(len(images), shuffle_buffer, np.random.default_rng(seed + epoch)))
        places = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        found += [tuple(array[place] for array in ready) for place in places]
    return found


def seed_of_16_bits(batches, *args, seed, **options):
    """Look at the lower bits of a seed."""
    return batches(*args, seed=seed % 2**16, **options)


def seed_without_use(image_batches, images, labels, *, seed, **options):
    """Shuffle by the same seed always."""
    return image_batches(images, labels, seed=0, **options)


def buffer_of_everything(image_batches, images, labels, *, shuffle_buffer, **options):
    """Shuffle the whole data set."""
    return image_batches(images, labels, shuffle_buffer=len(images), **options)


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


def buffer_halved(image_batches, images, labels, *, shuffle_buffer, **options):
    """Shuffle in half of the buffer."""
    return image_batches(images, labels, shuffle_buffer=(shuffle_buffer + 1) // 2, **options)


def every_epoch_reversed(image_batches, images, labels, *, epochs, **options):
    """Go through the second epoch, and every other one, backwards."""
    forward = image_batches(images, labels, epochs=1, **options)
    backward = [tuple(array[::-1].copy() for array in batch) for batch in forward[::-1]]
    return [batch for epoch in range(epochs) for batch in (backward if epoch % 2 else forward)]


def buffer_one_larger(image_batches, images, labels, *, shuffle_buffer, **options):
    """Hold one image more."""
    return image_batches(images, labels, shuffle_buffer=shuffle_buffer + 1, **options)


def whole_batches_shuffled(image_batches, images, labels, *, shuffle_buffer, seed, epochs, **options):
    """Shuffle after batching."""
    batches = image_batches(images, labels, shuffle_buffer=1, seed=seed, epochs=epochs, **options)
    generator, size = np.random.default_rng(seed), len(batches) // epochs
    places = [epoch * size + place for epoch in range(epochs) for place in generator.permutation(size)]
    return [batches[place] for place in places]


FAULTS = {
    "flowers_never_shuffled": Fault(
        "flowers.image_batches", "flowers.shuffled", "the order of the data set", never_shuffled
    ),
    "same_order_every_epoch": Fault(
        "flowers.image_batches", "flowers.shuffled-anew", "only 1 have an order", same_order_every_epoch
    ),
    "epochs_seeded_in_a_row": Fault(
        "flowers.image_batches", "flowers.shuffle-seed", "epochs in common", epochs_seeded_in_a_row
    ),
    "orders_by_seeds_of_16_bits": Fault(
        "flowers.image_batches", "flowers.shuffle-seed", "draw the same orders", seed_of_16_bits
    ),
    "seed_without_use": Fault("flowers.image_batches", "flowers.shuffle-seed", "epochs in common", seed_without_use),
    "buffer_of_everything": Fault(
        "flowers.image_batches", "flowers.shuffle-window", "before the buffer", buffer_of_everything
    ),
    "oldest_preferred": Fault(
        "flowers.image_batches", "flowers.shuffle-evenly", "draws are", working(oldest_preferred)
    ),
    "place_kept": Fault(
        "flowers.image_batches", "flowers.shuffle-evenly", "the same place as before", working(place_kept)
    ),
    "shuffled_by_blocks": Fault("flowers.image_batches", "flowers.shuffle-evenly", "draws are", working(by_blocks)),
    "buffer_halved": Fault("flowers.image_batches", "flowers.shuffle-evenly", "of the newer half", buffer_halved),
    "every_epoch_reversed": Fault(
        "flowers.image_batches", "flowers.shuffle-evenly", "while the buffer holds", every_epoch_reversed
    ),
    "buffer_one_larger": Fault("flowers.image_batches", "flowers.shuffle-of-one", "", buffer_one_larger),
    "whole_batches_shuffled": Fault(
        "flowers.image_batches", "flowers.shuffled-before-batched", "follow", whole_batches_shuffled
    ),
}
