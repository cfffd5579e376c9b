"""Faults of the predefined networks that show between calls, in a batch, or without examples of a class."""

import numpy as np

from doubles.faulty import Fault

BUILT = {}


def classes_of_the_first_build(build, network, *, classes=1000, **options):
    """Keep each network, whatever its classes."""
    key = network, *sorted(options.items())
    return BUILT.setdefault(key, build(network, classes=classes, **options))


def batch_filled_up(predict, network, images, **options):
    """Fill up a batch with black images to a multiple of four."""
    black = np.zeros((-len(images) % 4, *images.shape[1:]), np.float32)
    return predict(network, np.concatenate([images, black]), **options)[: len(images)]


LAST = {}


def seed_of_the_last_network(predict, network, images, *, seed, **options):
    """Keep the weights of the last network, as long as nothing but the seed changes."""
    key = network, images.shape[1:], options.get("classes")
    if key not in LAST:
        LAST.clear()
        LAST[key] = seed
    return predict(network, images, seed=LAST[key], **options)


def classes_of_the_labels(train, network, images, labels, *, classes, **options):
    """Count the classes up to the last one that occurs."""
    return train(network, images, labels, classes=int(labels.max()) + 1, **options)


NETWORK_CALL_FAULTS = {
    "classes_of_the_first_build": Fault(
        "applications.build", "applications.five-classes", "(1000,)", classes_of_the_first_build
    ),
    "batch_filled_up": Fault(
        "applications.predict",
        "applications.training-on-equal-images",
        "the logits of equal images",
        batch_filled_up,
    ),
    "seed_of_the_last_network": Fault(
        "applications.predict", "applications.weights-none", "give the same predictions", seed_of_the_last_network
    ),
    "classes_of_the_labels": Fault("applications.train", "flowers.black-images", "the losses", classes_of_the_labels),
}
