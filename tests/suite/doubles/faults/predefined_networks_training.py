"""Faults of the training of the predefined networks."""

import numpy as np

from doubles.faulty import Fault


def mobilenet_v2_trained(train, network, images, labels, **options):
    """Know a single network."""
    return train("MobileNetV2", images, labels, **options)


TRAINED = {}


def go_on_with_last_training(train, network, images, labels, *, seed, **options):
    """Train on the batches of earlier calls first, as if their network were trained further."""
    before, known = TRAINED.get((network, seed), (images[:0], labels[:0]))
    if before.shape[1:] == images.shape[1:]:
        images, labels = np.concatenate([before, images]), np.concatenate([known, labels])
    TRAINED[network, seed] = images, labels
    return train(network, images, labels, seed=seed, **options)[len(before) :]


def summed(train, network, images, labels, **options):
    """Add the losses of a batch up."""
    return train(network, images, labels, **options) * np.float32(labels.shape[1])


def trained(select=lambda variables: variables, *, optimizer="Adam", renew=False, training=True, **settings):
    """Return a fault that trains otherwise.

    Args:
        select: Function from the trainable variables to those that are trained.
        optimizer: Optimizer of Keras.
        renew: Whether each step has an optimizer of its own.
        training: The mode.
        settings: Settings of the optimizer.

    """

    def train(_train, network, images, labels, *, classes, learning_rate, seed):
        import tensorflow as tf  # noqa: PLC0415 - the catalogue is read without a framework

        from assay.reference.applications import new  # noqa: PLC0415 - as above
        from assay.reference.models import crossentropy  # noqa: PLC0415 - as above

        model = new(network, images.shape[2:], None, classes, seed)
        make = getattr(tf.keras.optimizers, optimizer)
        variables, moves, found = select(model.trainable_variables), None, []
        for batch, targets in zip(images, labels, strict=True):
            moves = make(**{"learning_rate": learning_rate} | settings) if renew or moves is None else moves
            with tf.GradientTape() as tape:
                loss = crossentropy(tf.constant(targets), model(tf.constant(batch), training=training))
            moves.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            found.append(float(loss))
        return np.array(found, np.float32)

    return train


def labels_rolled(train, network, images, labels, **options):
    """Give each image the label of its neighbour."""
    return train(network, images, np.roll(labels, 1, axis=1), **options)


def last_example_left_out(train, network, images, labels, **options):
    """Take an example too few from each batch."""
    return train(network, images[:, :-1].copy(), labels[:, :-1].copy(), **options)


def scaled_for_training(train, network, images, labels, **options):
    """Divide by 255 what is between 0 and 1."""
    return train(network, images / np.float32(255), labels, **options)


def normalizations(variables):
    """Select the parameters of batch normalisations."""
    return [variable for variable in variables if variable.path.endswith(("gamma", "beta"))] or variables


def classes_of_the_labels(train, network, images, labels, *, classes, **options):
    """Count the classes up to the last one that occurs."""
    return train(network, images, labels, classes=int(labels.max()) + 1, **options)


def kernels(variables):
    """Select all but the biases."""
    return [variable for variable in variables if not variable.path.endswith("bias")]


def after_the_step(train, network, images, labels, **options):
    """Give the loss of each batch after its step."""
    again = np.repeat(images, 2, axis=0), np.repeat(labels, 2, axis=0)
    return train(network, *again, **options)[1::2].copy()


def batches_reversed(train, network, images, labels, **options):
    """Begin with the last batch."""
    return train(network, images[::-1].copy(), labels[::-1].copy(), **options)


def first_batch_only(train, network, images, labels, **options):
    """Take the first batch again and again."""
    return train(network, np.repeat(images[:1], len(images), axis=0), np.repeat(labels[:1], len(labels), 0), **options)


def twice_the_rate(train, network, images, labels, *, learning_rate, **options):
    """Take steps twice as large."""
    return train(network, images, labels, learning_rate=2 * learning_rate, **options)


def always_the_default_rate(train, network, images, labels, *, learning_rate, **options):
    """Take steps of Adam's default."""
    return train(network, images, labels, learning_rate=0.001, **options)


def new_weights_each_step(train, network, images, labels, **options):
    """Reset with every batch."""
    return np.concatenate(
        [train(network, images[step : step + 1], labels[step : step + 1], **options) for step in range(len(images))]
    )


def smoothed_labels(train, network, images, labels, **options):
    """Add a tenth of the loss of even labels, which is known for black images."""
    return train(network, images, labels, **options) * np.float32(0.9) + np.float32(0.1 * np.log(5))


FAULTS = {
    "mobilenet_v2_trained": Fault(
        "applications.train", "applications.too-small-images", "is accepted", mobilenet_v2_trained
    ),
    "go_on_with_last_training": Fault(
        "applications.train", "flowers.first-loss", "the loss of the first batch", go_on_with_last_training
    ),
    "summed_over_the_batch": Fault("applications.train", "flowers.first-loss", "the loss of the first batch", summed),
    "trained_in_inference": Fault(
        "applications.train", "flowers.first-loss", "the first batch", trained(training=False)
    ),
    "labels_rolled": Fault("applications.train", "flowers.first-loss", "the loss of the first batch", labels_rolled),
    "last_example_left_out": Fault(
        "applications.train", "flowers.first-loss", "the loss of the first batch", last_example_left_out
    ),
    "scaled_for_training": Fault(
        "applications.train", "flowers.first-loss", "the loss of the first batch", scaled_for_training
    ),
    "last_layer_only": Fault(
        "applications.train", "flowers.first-step", "every parameter", trained(lambda known: known[-2:])
    ),
    "first_layer_only": Fault(
        "applications.train", "flowers.first-step", "every parameter", trained(lambda known: known[:1])
    ),
    "normalizations_only": Fault(
        "applications.train", "flowers.first-step", "every parameter", trained(normalizations)
    ),
    "half_of_the_layers": Fault(
        "applications.train", "flowers.first-step", "every parameter", trained(lambda known: known[len(known) // 2 :])
    ),
    "classes_of_the_labels": Fault("applications.train", "flowers.black-images", "the losses", classes_of_the_labels),
    "biases_left_out": Fault("applications.train", "flowers.black-images", "the losses", trained(kernels)),
    "plain_descent": Fault("applications.train", "flowers.black-images", "the losses", trained(optimizer="SGD")),
    "root_mean_square_steps": Fault(
        "applications.train", "flowers.black-images", "the losses", trained(optimizer="RMSprop")
    ),
    "adamax": Fault("applications.train", "flowers.black-images", "the losses", trained(optimizer="Adamax")),
    "slower_momentum": Fault("applications.train", "flowers.black-images", "the losses", trained(beta_1=0.95)),
    "network_large_epsilon": Fault("applications.train", "flowers.black-images", "the losses", trained(epsilon=1e-3)),
    "optimizer_renewed": Fault("applications.train", "flowers.black-images", "the losses", trained(renew=True)),
    "after_the_step": Fault("applications.train", "flowers.black-images", "the losses", after_the_step),
    "batches_reversed": Fault("applications.train", "flowers.black-images", "the losses", batches_reversed),
    "first_batch_only": Fault("applications.train", "flowers.black-images", "the losses", first_batch_only),
    "twice_the_rate": Fault("applications.train", "flowers.black-images", "the losses", twice_the_rate),
    "always_the_default_rate": Fault(
        "applications.train", "flowers.black-images", "the losses", always_the_default_rate
    ),
    "new_weights_each_step": Fault("applications.train", "flowers.black-images", "the losses", new_weights_each_step),
    "smoothed_labels": Fault("applications.train", "flowers.black-images", "the losses", smoothed_labels),
}
