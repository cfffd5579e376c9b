"""Namespaces of Keras in which a fault exchanges a part."""


def whole_batches(size, *arrays):
    """Leave out the examples that fill no batch."""
    count = len(arrays[0]) - len(arrays[0]) % size if size and len(arrays[0]) > size else len(arrays[0])
    return [array if array is None else array[:count] for array in arrays]


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


def with_base(namespace, module, name, **methods):
    """Exchange the class that layers or metrics of one's own inherit."""
    right = getattr(namespace, module)
    return Changed(namespace, **{module: Changed(right, **{name: type(name, (getattr(right, name),), methods)})})
