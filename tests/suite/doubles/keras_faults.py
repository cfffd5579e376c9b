"""Faults of the programming interface: a namespace of Keras in which one thing is wrong."""

import numpy as np

from doubles.faulty import Fault


class Changed:
    """A namespace with some of its names exchanged."""

    def __init__(self, namespace, **names):
        self._namespace = namespace
        self.__dict__.update(names)

    def __getattr__(self, name):
        return getattr(self._namespace, name)


def with_sequential(namespace, sequential):
    """Exchange Sequential, under both of its names."""
    return Changed(namespace, Sequential=sequential, models=Changed(namespace.models, Sequential=sequential))


def with_methods(namespace, methods):
    """Exchange methods of every model.

    Args:
        namespace: The right one.
        methods: A class that has them, to be inherited before the right one.

    """

    class Sequential(methods, namespace.Sequential):
        pass

    class Model(methods, namespace.Model):
        def __new__(cls, *args, **options):
            # Keras itself would make every class that inherits this one a Functional model.
            return super().__new__(Functional if cls is Model and (args or options) else cls, *args, **options)

    symbolic = namespace.Input(shape=(1,))

    class Functional(Model, type(namespace.Model(symbolic, symbolic))):
        pass

    return Changed(with_sequential(namespace, Sequential), Model=Model)


def with_layers(namespace, **layers):
    """Exchange layers."""
    return Changed(namespace, layers=Changed(namespace.layers, **layers))


def two_layers_swapped(namespace):
    """Begin with the last layer, where there are two."""

    def sequential(layers=()):
        return namespace.Sequential(layers[::-1] if len(layers) == 2 else layers)

    return with_sequential(namespace, sequential)


def other_items_left_out(namespace):
    """Take what is a layer from the list, and say nothing of the rest."""
    known = namespace.layers.Layer, type(namespace.Input(shape=(1,)))

    def sequential(layers=()):
        return namespace.Sequential([layer for layer in layers if isinstance(layer, known)])

    return with_sequential(namespace, sequential)


def outputs_in_reverse(namespace):
    """Return the last output first."""

    class Model(namespace.Model):
        def __new__(cls, **tensors):
            if isinstance(tensors.get("outputs"), list):
                tensors["outputs"] = tensors["outputs"][::-1]
            return namespace.Model(**tensors) if tensors else super().__new__(cls)

    return Changed(namespace, Model=Model)


def shared_layer_copied(namespace):
    """Make new weights for a Dense layer whenever it is called on another symbolic tensor."""
    symbolic = type(namespace.Input(shape=(1,)))

    class Dense(namespace.layers.Dense):
        def __call__(self, inputs, **options):
            if not (self.built and isinstance(inputs, symbolic)):
                return super().__call__(inputs, **options)
            return namespace.layers.Dense.from_config(self.get_config() | {"name": None})(inputs)

    return with_layers(namespace, Dense=Dense)


def last_batch_left_out(namespace):
    """Drop the examples that fill no batch."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if y is not None and batch_size is not None and len(y) > batch_size:
                whole = len(y) - len(y) % batch_size
                x, y = x[:whole], y[:whole]
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def one_value_too_many(namespace):
    """Begin the history before the first epoch."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            for values in history.history.values():
                values.insert(0, values[0])
            return history

    return with_methods(namespace, Methods)


def never_shuffled(namespace):
    """Take the examples in their order when nothing is said of it."""

    class Methods:
        def fit(self, *args, shuffle=False, **options):
            return super().fit(*args, shuffle=shuffle, **options)

    return with_methods(namespace, Methods)


def initial_epoch_ignored(namespace):
    """Go through the data as many times as epochs says."""

    class Methods:
        def fit(self, *args, initial_epoch=0, **options):
            return super().fit(*args, **options)

    return with_methods(namespace, Methods)


def validation_trained_on(namespace):
    """Learn from the validation data as well."""

    class Methods:
        def fit(self, *args, validation_data=None, **options):
            if isinstance(validation_data, tuple):
                super().fit(*validation_data, verbose=0)
            return super().fit(*args, validation_data=validation_data, **options)

    return with_methods(namespace, Methods)


def mean_of_batches(namespace):
    """Average what evaluate gives for the batches, and count a smaller one as much as the others."""

    class Methods:
        def evaluate(self, x, y=None, batch_size=None, *, return_dict=False, **options):
            evaluate = super().evaluate
            if y is None or batch_size is None or return_dict:
                return evaluate(x, y, batch_size=batch_size, return_dict=return_dict, **options)
            starts = range(0, len(y), batch_size)
            batches = (slice(start, start + batch_size) for start in starts)
            return np.mean([evaluate(x[batch], y[batch], **options) for batch in batches], axis=0).tolist()

    return with_methods(namespace, Methods)


def metrics_in_reverse(namespace):
    """Compute the last metric first."""

    class Methods:
        def compile(self, *args, metrics=None, **options):
            return super().compile(*args, metrics=metrics and metrics[::-1], **options)

    return with_methods(namespace, Methods)


def dropout_always_on(namespace):
    """Let Dropout do in inference what it does in training."""

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=True)

    return with_layers(namespace, Dropout=Dropout)


def namespace_fault(claim, tells, wrong):
    """Describe a fault of the namespace."""
    return Fault("keras.namespace", claim, tells, wrong)


KERAS_FAULTS = {
    "two_layers_swapped": namespace_fault(
        "sequential_functional.chain", "doubled, then incremented", two_layers_swapped
    ),
    "other_items_left_out": namespace_fault("sequential_functional.only-layers", "is accepted", other_items_left_out),
    "outputs_in_reverse": namespace_fault("sequential_functional.several-outputs", "the first", outputs_in_reverse),
    "shared_layer_copied": namespace_fault(
        "sequential_functional.shared-variables-once", ", expected [", shared_layer_copied
    ),
    "last_batch_left_out": namespace_fault("compile_fit.smaller-last-batch", "0.0 == 0.5", last_batch_left_out),
    "one_value_too_many": namespace_fault("compile_fit.history", "'loss': 4", one_value_too_many),
    "never_shuffled": namespace_fault("compile_fit.shuffles", "[0, 1, 2", never_shuffled),
    "initial_epoch_ignored": namespace_fault("compile_fit.initial-epoch", "(6, 3)", initial_epoch_ignored),
    "validation_trained_on": namespace_fault(
        "compile_fit.validation-trains-nothing", "(0.65625, 5)", validation_trained_on
    ),
    "mean_of_batches": namespace_fault("compile_fit.evaluate-counts-examples", "the metric of labels", mean_of_batches),
    "metrics_in_reverse": namespace_fault("compile_fit.evaluate-order", "the metrics", metrics_in_reverse),
    "dropout_always_on": namespace_fault("compile_fit.evaluate-in-inference-mode", "== 1", dropout_always_on),
}
