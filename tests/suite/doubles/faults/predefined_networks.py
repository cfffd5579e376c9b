"""Faults of the predefined networks: what is built, and its interface."""

import functools
import inspect

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed


def another_network(asked, given):
    """Return a fault that builds one network where another is asked for."""

    def build(right, network, **options):
        return right(given if network == asked else network, **options)

    return build


def statistics_trained(build, network, **options):
    """Count moving statistics among the trained parameters."""
    made = build(network, **options)
    return made._replace(trainable_parameters=made.trainable_parameters + made.other_parameters, other_parameters=0)


def size_transposed(build, network, *, input_shape=None, **options):
    """Take the width for the height."""
    return build(network, input_shape=input_shape and (input_shape[1], input_shape[0], input_shape[2]), **options)


def too_small_is_fine(build, network, *, input_shape=None, **options):
    """Take images of any size."""
    try:
        return build(network, input_shape=input_shape, **options)
    except ValueError:
        return build(network, input_shape=(96, 96, 3), **options | {"weights": None, "classes": 1000})


def smallest_of_all_is_32(build, network, *, input_shape=None, **options):
    """Take images from 32x32 on, whatever the network."""
    if input_shape and min(input_shape[:2]) >= 32:
        made = build(network, input_shape=tuple(np.maximum(input_shape, (75, 75, 0)).tolist()), **options)
        return made._replace(input_shape=input_shape)
    return build(network, input_shape=input_shape, **options)


def always_three_channels(build, network, *, input_shape=None, weights=None, **options):
    """Take images in colour where the weights are drawn."""
    colour = (*input_shape[:2], 3) if input_shape and not weights else input_shape
    return build(network, input_shape=colour, weights=weights, **options)


def top_always(build, network, *, include_top=True, **options):
    """Build the top, asked for or not."""
    return build(network, include_top=True, **options)


def pooled_without_top(build, network, *, include_top=True, **options):
    """End in the mean over all places if the top is left out."""
    made = build(network, include_top=include_top, **options)
    return made if include_top else made._replace(output_shape=made.output_shape[-1:])


def always_224(build, network, *, input_shape=None, **options):
    """Have the same default size with a top and without, for every network."""
    return build(network, input_shape=input_shape or (224, 224, 3), **options)


def weights_not_asked_for(build, network, *, weights=None, **options):
    """Draw the weights, whatever is asked for."""
    return build(network, **options)


BUILT = {}


def classes_of_the_first_build(build, network, *, classes=1000, **options):
    """Keep each network, whatever its classes."""
    key = network, *sorted(options.items())
    return BUILT.setdefault(key, build(network, classes=classes, **options))


def one_class_more(build, network, *, classes=1000, **options):
    """Count the background as a class."""
    return build(network, classes=classes if classes == 1000 else classes + 1, **options)


def with_applications(namespace, **names):
    """Exchange constructors of predefined networks."""
    return Changed(namespace, applications=Changed(namespace.applications, **names))


def vgg19_is_vgg16(namespace):
    """Have one network under two names."""
    return with_applications(namespace, VGG19=namespace.applications.VGG16)


def plain_resnet(namespace):
    """Have a network called ResNet."""
    return with_applications(namespace, ResNet=namespace.applications.ResNet50)


def frozen_first_layers(namespace):
    """Keep the first layers from training."""

    @functools.wraps(namespace.applications.MobileNetV2)
    def mobilenet_v2(**options):
        model = namespace.applications.MobileNetV2(**options)
        for layer in model.layers[:20]:
            layer.trainable = False
        return model

    return with_applications(namespace, MobileNetV2=mobilenet_v2)


def without_softmax(namespace):
    """End in logits."""

    @functools.wraps(namespace.applications.MobileNetV2)
    def mobilenet_v2(**options):
        return namespace.applications.MobileNetV2(**{"classifier_activation": None} | options)

    return with_applications(namespace, MobileNetV2=mobilenet_v2)


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


FAULTS = {
    "vgg16_for_vgg19": Fault(
        "applications.build",
        "applications.vgg-convolutions",
        "'VGG19', (14714688, 0)",
        another_network("VGG19", "VGG16"),
    ),
    "vgg19_for_vgg16": Fault(
        "applications.build",
        "applications.vgg-convolutions",
        "'VGG16', (20024384, 0)",
        another_network("VGG16", "VGG19"),
    ),
    "resnet101_for_resnet50": Fault(
        "applications.build",
        "applications.resnet50-parameters",
        "ResNet50 trains 44",
        another_network("ResNet50", "ResNet101"),
    ),
    "xception_for_inception": Fault(
        "applications.build",
        "applications.inception-parameters",
        "21768352",
        another_network("InceptionV3", "Xception"),
    ),
    "mobilenet_v2_for_mobilenet": Fault(
        "applications.build",
        "applications.mobilenet-parameters",
        "3504872",
        another_network("MobileNet", "MobileNetV2"),
    ),
    "statistics_trained": Fault(
        "applications.build", "applications.mobilenet-v2-parameters", "3538984", statistics_trained
    ),
    "size_transposed": Fault("applications.build", "applications.input-shape", "(96, 64, 3)", size_transposed),
    "too_small_is_fine": Fault("applications.build", "applications.too-small", "is accepted", too_small_is_fine),
    "smallest_of_all_is_32": Fault(
        "applications.build", "applications.too-small", "is accepted", smallest_of_all_is_32
    ),
    "always_three_channels": Fault(
        "applications.build", "applications.any-channels", "(32, 32, 3)", always_three_channels
    ),
    "top_always": Fault("applications.build", "applications.without-top", "(1000,)", top_always),
    "pooled_without_top": Fault("applications.build", "applications.without-top", "(1280,)", pooled_without_top),
    "always_224": Fault("applications.build", "applications.any-size-without-top", "224", always_224),
    "weights_not_asked_for": Fault(
        "applications.build", "applications.unknown-weights", "is accepted", weights_not_asked_for
    ),
    "classes_of_the_first_build": Fault(
        "applications.build", "applications.five-classes", "(1000,)", classes_of_the_first_build
    ),
    "one_class_more": Fault("applications.build", "applications.five-classes", "(6,)", one_class_more),
    "vgg19_is_vgg16": Fault("keras.namespace", "applications.names", "'VGG19', 14714688", vgg19_is_vgg16),
    "plain_resnet": Fault("keras.namespace", "applications.resnet-names", "DID NOT RAISE", plain_resnet),
    "frozen_first_layers": Fault("keras.namespace", "applications.mobilenet-v2-variables", "262", frozen_first_layers),
    "without_softmax": Fault(
        "keras.namespace", "applications.softmax-at-the-top", "negative probabilities", without_softmax
    ),
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
