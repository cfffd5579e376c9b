"""Faults of the layers of Keras: with arguments, or for inputs, that the document's own programs do not have."""

from __future__ import annotations

from doubles.faulty import Fault
from doubles.keras_faults import namespace_fault, with_layers


def with_defaults(layer, activation, **defaults):
    """Return a namespace in which a layer with an activation has other defaults."""

    def wrong(namespace):
        right = getattr(namespace.layers, layer)

        class Wrong(right):
            def __init__(self, *arguments, activation=None, **options):
                changed = {**defaults, **options} if activation == of_activation else options
                super().__init__(*arguments, activation=activation, **changed)

        of_activation = activation
        Wrong.__name__ = layer
        return with_layers(namespace, **{layer: Wrong})

    return wrong


def bias_initializer_lost(layer, lost):
    """Return a namespace in which a layer with certain arguments ignores the initializer of its bias."""

    def wrong(namespace):
        right = getattr(namespace.layers, layer)

        class Wrong(right):
            def __init__(self, *arguments, bias_initializer="zeros", **options):
                ignored = len(arguments) > 1 or options.keys() & lost
                super().__init__(*arguments, bias_initializer="zeros" if ignored else bias_initializer, **options)

        Wrong.__name__ = layer
        return with_layers(namespace, **{layer: Wrong})

    return wrong


def bias_kept(namespace):
    """Give every Dense layer with an activation a bias."""

    class Dense(namespace.layers.Dense):
        def __init__(self, units, activation=None, *, use_bias=True, **options):
            super().__init__(units, activation=activation, use_bias=use_bias or activation is not None, **options)

    return with_layers(namespace, Dense=Dense)


def sequences_reversed(namespace):
    """Go through the rows of a Dense layer's inputs from the last to the first, where they have rank 3."""

    class Dense(namespace.layers.Dense):
        def call(self, inputs, *arguments, **options):
            return super().call(inputs[:, ::-1] if len(inputs.shape) == 3 else inputs, *arguments, **options)

    return with_layers(namespace, Dense=Dense)


def softmax_of_the_second_axis(namespace):
    """Let Softmax sum over the second axis."""

    class Softmax(namespace.layers.Softmax):
        def __init__(self, axis=1, **options):
            super().__init__(axis=axis, **options)

    return with_layers(namespace, Softmax=Softmax)


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


def channels_flattened_first(namespace):
    """Flatten channel by channel."""

    class Flatten(namespace.layers.Flatten):
        def call(self, inputs):
            several = len(inputs.shape) == 4 and inputs.shape[-1] > 1
            return super().call(namespace.layers.Permute((3, 1, 2))(inputs) if several else inputs)

    return with_layers(namespace, Flatten=Flatten)


def squares_by_columns(namespace):
    """Write squares column by column."""

    class Reshape(namespace.layers.Reshape):
        def call(self, inputs):
            outputs = super().call(inputs)
            square = len(outputs.shape) == 3 and outputs.shape[1] == outputs.shape[2]
            return namespace.layers.Permute((2, 1))(outputs) if square else outputs

    return with_layers(namespace, Reshape=Reshape)


def activation_lost_without_bias(layer):
    """Return a namespace in which a layer without a bias has no activation."""

    def wrong(namespace):
        right = getattr(namespace.layers, layer)

        class Wrong(right):
            def __init__(self, *arguments, use_bias=True, **options):
                super().__init__(*arguments, use_bias=use_bias, **options)
                self.activation = self.activation if use_bias else namespace.activations.linear

        Wrong.__name__ = layer
        return with_layers(namespace, **{layer: Wrong})

    return wrong


def cell_with(**defaults):
    """Return a namespace in which LSTMCell has other defaults."""

    def wrong(namespace):
        class LSTMCell(namespace.layers.LSTMCell):
            def __init__(self, *arguments, **options):
                super().__init__(*arguments, **{**defaults, **options})

        return with_layers(namespace, LSTMCell=LSTMCell)

    return wrong


def small_batches_alone(dataset, inputs, targets, batch_size):
    """Make batches of 32 or fewer."""
    return dataset(inputs, targets, min(batch_size, 32))


def whole_floats_accepted(linear_layer, units, **options):
    """Take a floating-point number of units if it is whole."""
    return linear_layer(int(units) if isinstance(units, float) and units.is_integer() else units, **options)


def square_images_transposed(image_batches, *arguments, image_size, **options):
    """Exchange rows and columns of square images."""
    found = image_batches(*arguments, image_size=image_size, **options)
    if image_size[0] != image_size[1]:
        return found
    return [(images.swapaxes(1, 2), labels) for images, labels in found]


KERAS_LAYER_FAULTS = {
    "dense_bias_of_ones": namespace_fault(
        "dense.bias-initializer-default",
        "the bias of a new layer",
        with_defaults("Dense", "tanh", bias_initializer="ones"),
    ),
    "dense_bias_initializer_lost": namespace_fault(
        "dense.initializers", "the bias", bias_initializer_lost("Dense", {"activation"})
    ),
    "conv_bias_initializer_lost": namespace_fault(
        "convolution.constant-initializer", "the bias", bias_initializer_lost("Conv2D", {"activation", "strides"})
    ),
    "dense_kernel_by_he": namespace_fault(
        "dense.kernel-initializer-default",
        "GlorotUniform",
        with_defaults("Dense", "relu", kernel_initializer="he_uniform"),
    ),
    "dense_bias_kept": namespace_fault("dense.without-bias-variable", "(4,)", bias_kept),
    "dense_sequences_reversed": namespace_fault("dense.units", "the output", sequences_reversed),
    "softmax_of_the_second_axis": namespace_fault("softmax.layer", "layers.Softmax()", softmax_of_the_second_axis),
    "conv_bias_of_ones": namespace_fault(
        "convolution.layer-arguments",
        "the bias of a new layer",
        with_defaults("Conv2D", "relu", bias_initializer="ones"),
    ),
    "conv_strides_without_padding": namespace_fault(
        "convolution.layer-arguments", "the outputs has shape", strides_without_padding
    ),
    "conv_strides_exchanged": namespace_fault("convolution.layer-arguments", "the outputs", strides_exchanged),
    "dense_activation_lost_without_bias": namespace_fault(
        "model.activations", "relu and use_bias=False", activation_lost_without_bias("Dense")
    ),
    "conv_activation_lost_without_bias": namespace_fault(
        "model.convolution-options", "the output", activation_lost_without_bias("Conv2D")
    ),
    "cell_forget_bias_of_0": namespace_fault("rnn.cell-initializers", "the bias", cell_with(unit_forget_bias=False)),
    "cell_kernel_by_lecun": namespace_fault(
        "rnn.cell-initializers", "the kernel", cell_with(kernel_initializer="lecun_uniform")
    ),
    "cell_recurrent_kernel_by_glorot": namespace_fault(
        "rnn.cell-initializers", "from orthogonal", cell_with(recurrent_initializer="glorot_uniform")
    ),
    "channels_flattened_first": namespace_fault("mlp.flatten-layer", "Flatten", channels_flattened_first),
    "squares_by_columns": namespace_fault("cnn.reshape-layer", "Reshape", squares_by_columns),
    "whole_floats_accepted": Fault(
        "keras.linear_layer", "custom_layer.robust-units", "units=2.0 is accepted", whole_floats_accepted
    ),
    "dataset_of_small_batches": Fault(
        "keras.dataset", "compile_fit.dataset-has-its-batches", "== 4", small_batches_alone
    ),
    "square_images_transposed": Fault("flowers.image_batches", "flowers.resize", "image", square_images_transposed),
}
