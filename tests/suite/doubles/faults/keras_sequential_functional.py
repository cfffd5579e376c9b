"""Faults of Sequential and of functional models."""

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, with_layers, with_methods, with_sequential


def two_layers_swapped(namespace):
    """Begin with the last layer, where there are two."""

    def sequential(layers=()):
        return namespace.Sequential(layers[::-1] if len(layers) == 2 else layers)

    return with_sequential(namespace, sequential)


def with_sequential_methods(**methods):
    """Return a wrong namespace, whose Sequential has other methods."""

    def wrong(namespace):
        return with_sequential(namespace, type("Sequential", (namespace.Sequential,), methods))

    return wrong


def add_copy_of_built(self, layer, **options):
    """Add a copy of a layer that has variables."""
    super(type(self), self).add(layer.from_config(layer.get_config()) if layer.weights else layer, **options)


def add_to_shared_list(self, layer, _shared=[], **options):  # noqa: B006 - kept between calls
    """Begin every model that is made without layers with those added to earlier ones."""
    if not self._layers:
        for earlier in _shared:
            super(type(self), self).add(earlier, **options)
    _shared.append(layer)
    super(type(self), self).add(layer, **options)


def other_items_left_out(namespace):
    """Take what is a layer from the list, and say nothing of the rest."""
    known = namespace.layers.Layer, type(namespace.Input(shape=(1,)))

    def sequential(layers=()):
        return namespace.Sequential([layer for layer in layers if isinstance(layer, known)])

    return with_sequential(namespace, sequential)


def inputs_in_order_of_creation(namespace):
    """Take the inputs in the order in which they were made."""

    class Model(namespace.Model):
        def __new__(cls, **tensors):
            if isinstance(tensors.get("inputs"), list):
                tensors["inputs"] = sorted(tensors["inputs"], key=lambda one: (len(one.name), one.name))
            return namespace.Model(**tensors) if tensors else super().__new__(cls)

    return Changed(namespace, Model=Model)


def outputs_in_reverse(namespace):
    """Return the last output first."""

    class Model(namespace.Model):
        def __new__(cls, **tensors):
            if isinstance(tensors.get("outputs"), list):
                tensors["outputs"] = tensors["outputs"][::-1]
            return namespace.Model(**tensors) if tensors else super().__new__(cls)

    return Changed(namespace, Model=Model)


def names_by_position(namespace):
    """Take the values of a dictionary in their order, whatever their names."""

    class Methods:
        def __call__(self, inputs, *args, **options):
            own = getattr(self, "_inputs_struct", None)
            if isinstance(inputs, dict) and isinstance(own, dict):
                inputs = dict(zip(own, inputs.values(), strict=False))
            return super().__call__(inputs, *args, **options)

    return with_methods(namespace, Methods)


def outputs_renamed(namespace):
    """Name the outputs in the order of the alphabet."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            return dict(zip(sorted(found), found.values(), strict=True)) if isinstance(found, dict) else found

    return with_methods(namespace, Methods)


def shared_layer_copied(namespace):
    """Make new weights for a Dense layer whenever it is called on another symbolic tensor."""
    symbolic = type(namespace.Input(shape=(1,)))

    class Dense(namespace.layers.Dense):
        def __call__(self, inputs, **options):
            if not (self.built and isinstance(inputs, symbolic)):
                return super().__call__(inputs, **options)
            return namespace.layers.Dense.from_config(self.get_config() | {"name": None})(inputs)

    return with_layers(namespace, Dense=Dense)


def shared_model_runs_once(namespace):
    """Compute a model that is called again in one graph by its first inputs."""

    class Methods:
        def __call__(self, inputs, **options):
            symbolic = isinstance(inputs, type(namespace.Input((1,))))
            found = super().__call__(inputs, **options)
            known = self.__dict__.get("first_output")
            if symbolic and known is not None:
                return known
            if symbolic:
                object.__setattr__(self, "first_output", found)
            return found

    return with_methods(namespace, Methods)


def last_nested_layer_lost(namespace):
    """Take the layers of an inner Sequential, but its last, in its place."""

    class Sequential(namespace.Sequential):
        def add(self, layer, **options):
            inner = layer.layers if isinstance(layer, namespace.Sequential) else [layer]
            for one in inner[:-1] or inner:
                super().add(one, **options)

    return with_sequential(namespace, Sequential)


def six_layers_at_most(namespace):
    """Leave out the layers after the sixth."""
    return with_sequential(namespace, lambda layers=None: namespace.Sequential(layers and layers[:6]))


def repeated_layers_left_out(namespace):
    """Apply layers of the same class once."""

    def sequential(layers=None):
        kept = {
            type(layer).__name__ if type(layer).__name__ == "MyLayer" else id(layer): layer for layer in layers or ()
        }
        return namespace.Sequential(list(kept.values()))

    return with_sequential(namespace, sequential)


def inputs_by_width(namespace):
    """Take several inputs in the order of their widths."""

    class Methods:
        def __call__(self, inputs, *args, **options):
            if isinstance(inputs, list) and len(inputs) > 2:
                inputs = sorted(inputs, key=lambda one: one.shape[-1])
                order = sorted(range(len(self.inputs)), key=lambda place: self.inputs[place].shape[-1])
                inputs = [inputs[(order.index(place) + 0) % len(inputs)] for place in range(len(inputs))]
                inputs = [inputs[0], *inputs[1:]]
            found = super().__call__(inputs, *args, **options)
            return found[::-1] if isinstance(inputs, list) and len(inputs) > 2 else found

    return with_methods(namespace, Methods)


def functional_output_remembered(namespace):
    """Compute the output of a model once for each shape."""

    class Methods:
        def call(self, inputs, *args, **options):
            if not hasattr(inputs, "numpy"):
                return super().call(inputs, *args, **options)
            kept = self.__dict__.setdefault("_kept", {})
            if str(inputs.shape) not in kept:
                kept[str(inputs.shape)] = super().call(inputs, *args, **options)
            return kept[str(inputs.shape)]

    return with_methods(namespace, Methods)


def types_of_inputs_ignored(namespace):
    """Make every Input float32."""
    return Changed(namespace, Input=lambda *args, **options: namespace.Input(*args, **options | {"dtype": "float32"}))


def build_puts_off(namespace):
    """Leave building to the first call."""

    class Methods:
        def build(self, input_shape=None):
            if isinstance(input_shape, tuple) and input_shape[0] is None and len(input_shape) == 4:
                return None
            return super().build(input_shape)

    return with_methods(namespace, Methods)


FAULTS = {
    "two_layers_swapped": Fault(
        "keras.namespace", "sequential_functional.chain", "doubled, then incremented", two_layers_swapped
    ),
    "add_copy_of_built": Fault(
        "keras.namespace",
        "sequential_functional.layers-as-given",
        "the layers of a second model",
        with_sequential_methods(add=add_copy_of_built),
    ),
    "add_to_shared_list": Fault(
        "keras.namespace",
        "sequential_functional.add",
        "the layers of the",
        with_sequential_methods(add=add_to_shared_list),
    ),
    "other_items_left_out": Fault(
        "keras.namespace", "sequential_functional.only-layers", "is accepted", other_items_left_out
    ),
    "inputs_in_order_of_creation": Fault(
        "keras.namespace",
        "sequential_functional.inputs-as-given",
        "twice the second less the third",
        inputs_in_order_of_creation,
    ),
    "outputs_in_reverse": Fault(
        "keras.namespace", "sequential_functional.several-outputs", "the first", outputs_in_reverse
    ),
    "names_by_position": Fault(
        "keras.namespace", "sequential_functional.named-inputs-and-outputs", "the rest", names_by_position
    ),
    "outputs_renamed": Fault(
        "keras.namespace", "sequential_functional.named-inputs-and-outputs", "the rest", outputs_renamed
    ),
    "shared_layer_copied": Fault(
        "keras.namespace", "sequential_functional.shared-variables-once", ", expected [", shared_layer_copied
    ),
    "shared_model_runs_once": Fault(
        "keras.namespace",
        "sequential_functional.shared-models",
        "the output of the shared model for the second",
        shared_model_runs_once,
    ),
    "last_nested_layer_lost": Fault(
        "keras.namespace", "sequential_functional.nested-forms", "model(X)", last_nested_layer_lost
    ),
    "six_layers_at_most": Fault(
        "keras.namespace", "sequential_functional.many-layers", "expected 1015", six_layers_at_most
    ),
    "repeated_layers_left_out": Fault(
        "keras.namespace", "sequential_functional.many-layers", "expected 1015", repeated_layers_left_out
    ),
    "inputs_by_width": Fault(
        "keras.namespace", "sequential_functional.three-inputs", "the first output", inputs_by_width
    ),
    "functional_output_remembered": Fault(
        "keras.namespace", "sequential_functional.repeated-calls", "model(X)", functional_output_remembered
    ),
    "types_of_inputs_ignored": Fault(
        "keras.namespace", "sequential_functional.input-type", "expected int32", types_of_inputs_ignored
    ),
    "build_puts_off": Fault("keras.namespace", "sequential_functional.build-by-shape", "", build_puts_off),
}
