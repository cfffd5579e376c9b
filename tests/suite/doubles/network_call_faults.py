"""Faults of the predefined networks that show between calls, in a batch, or without examples of a class."""

from importlib import import_module

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


LAST_MODEL = {}


def keep_last_network(_predict, network, images, *, training, seed, classes=1000, **_options):
    """Call the last network, with the moving statistics that it has by now, as long as its arguments are the same."""
    key = network, images.shape[1:], classes, seed
    if key not in LAST_MODEL:
        LAST_MODEL.clear()
        # TensorFlow loads for seconds, and most faults do without it.
        reference = import_module("assay.reference.applications")
        LAST_MODEL[key] = reference.new(network, images.shape[1:], None, classes, seed)
    return LAST_MODEL[key](images, training=training).numpy()


TRAINED = {}


def go_on_with_last_training(train, network, images, labels, *, seed, **options):
    """Train on the batches of earlier calls first, as if their network were trained further."""
    before, known = TRAINED.get((network, seed), (images[:0], labels[:0]))
    if before.shape[1:] == images.shape[1:]:
        images, labels = np.concatenate([before, images]), np.concatenate([known, labels])
    TRAINED[network, seed] = images, labels
    return train(network, images, labels, seed=seed, **options)[len(before) :]


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
    "keep_last_network": Fault(
        "applications.predict",
        "applications.inference-needs-no-batch",
        "after a call in training mode",
        keep_last_network,
    ),
    "go_on_with_last_training": Fault(
        "applications.train", "flowers.first-loss", "the loss of the first batch", go_on_with_last_training
    ),
    "classes_of_the_labels": Fault("applications.train", "flowers.black-images", "the losses", classes_of_the_labels),
}
