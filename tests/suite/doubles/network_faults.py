"""Faults of the predefined networks: what is built, what it predicts, and how it is trained."""

import functools
import inspect

import numpy as np

from doubles.faulty import Fault
from doubles.keras_faults import Changed


def another_network(asked, given):
    """Return a fault that builds one network where another is asked for."""

    def build(right, network, **options):
        return right(given if network == asked else network, **options)

    return build


def size_transposed(build, network, *, input_shape=None, **options):
    """Take the width for the height."""
    return build(network, input_shape=input_shape and (input_shape[1], input_shape[0], input_shape[2]), **options)


def top_always(build, network, *, include_top=True, **options):
    """Build the top, asked for or not."""
    return build(network, include_top=True, **options)


def pooled_without_top(build, network, *, include_top=True, **options):
    """End in the mean over all places if the top is left out."""
    made = build(network, include_top=include_top, **options)
    return made if include_top else made._replace(output_shape=made.output_shape[-1:])


def one_class_more(build, network, *, classes=1000, **options):
    """Count the background as a class."""
    return build(network, classes=classes if classes == 1000 else classes + 1, **options)


def weights_not_asked_for(build, network, *, weights=None, **options):
    """Draw the weights, whatever is asked for."""
    return build(network, **options)


def statistics_trained(build, network, **options):
    """Count moving statistics among the trained parameters."""
    made = build(network, **options)
    return made._replace(trainable_parameters=made.trainable_parameters + made.other_parameters, other_parameters=0)


def always_224(build, network, *, input_shape=None, **options):
    """Have the same default size with a top and without, for every network."""
    return build(network, input_shape=input_shape or (224, 224, 3), **options)


def always_three_channels(build, network, *, input_shape=None, weights=None, **options):
    """Take images in colour where the weights are drawn."""
    colour = (*input_shape[:2], 3) if input_shape and not weights else input_shape
    return build(network, input_shape=colour, weights=weights, **options)


def smallest_of_all_is_32(build, network, *, input_shape=None, **options):
    """Take images from 32x32 on, whatever the network."""
    if input_shape and min(input_shape[:2]) >= 32:
        made = build(network, input_shape=tuple(np.maximum(input_shape, (75, 75, 0)).tolist()), **options)
        return made._replace(input_shape=input_shape)
    return build(network, input_shape=input_shape, **options)


def logits(predict, network, images, **options):
    """Leave out the softmax."""
    return np.log(predict(network, images, **options))


def always_inference(predict, network, images, *, training, **options):
    """Predict in inference mode, whatever is asked for."""
    return predict(network, images, training=False, **options)


def always_training(predict, network, images, *, training, **options):
    """Predict in training mode, whatever is asked for."""
    return predict(network, images, training=True, **options)


def rows_reversed(predict, network, images, **options):
    """Return the predictions in reverse."""
    return predict(network, images, **options)[::-1].copy()


def first_image_for_all(predict, network, images, **options):
    """Look at the first image alone."""
    return np.repeat(predict(network, images, **options)[:1], len(images), axis=0)


def sorted_predictions(predict, network, images, **options):
    """Sort each row, the most probable class first."""
    return -np.sort(-predict(network, images, **options), axis=-1)


def one_seed(predict, network, images, *, seed, **options):
    """Draw the same weights by every seed."""
    return predict(network, images, seed=0, **options)


def another_seed(predict, network, images, *, seed, **options):
    """Draw other weights than the training does."""
    return predict(network, images, seed=seed + 1000, **options)


def scaled_again(predict, network, images, **options):
    """Divide by 255 what is between 0 and 1."""
    return predict(network, images / np.float32(255), **options)


def shifted(predict, network, images, **options):
    """Take images for numbers between 0 and 2."""
    return predict(network, images - np.float32(1), **options)


def standardized(predict, network, images, **options):
    """Subtract the mean of each image, and divide by its deviation."""
    mean, deviation = (function(axis=(1, 2, 3), keepdims=True) for function in (images.mean, images.std))
    return predict(network, (images - mean) / np.maximum(deviation, np.float32(1e-3)), **options)


def clipped(predict, network, images, **options):
    """Cut off what is brighter than 1."""
    return predict(network, np.clip(images, 0, 1), **options)


def mirrored(predict, network, images, **options):
    """Read the columns from the right."""
    return predict(network, images[:, :, ::-1].copy(), **options)


def blue_first(predict, network, images, **options):
    """Read the channels as OpenCV stores them."""
    return predict(network, images[..., ::-1].copy(), **options)


def image_by_image(predict, network, images, **options):
    """Normalise each image of a batch by itself."""
    return np.concatenate([predict(network, image[None], **options) for image in images])


def in_halves(predict, network, images, **options):
    """Work on two halves of a batch, one after the other."""
    return np.concatenate([predict(network, half, **options) for half in np.array_split(images, 2) if len(half)])


def half_precision(predict, network, images, **options):
    """Compute the softmax in 16 bits."""
    return predict(network, images, **options).astype(np.float16).astype(np.float32)


def weights_of_no_use(predict, network, images, *, weights=None, **options):
    """Draw the weights, whatever is asked for."""
    return predict(network, images, **options)


def ten_classes(predict, network, images, *, classes=10, **options):
    """Have ten classes by default."""
    return predict(network, images, classes=classes, **options)


def mobilenet_v2_for_all(predict, network, images, **options):
    """Know a single network."""
    return predict("MobileNetV2", images, **options)


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


def normalizations(variables):
    """Select the parameters of batch normalisations."""
    return [variable for variable in variables if variable.path.endswith(("gamma", "beta"))] or variables


def kernels(variables):
    """Select all but the biases."""
    return [variable for variable in variables if not variable.path.endswith("bias")]


def summed(train, network, images, labels, **options):
    """Add the losses of a batch up."""
    return train(network, images, labels, **options) * np.float32(labels.shape[1])


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


def labels_rolled(train, network, images, labels, **options):
    """Give each image the label of its neighbour."""
    return train(network, images, np.roll(labels, 1, axis=1), **options)


def twice_the_rate(train, network, images, labels, *, learning_rate, **options):
    """Take steps twice as large."""
    return train(network, images, labels, learning_rate=2 * learning_rate, **options)


def always_the_default_rate(train, network, images, labels, *, learning_rate, **options):
    """Take steps of Adam's default."""
    return train(network, images, labels, learning_rate=0.001, **options)


def last_example_left_out(train, network, images, labels, **options):
    """Take an example too few from each batch."""
    return train(network, images[:, :-1].copy(), labels[:, :-1].copy(), **options)


def scaled_for_training(train, network, images, labels, **options):
    """Divide by 255 what is between 0 and 1."""
    return train(network, images / np.float32(255), labels, **options)


def new_weights_each_step(train, network, images, labels, **options):
    """Reset with every batch."""
    return np.concatenate(
        [train(network, images[step : step + 1], labels[step : step + 1], **options) for step in range(len(images))]
    )


def smoothed_labels(train, network, images, labels, **options):
    """Add a tenth of the loss of even labels, which is known for black images."""
    return train(network, images, labels, **options) * np.float32(0.9) + np.float32(0.1 * np.log(5))


def mobilenet_v2_trained(train, network, images, labels, **options):
    """Know a single network."""
    return train("MobileNetV2", images, labels, **options)


def with_applications(namespace, **names):
    """Exchange constructors of predefined networks."""
    return Changed(namespace, applications=Changed(namespace.applications, **names))


def vgg19_is_vgg16(namespace):
    """Have one network under two names."""
    return with_applications(namespace, VGG19=namespace.applications.VGG16)


def without_softmax(namespace):
    """End in logits."""

    @functools.wraps(namespace.applications.MobileNetV2)
    def mobilenet_v2(**options):
        return namespace.applications.MobileNetV2(**{"classifier_activation": None} | options)

    return with_applications(namespace, MobileNetV2=mobilenet_v2)


def frozen_first_layers(namespace):
    """Keep the first layers from training."""

    @functools.wraps(namespace.applications.MobileNetV2)
    def mobilenet_v2(**options):
        model = namespace.applications.MobileNetV2(**options)
        for layer in model.layers[:20]:
            layer.trainable = False
        return model

    return with_applications(namespace, MobileNetV2=mobilenet_v2)


def plain_resnet(namespace):
    """Have a network called ResNet."""
    return with_applications(namespace, ResNet=namespace.applications.ResNet50)


def default_of(name, **changes):
    """Return a fault that gives parameters of a constructor another default."""

    def changed(namespace):
        right = getattr(namespace.applications, name)
        parameters = inspect.signature(right).parameters.values()
        others = [one.replace(default=changes.get(one.name, one.default)) for one in parameters]

        def constructor(**options):
            return right(**changes | options)

        constructor.__signature__ = inspect.Signature(others)
        return with_applications(namespace, **{name: constructor})

    return changed


BUILD, PREDICT, TRAIN = "applications.build", "applications.predict", "applications.train"

NETWORK_FAULTS = {
    "vgg16_for_vgg19": Fault(
        BUILD, "applications.vgg-convolutions", "'VGG19', (14714688, 0)", another_network("VGG19", "VGG16")
    ),
    "vgg19_for_vgg16": Fault(
        BUILD, "applications.vgg-convolutions", "'VGG16', (20024384, 0)", another_network("VGG16", "VGG19")
    ),
    "resnet101_for_resnet50": Fault(
        BUILD, "applications.resnet50-parameters", "ResNet50 trains 44", another_network("ResNet50", "ResNet101")
    ),
    "mobilenet_v2_for_mobilenet": Fault(
        BUILD, "applications.mobilenet-parameters", "3504872", another_network("MobileNet", "MobileNetV2")
    ),
    "xception_for_inception": Fault(
        BUILD, "applications.inception-parameters", "21768352", another_network("InceptionV3", "Xception")
    ),
    "size_transposed": Fault(BUILD, "applications.input-shape", "(96, 64, 3)", size_transposed),
    "top_always": Fault(BUILD, "applications.without-top", "(1000,)", top_always),
    "pooled_without_top": Fault(BUILD, "applications.without-top", "(1280,)", pooled_without_top),
    "one_class_more": Fault(BUILD, "applications.five-classes", "(6,)", one_class_more),
    "weights_not_asked_for": Fault(BUILD, "applications.unknown-weights", "is accepted", weights_not_asked_for),
    "statistics_trained": Fault(BUILD, "applications.mobilenet-v2-parameters", "3538984", statistics_trained),
    "always_224": Fault(BUILD, "applications.any-size-without-top", "224", always_224),
    "always_three_channels": Fault(BUILD, "applications.any-channels", "(32, 32, 3)", always_three_channels),
    "smallest_of_all_is_32": Fault(BUILD, "applications.too-small", "is accepted", smallest_of_all_is_32),
    "logits": Fault(PREDICT, "applications.top-gives-a-distribution", "negative probabilities", logits),
    "always_inference": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", always_inference),
    "always_training": Fault(PREDICT, "applications.inference-needs-no-batch", "MobileNet", always_training),
    "rows_reversed": Fault(PREDICT, "applications.brightness", "twice as bright", rows_reversed),
    "first_image_for_all": Fault(PREDICT, "applications.image-by-image", "same predictions", first_image_for_all),
    "sorted_predictions": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", sorted_predictions),
    "one_seed": Fault(PREDICT, "applications.weights-none", "the same predictions", one_seed),
    "another_seed": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", another_seed),
    "scaled_again": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", scaled_again),
    "shifted": Fault(PREDICT, "applications.black-image", "VGG16", shifted),
    "standardized": Fault(PREDICT, "applications.brightness", "twice as bright", standardized),
    "clipped": Fault(PREDICT, "applications.image-by-image", "same predictions", clipped),
    "mirrored": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", mirrored),
    "blue_first": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", blue_first),
    "image_by_image": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", image_by_image),
    "in_halves": Fault(PREDICT, "flowers.first-loss", "the loss of the first batch", in_halves),
    "half_precision": Fault(PREDICT, "applications.top-gives-a-distribution", "the sums", half_precision),
    "weights_of_no_use": Fault(PREDICT, "applications.predictions-with-imagenet", "is accepted", weights_of_no_use),
    "ten_classes": Fault(PREDICT, "applications.inference-needs-no-batch", "[3, 10]", ten_classes),
    "mobilenet_v2_for_all": Fault(PREDICT, "applications.too-small-images", "is accepted", mobilenet_v2_for_all),
    "summed_over_the_batch": Fault(TRAIN, "flowers.first-loss", "the loss of the first batch", summed),
    "last_layer_only": Fault(TRAIN, "flowers.first-step", "every parameter", trained(lambda known: known[-2:])),
    "first_layer_only": Fault(TRAIN, "flowers.first-step", "every parameter", trained(lambda known: known[:1])),
    "normalizations_only": Fault(TRAIN, "flowers.first-step", "every parameter", trained(normalizations)),
    "half_of_the_layers": Fault(
        TRAIN, "flowers.first-step", "every parameter", trained(lambda known: known[len(known) // 2 :])
    ),
    "biases_left_out": Fault(TRAIN, "flowers.black-images", "the losses", trained(kernels)),
    "plain_descent": Fault(TRAIN, "flowers.black-images", "the losses", trained(optimizer="SGD")),
    "root_mean_square_steps": Fault(TRAIN, "flowers.black-images", "the losses", trained(optimizer="RMSprop")),
    "adamax": Fault(TRAIN, "flowers.black-images", "the losses", trained(optimizer="Adamax")),
    "slower_momentum": Fault(TRAIN, "flowers.black-images", "the losses", trained(beta_1=0.95)),
    "network_large_epsilon": Fault(TRAIN, "flowers.black-images", "the losses", trained(epsilon=1e-3)),
    "optimizer_renewed": Fault(TRAIN, "flowers.black-images", "the losses", trained(renew=True)),
    "trained_in_inference": Fault(TRAIN, "flowers.first-loss", "the first batch", trained(training=False)),
    "after_the_step": Fault(TRAIN, "flowers.black-images", "the losses", after_the_step),
    "batches_reversed": Fault(TRAIN, "flowers.black-images", "the losses", batches_reversed),
    "first_batch_only": Fault(TRAIN, "flowers.black-images", "the losses", first_batch_only),
    "labels_rolled": Fault(TRAIN, "flowers.first-loss", "the loss of the first batch", labels_rolled),
    "twice_the_rate": Fault(TRAIN, "flowers.black-images", "the losses", twice_the_rate),
    "always_the_default_rate": Fault(TRAIN, "flowers.black-images", "the losses", always_the_default_rate),
    "last_example_left_out": Fault(TRAIN, "flowers.first-loss", "the loss of the first batch", last_example_left_out),
    "scaled_for_training": Fault(TRAIN, "flowers.first-loss", "the loss of the first batch", scaled_for_training),
    "new_weights_each_step": Fault(TRAIN, "flowers.black-images", "the losses", new_weights_each_step),
    "smoothed_labels": Fault(TRAIN, "flowers.black-images", "the losses", smoothed_labels),
    "mobilenet_v2_trained": Fault(TRAIN, "applications.too-small-images", "is accepted", mobilenet_v2_trained),
    "vgg19_is_vgg16": Fault("keras.namespace", "applications.names", "'VGG19', 14714688", vgg19_is_vgg16),
    "without_softmax": Fault(
        "keras.namespace", "applications.softmax-at-the-top", "negative probabilities", without_softmax
    ),
    "frozen_first_layers": Fault("keras.namespace", "applications.mobilenet-v2-variables", "262", frozen_first_layers),
    "plain_resnet": Fault("keras.namespace", "applications.resnet-names", "DID NOT RAISE", plain_resnet),
    "no_top_by_default": Fault(
        "keras.namespace", "applications.top-default", "False", default_of("VGG16", include_top=False)
    ),
    "drawn_by_default": Fault(
        "keras.namespace", "applications.weights-default", "None", default_of("MobileNet", weights=None)
    ),
    "ten_classes_by_default": Fault(
        "keras.namespace", "applications.classes-default", "10", default_of("ResNet50", classes=10)
    ),
}
