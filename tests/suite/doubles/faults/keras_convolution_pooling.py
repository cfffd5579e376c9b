"""Faults of the layers of Keras for images: convolution and pooling."""

from doubles.faulty import Fault
from doubles.keras_namespace import activation_lost_without_bias, with_defaults, with_layers


def strides_swapped(namespace):
    """Move the window of a convolution to the right by what is meant for down."""

    class Conv2D(namespace.layers.Conv2D):
        def __init__(self, filters, kernel_size, strides=(1, 1), **options):
            strides = strides[::-1] if isinstance(strides, list | tuple) else strides
            super().__init__(filters, kernel_size, strides=strides, **options)

    return with_layers(namespace, Conv2D=Conv2D)


def convolution_without_activation(namespace):
    """Forget a convolution's activation where it has strides."""

    class Conv2D(namespace.layers.Conv2D):
        def __init__(self, *args, strides=(1, 1), activation=None, **options):
            super().__init__(*args, strides=strides, activation=activation if strides == (1, 1) else None, **options)

    return with_layers(namespace, Conv2D=Conv2D)


def kernel_flipped(namespace):
    """Turn the kernel of a convolution around, as mathematics does."""

    class Conv2D(namespace.layers.Conv2D):
        def call(self, inputs):
            kernel = self.kernel.numpy()
            self.kernel.assign(kernel[::-1, ::-1])
            found = super().call(inputs)
            self.kernel.assign(kernel)
            return found

    return with_layers(namespace, Conv2D=Conv2D)


def zeros_around_pooling(namespace):
    """Let the zeros of the padding take part in a maximum."""

    class MaxPool2D(namespace.layers.MaxPool2D):
        def call(self, inputs):
            return namespace.ops.maximum(super().call(inputs), 0) if self.padding == "same" else super().call(inputs)

    return with_layers(namespace, MaxPool2D=MaxPool2D, MaxPooling2D=MaxPool2D)


def pooling_strides_ignored(namespace):
    """Lay the windows of a pooling side by side."""

    class MaxPool2D(namespace.layers.MaxPool2D):
        def __init__(self, pool_size=(2, 2), strides=None, **options):
            super().__init__(pool_size, None if strides in (1, (1, 2)) else strides, **options)

    return with_layers(namespace, MaxPool2D=MaxPool2D, MaxPooling2D=MaxPool2D)


def _average_pooling(namespace, **methods):
    kind = type("AveragePooling2D", (namespace.layers.AveragePooling2D,), methods)
    return with_layers(namespace, AveragePooling2D=kind, AvgPool2D=kind)


def average_padding_ignored(namespace):
    """Average whole windows of the image alone."""

    def start(self, pool_size=(2, 2), strides=None, padding="valid", **options):
        namespace.layers.AveragePooling2D.__init__(self, pool_size, strides, "valid", **options)

    return _average_pooling(namespace, __init__=start)


def average_padded_before(namespace):
    """Put the odd row and column of the padding before the image."""

    def call(self, inputs):
        axes = [1, 2]
        found = namespace.layers.AveragePooling2D.call(self, namespace.ops.flip(inputs, axes))
        return namespace.ops.flip(found, axes)

    return _average_pooling(namespace, call=call)


def strides_without_padding(namespace):
    """Add no zeros where the window moves by more than 1."""

    class Conv2D(namespace.layers.Conv2D):
        def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", **options):
            padding = padding if strides in (1, (1, 1)) else "valid"
            super().__init__(filters, kernel_size, strides=strides, padding=padding, **options)

    return with_layers(namespace, Conv2D=Conv2D)


def strides_exchanged(namespace):
    """Take strides to the right and down."""

    class Conv2D(namespace.layers.Conv2D):
        def __init__(self, filters, kernel_size, strides=(1, 1), **options):
            strides = strides if isinstance(strides, int) else tuple(strides)[::-1]
            super().__init__(filters, kernel_size, strides=strides, **options)

    return with_layers(namespace, Conv2D=Conv2D)


FAULTS = {
    "conv_activation_lost_without_bias": Fault(
        "keras.namespace", "model.convolution-options", "the output", activation_lost_without_bias("Conv2D")
    ),
    "strides_swapped": Fault("keras.namespace", "model.convolution-options", "has shape [2, 7, 4, 3]", strides_swapped),
    "convolution_without_activation": Fault(
        "keras.namespace", "model.convolution-options", "expected 0", convolution_without_activation
    ),
    "kernel_flipped_in_parts": Fault("keras.namespace", "model.convolution-options", "the output", kernel_flipped),
    "zeros_around_pooling": Fault("keras.namespace", "model.pooling-options", "actual 0", zeros_around_pooling),
    "pooling_strides_ignored": Fault(
        "keras.namespace", "model.pooling-options", "has shape [2, 4, 3, 2]", pooling_strides_ignored
    ),
    "average_padding_ignored": Fault(
        "keras.namespace", "model.average-pooling-options", "has shape [2, 6, 3, 2]", average_padding_ignored
    ),
    "average_padded_before": Fault(
        "keras.namespace", "model.average-pooling-options", "the output", average_padded_before
    ),
    "conv_bias_of_ones": Fault(
        "keras.namespace",
        "convolution.layer-arguments",
        "the bias of a new layer",
        with_defaults("Conv2D", "relu", bias_initializer="ones"),
    ),
    "conv_strides_without_padding": Fault(
        "keras.namespace", "convolution.layer-arguments", "the outputs has shape", strides_without_padding
    ),
    "conv_strides_exchanged": Fault("keras.namespace", "convolution.layer-arguments", "the outputs", strides_exchanged),
}
