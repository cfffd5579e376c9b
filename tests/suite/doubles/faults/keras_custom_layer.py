"""Faults of custom layers, and of what they inherit."""

from __future__ import annotations

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import with_base, with_layers
from doubles.late_tensorflow import tf


def _layer(namespace, **methods):
    return with_layers(namespace, Layer=type("Layer", (namespace.layers.Layer,), methods))


def _adding(namespace, change):
    """Change the arguments of add_weight."""

    def add_weight(self, *args, **options):
        return namespace.layers.Layer.add_weight(self, *args, **change(dict(options)))

    return _layer(namespace, add_weight=add_weight)


def drawn_normal(namespace):
    """Draw from a normal distribution where no initializer is given."""
    return _adding(namespace, lambda options: {"initializer": "glorot_normal"} | options)


def drawn_above_zero_by_default(namespace):
    """Draw between 0 and the limit where no initializer is given."""

    def above(shape, dtype=None):
        limit = (6 / sum(shape)) ** 0.5
        return namespace.random.uniform(shape, 0, limit)

    return _adding(namespace, lambda options: {"initializer": above} | options)


def weights_of_the_last_instance(namespace):
    """Let a new layer's weight start from that of the last layer of its class."""
    last = {}

    def add_weight(self, *args, **options):
        weight = namespace.layers.Layer.add_weight(self, *args, **options)
        key = type(self), options.get("name"), tuple(weight.shape)
        if key in last:
            weight.assign(last[key])
        last[key] = weight
        return weight

    return with_base(namespace, "layers", "Layer", add_weight=add_weight)


def names_numbered(namespace):
    """Number the variables instead of naming them."""
    count = iter(range(10**6))
    return _adding(namespace, lambda options: options | {"name": f"variable_{next(count)}"})


def initializer_objects_ignored(namespace):
    """Take initializers by their names alone."""

    def change(options):
        own = options.get("initializer")
        return options if own is None or isinstance(own, str) else options | {"initializer": "zeros"}

    return _adding(namespace, change)


def types_ignored(namespace):
    """Make every variable float32."""
    return _adding(namespace, lambda options: options | {"dtype": "float32"})


def always_trainable(namespace):
    """Make every variable trainable."""
    return _adding(namespace, lambda options: options | {"trainable": True})


class _Hidden:
    """A list that nobody takes for one."""

    def __init__(self, items):
        self._items = items

    def __iter__(self):
        return iter(self._items)


def lists_of_layers_unseen(namespace):
    """Know the layers that are attributes of a layer, and none in lists."""

    def __setattr__(self, name, value):  # noqa: N807 - the method's name
        if isinstance(value, list) and value and isinstance(value[0], namespace.layers.Layer):
            value = _Hidden(value)
        namespace.layers.Layer.__setattr__(self, name, value)

    return _layer(namespace, __setattr__=__setattr__)


def further_arguments_lost(namespace):
    """Pass only the first argument by position to the call of a custom layer."""

    class Layer(namespace.layers.Layer):
        def __call__(self, *args, **options):
            return super().__call__(*args[:1], **options)

    return with_layers(namespace, Layer=Layer)


def mode_untold(namespace):
    """Tell custom layers nothing of the mode."""

    def __call__(self, *args, training=None, **options):  # noqa: N807 - the method's name
        return namespace.layers.Layer.__call__(self, *args, training=False, **options)

    def call(self, inputs):
        raise NotImplementedError

    return _layer(namespace, __call__=__call__, call=call)


def drawn_above_zero(linear_layer, units, kernel_initializer=None, **options):
    """Draw the kernel between 0 and the limit."""

    def above(shape, dtype=None):
        limit = np.sqrt(6 / sum(shape))
        return np.random.default_rng().uniform(0, limit, shape).astype(np.float32)

    return linear_layer(units, kernel_initializer=kernel_initializer or above, **options)


def drawn_alike(linear_layer, units, kernel_initializer=None, **options):
    """Start every layer from the same kernel."""

    def alike(shape, dtype=None):
        limit = np.sqrt(6 / sum(shape))
        return np.random.default_rng(0).uniform(-limit, limit, shape).astype(np.float32)

    return linear_layer(units, kernel_initializer=kernel_initializer or alike, **options)


def zero_kernel(linear_layer, units, kernel_initializer="zeros", **options):
    """Start from zeros."""
    return linear_layer(units, kernel_initializer=kernel_initializer, **options)


def bias_forgotten(linear_layer, units, **options):
    """Multiply and be done."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            return super().call(inputs) - self.variables[1]

    return Layer(units, **options)


def started_anew_at_each_call(linear_layer, units, **options):
    """Forget at each call what was learnt."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            for variable in self.variables:
                variable.assign(variable * 0)
            return super().call(inputs)

    return Layer(units, **options)


def started_anew_at_another_rank(linear_layer, units, **options):
    """Draw the kernel again for inputs of another rank than the last ones."""

    class Layer(type(linear_layer(1))):
        rank = None

        def call(self, inputs):
            if self.rank not in {None, len(inputs.shape)}:
                self.w.assign(self.kernel_initializer(self.w.shape))
            self.rank = len(inputs.shape)
            return super().call(inputs)

    return Layer(units, **options)


def bias_lost(linear_layer, units, **options):
    """Keep the bias from those who ask for the variables."""

    class Layer(type(linear_layer(1))):
        @property
        def variables(self):
            return super().variables[:1]

    return Layer(units, **options)


def units_unchecked(linear_layer, units, **options):
    """Take an invalid number of units for 1."""
    return linear_layer(units if isinstance(units, int) and units > 0 else 1, **options)


def whole_floats_accepted(linear_layer, units, **options):
    """Take a floating-point number of units if it is whole."""
    return linear_layer(int(units) if isinstance(units, float) and units.is_integer() else units, **options)


def initializer_not_configured(linear_layer, units, **options):
    """Leave an argument out of the configuration."""

    class Layer(type(linear_layer(1))):
        def get_config(self):
            return {name: value for name, value in super().get_config().items() if name != "kernel_initializer"}

    return Layer(units, **options)


def columns_up_to_1024(linear_layer, units, **options):
    """Compute 1,024 columns, and leave 0 in the rest."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            return super().call(inputs) * (np.arange(self.units) < 1_024).astype(np.float32)

    return Layer(units, **options)


def gradient_doubled(linear_layer, units, **options):
    """Learn twice as fast as the output says."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            output = super().call(inputs)
            return 2 * output - tf.stop_gradient(output)

    return Layer(units, **options)


def layer_output_kept(linear_layer, units, **options):
    """Compute the output once for each shape of inputs and each state of the kernel."""
    kept = {}

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            key = str(inputs.shape), str(self.w.numpy()) if hasattr(inputs, "numpy") else None
            kept.setdefault(key, super().call(inputs))
            return kept[key] if key[1] else super().call(inputs)

    return Layer(units, **options)


def open_axes_filled(linear_layer, units, **options):
    """Give symbolic outputs a batch of 1."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            output = super().call(inputs)
            return output if hasattr(inputs, "numpy") else tf.ensure_shape(output, [1, *output.shape[1:]])

        def compute_output_shape(self, input_shape):
            return 1, *super().compute_output_shape(input_shape)[1:]

    return Layer(units, **options)


FAULTS = {
    "drawn_normal": Fault(
        "keras.namespace", "custom_layer.add-weight-default", "expected at most 0.2335", drawn_normal
    ),
    "drawn_above_zero_by_default": Fault(
        "keras.namespace", "custom_layer.add-weight-default", "look this uneven", drawn_above_zero_by_default
    ),
    "weights_of_the_last_instance": Fault(
        "keras.namespace", "custom_layer.instances-are-apart", "the output of a new layer", weights_of_the_last_instance
    ),
    "names_numbered": Fault("keras.namespace", "custom_layer.add-weight-options", "['variable_", names_numbered),
    "initializer_objects_ignored": Fault(
        "keras.namespace", "custom_layer.add-weight-options", "first: 3 of 3", initializer_objects_ignored
    ),
    "types_ignored": Fault(
        "keras.namespace", "custom_layer.add-weight-options", "number has dtype float32", types_ignored
    ),
    "always_trainable": Fault(
        "keras.namespace", "custom_layer.add-weight-options", "the same variables as [", always_trainable
    ),
    "lists_of_layers_unseen": Fault(
        "keras.namespace", "custom_layer.layers-in-layers", "[(3, 3), (3,)] ==", lists_of_layers_unseen
    ),
    "further_arguments_lost": Fault(
        "keras.namespace", "custom_layer.further-arguments", "a tensor by position", further_arguments_lost
    ),
    "mode_untold": Fault("keras.namespace", "custom_layer.training-argument", "{False} == {True}", mode_untold),
    "drawn_above_zero": Fault("keras.linear_layer", "custom_layer.robust-start", "look this uneven", drawn_above_zero),
    "drawn_alike": Fault("keras.linear_layer", "custom_layer.robust-start", "the same kernel", drawn_alike),
    "zero_kernel": Fault(
        "keras.linear_layer", "custom_layer.robust-learns", "[False, False, False, True]", zero_kernel
    ),
    "bias_forgotten": Fault(
        "keras.linear_layer", "custom_layer.robust-initializers", "actual 6, expected 7", bias_forgotten
    ),
    "started_anew_at_each_call": Fault(
        "keras.linear_layer", "custom_layer.robust-builds-once", "actual 0, expected 16", started_anew_at_each_call
    ),
    "started_anew_at_another_rank": Fault(
        "keras.linear_layer", "custom_layer.robust-builds-once", "the sums plus 1", started_anew_at_another_rank
    ),
    "bias_lost": Fault("keras.linear_layer", "custom_layer.robust-variables", "[(3, 4), (4, 1)]", bias_lost),
    "units_unchecked": Fault("keras.linear_layer", "custom_layer.robust-units", "is accepted", units_unchecked),
    "whole_floats_accepted": Fault(
        "keras.linear_layer", "custom_layer.robust-units", "units=2.0 is accepted", whole_floats_accepted
    ),
    "initializer_not_configured": Fault(
        "keras.linear_layer", "custom_layer.robust-configuration", "the sums plus 1", initializer_not_configured
    ),
    "columns_up_to_1024": Fault("keras.linear_layer", "custom_layer.robust-large", "actual 0", columns_up_to_1024),
    "gradient_doubled": Fault(
        "keras.linear_layer", "custom_layer.robust-trains", "the trained parameters", gradient_doubled
    ),
    "layer_output_kept": Fault(
        "keras.linear_layer", "custom_layer.robust-instances", "other inputs", layer_output_kept
    ),
    "open_axes_filled": Fault("keras.linear_layer", "custom_layer.robust-symbolic", "(1, 2)", open_axes_filled),
}
