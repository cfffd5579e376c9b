"""Faults of the initializers of the layers of Keras."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, with_defaults, with_layers


def _initialized(namespace, name, draw):
    """Let Dense and Conv2D draw their kernels by another function of the shape and Glorot's limit."""

    def initializer(shape, dtype=None):
        window = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
        return namespace.ops.convert_to_tensor(draw(np.random.default_rng(), limit, shape).astype(np.float32))

    def made(layer):
        class Drawn(layer):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                if "kernel_initializer" not in options:
                    self._draw = initializer

            def add_weight(self, *args, name=None, initializer=None, **options):
                own = getattr(self, "_draw", None)
                if name == "kernel" and own:
                    initializer = own
                return super().add_weight(*args, name=name, initializer=initializer, **options)

        Drawn.__name__ = layer.__name__
        return Drawn

    return with_layers(namespace, **{name: made(getattr(namespace.layers, name))})


def kernels_above_zero(namespace):
    """Draw kernels between 0 and the limit."""
    return _initialized(namespace, "Dense", lambda generator, limit, shape: generator.uniform(0, limit, shape))


def kernels_of_eight_bits(namespace):
    """Draw one of 256 values."""

    def draw(generator, limit, shape):
        return limit * (generator.integers(0, 256, shape) / 127.5 - 1)

    return _initialized(namespace, "Dense", draw)


def window_left_out_of_fans(namespace):
    """Count channels and filters alone for the limit of a convolution."""

    def draw(generator, limit, shape):
        limit = np.sqrt(6 / (shape[-2] + shape[-1]))
        return generator.uniform(-limit, limit, shape)

    return _initialized(namespace, "Conv2D", draw)


def kernels_truncated_normal(namespace):
    """Draw from a normal distribution cut off at the limit."""

    def draw(generator, limit, shape):
        return np.clip(generator.normal(0, limit / np.sqrt(3), shape), -limit, limit)

    return _initialized(namespace, "Dense", draw)


def kernels_alike(namespace):
    """Begin every layer from the same seed."""

    def draw(_, limit, shape):
        return np.random.default_rng(0).uniform(-limit, limit, shape)

    return _initialized(namespace, "Dense", draw)


def constant_is_a_deviation(namespace):
    """Draw around 0 with what should be the constant."""

    class Constant(namespace.initializers.Constant):
        def __call__(self, shape, dtype=None):
            return super().__call__(shape, dtype=dtype) * 2

    return Changed(namespace, initializers=Changed(namespace.initializers, Constant=Constant))


def initializer_seed_ignored(namespace):
    """Draw again whatever the seed."""

    class GlorotUniform(namespace.initializers.GlorotUniform):
        def __init__(self, seed=None):
            super().__init__(seed=None)

    return Changed(namespace, initializers=Changed(namespace.initializers, GlorotUniform=GlorotUniform))


def initializer_seed_fixed(namespace):
    """Draw the same whatever the seed."""

    class GlorotUniform(namespace.initializers.GlorotUniform):
        def __init__(self, seed=None):
            super().__init__(seed=0)

    return Changed(namespace, initializers=Changed(namespace.initializers, GlorotUniform=GlorotUniform))


def bias_always_zeros(namespace):
    """Start the bias of Dense from 0."""

    class Dense(namespace.layers.Dense):
        def __init__(self, *args, bias_initializer="zeros", **options):
            super().__init__(*args, bias_initializer="zeros", **options)

    return with_layers(namespace, Dense=Dense)


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


def cell_with(**defaults):
    """Return a namespace in which LSTMCell has other defaults."""

    def wrong(namespace):
        class LSTMCell(namespace.layers.LSTMCell):
            def __init__(self, *arguments, **options):
                super().__init__(*arguments, **{**defaults, **options})

        return with_layers(namespace, LSTMCell=LSTMCell)

    return wrong


FAULTS = {
    "kernels_above_zero": Fault(
        "keras.namespace", "model.kernels-are-drawn-evenly", "uniform draws look as uneven", kernels_above_zero
    ),
    "kernels_of_eight_bits": Fault(
        "keras.namespace", "model.kernels-are-drawn-evenly", "256 > ", kernels_of_eight_bits
    ),
    "window_left_out_of_fans": Fault(
        "keras.namespace", "model.kernels-are-drawn-evenly", "but the limit for a kernel", window_left_out_of_fans
    ),
    "kernels_truncated_normal": Fault(
        "keras.namespace", "model.kernels-are-drawn-evenly", "uniform draws look as uneven", kernels_truncated_normal
    ),
    "kernels_alike": Fault("keras.namespace", "model.kernels-differ", "the kernels are", kernels_alike),
    "constant_doubled": Fault("keras.namespace", "model.initializers", "Constant(): 6 of 6", constant_is_a_deviation),
    "initializer_seed_ignored": Fault(
        "keras.namespace", "model.initializer-seed", "the kernel with the same seed", initializer_seed_ignored
    ),
    "initializer_seed_fixed": Fault(
        "keras.namespace", "model.initializer-seed", "two seeds draw the same kernel", initializer_seed_fixed
    ),
    "dense_kernel_by_he": Fault(
        "keras.namespace",
        "dense.kernel-initializer-default",
        "GlorotUniform",
        with_defaults("Dense", "relu", kernel_initializer="he_uniform"),
    ),
    "dense_bias_of_ones": Fault(
        "keras.namespace",
        "dense.bias-initializer-default",
        "the bias of a new layer",
        with_defaults("Dense", "tanh", bias_initializer="ones"),
    ),
    "bias_always_zeros": Fault("keras.namespace", "dense.initializers", "the bias", bias_always_zeros),
    "dense_bias_initializer_lost": Fault(
        "keras.namespace", "dense.initializers", "the bias", bias_initializer_lost("Dense", {"activation"})
    ),
    "conv_bias_initializer_lost": Fault(
        "keras.namespace",
        "convolution.constant-initializer",
        "the bias",
        bias_initializer_lost("Conv2D", {"activation", "strides"}),
    ),
    "cell_forget_bias_of_0": Fault(
        "keras.namespace", "rnn.cell-initializers", "the bias", cell_with(unit_forget_bias=False)
    ),
    "cell_kernel_by_lecun": Fault(
        "keras.namespace", "rnn.cell-initializers", "the kernel", cell_with(kernel_initializer="lecun_uniform")
    ),
    "cell_recurrent_kernel_by_glorot": Fault(
        "keras.namespace", "rnn.cell-initializers", "from orthogonal", cell_with(recurrent_initializer="glorot_uniform")
    ),
}
