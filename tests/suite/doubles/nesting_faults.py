"""Faults of models: what they know of their layers, and what one call leaves to the next."""

import numpy as np

from doubles.keras_faults import namespace_fault, with_layers, with_methods, with_sequential


def containers_unseen(namespace):
    """Know the layers that are attributes, and none in lists and dictionaries."""

    def visible(model, variables):
        hidden = {
            id(variable)
            for value in vars(model).values()
            if isinstance(value, list | tuple | dict)
            and type(value).__name__.startswith(("Tracked", "list", "dict", "tuple"))
            for layer in _flat(value)
            for variable in getattr(layer, "variables", ())
        }
        return [variable for variable in variables if id(variable) not in hidden]

    return _listing(namespace, visible)


def _listing(namespace, visible):
    class Methods:
        @property
        def variables(self):
            return visible(self, super().variables) if hasattr(self, "kept") else super().variables

        @property
        def trainable_variables(self):
            found = super().trainable_variables
            return visible(self, found) if hasattr(self, "kept") else found

    return with_methods(namespace, Methods)


def _flat(container):
    for one in container.values() if isinstance(container, dict) else container:
        if isinstance(one, list | tuple | dict):
            yield from _flat(one)
        else:
            yield one


def dictionaries_unseen(namespace):
    """Know the layers of lists, and none of dictionaries."""

    def visible(model, variables):
        kept = getattr(model, "kept", None)
        layers = _flat(kept) if isinstance(kept, dict) else ()
        hidden = {id(variable) for layer in layers for variable in layer.variables}
        return [variable for variable in variables if id(variable) not in hidden]

    return _listing(namespace, visible)


def inner_lists_unseen(namespace):
    """Look one level deep into a list."""

    def visible(model, variables):
        kept = getattr(model, "kept", None)
        inner = [one for one in kept if isinstance(one, list | tuple)] if isinstance(kept, list | tuple) else ()
        hidden = {id(variable) for layer in _flat(list(inner)) for variable in layer.variables}
        return [variable for variable in variables if id(variable) not in hidden]

    return _listing(namespace, visible)


def appended_unseen(namespace):
    """Know the layers that a list holds when the model gets it."""

    class Methods:
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "kept" and isinstance(value, list) and not value:
                object.__setattr__(self, "_empty_at_first", True)

        @property
        def variables(self):
            return [] if getattr(self, "_empty_at_first", False) else super().variables

    return with_methods(namespace, Methods)


def variables_sorted_by_size(namespace):
    """List the smallest variable first."""
    return _listing(namespace, lambda _, variables: sorted(variables, key=lambda one: int(np.prod(one.shape))))


def only_two_levels(namespace):
    """Look no deeper than into the layers of layers."""

    def visible(model, variables):
        deep = [
            variable
            for child in model.layers
            for grandchild in getattr(child, "layers", ())
            for layer in getattr(grandchild, "layers", ())
            for variable in layer.variables
        ]
        return [variable for variable in variables if not any(variable is one for one in deep)]

    return _listing(namespace, visible)


def trainable_stays_outside(namespace):
    """Set trainable of the model itself, and leave its layers alone."""

    class Methods:
        @property
        def trainable(self):
            return getattr(self, "_own_trainable", True)

        @trainable.setter
        def trainable(self, value):
            object.__setattr__(self, "_own_trainable", bool(value))

        @property
        def trainable_variables(self):
            return super().trainable_variables if self.trainable else []

    return with_methods(namespace, Methods)


def trainable_reaches_one_level(namespace):
    """Set trainable on the layers of the model, and not on theirs."""

    class Methods:
        @property
        def trainable(self):
            return getattr(self, "_own_trainable", True)

        @trainable.setter
        def trainable(self, value):
            object.__setattr__(self, "_own_trainable", bool(value))
            for layer in self.layers:
                if not getattr(layer, "layers", None):
                    layer.trainable = value

    return with_methods(namespace, Methods)


def never_thawed(namespace):
    """Leave layers frozen when the model becomes trainable again."""

    class Methods:
        @property
        def trainable(self):
            return getattr(self, "_own_trainable", True)

        @trainable.setter
        def trainable(self, value):
            object.__setattr__(self, "_own_trainable", bool(value))
            if not value:
                for layer in self.layers:
                    layer.trainable = False

    return with_methods(namespace, Methods)


def frozen_is_trained(namespace):
    """Train every variable, whatever trainable says."""

    class Methods:
        def fit(self, *args, **options):
            frozen = [layer for layer in self._flatten_layers() if not layer.trainable]
            for layer in frozen:
                layer.trainable = True
            result = super().fit(*args, **options)
            for layer in frozen:
                layer.trainable = False
            return result

    return with_methods(namespace, Methods)


def output_remembered(namespace):
    """Return the last output where inputs of the same shape come."""

    class Methods:
        def __call__(self, inputs, **options):
            shape = str(getattr(inputs, "shape", None))
            kept = self.__dict__.setdefault("_outputs", {})
            if shape not in kept or options:
                kept[shape] = super().__call__(inputs, **options)
            return kept[shape]

    return with_methods(namespace, Methods)


def batch_of_the_first_call(namespace):
    """Take no more examples than the first call had."""

    class Methods:
        def __call__(self, inputs, **options):
            count = getattr(inputs, "shape", [None])[0]
            first = self.__dict__.setdefault("_count", count)
            return super().__call__(inputs[:first] if count and first and count > first else inputs, **options)

    return with_methods(namespace, Methods)


def weights_of_the_class(namespace):
    """Set the weights of every model of a class."""
    models = []

    class Methods:
        def set_weights(self, weights):
            models.append(self)
            for other in {
                id(one): one for one in _instances if one.built and type(one).__name__ == type(self).__name__
            }.values():
                if [w.shape for w in other.get_weights()] == [np.shape(w) for w in weights]:
                    namespace.Model.set_weights(other, weights)

        def __call__(self, *args, **options):
            _instances.append(self)
            return super().__call__(*args, **options)

    _instances = []
    return with_methods(namespace, Methods)


def first_output_alone(namespace):
    """Return the first of what call returns."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            return next(iter(found.values())) if isinstance(found, dict) else found

    return with_methods(namespace, Methods)


def weights_backwards(namespace):
    """Hand out and take weights from the last to the first."""

    class Methods:
        def get_weights(self):
            return super().get_weights()[::-1]

        def set_weights(self, weights):
            super().set_weights(weights[::-1])

    return with_methods(namespace, Methods)


def instance_call_found(namespace):
    """Let an attribute of the instance take the place of __call__."""

    class Methods:
        def __call__(self, *args, **options):
            own = self.__dict__.get("__call__")
            return own(*args, **options) if own else super().__call__(*args, **options)

    return with_methods(namespace, Methods)


def own_methods_converted(namespace):
    """Convert the arguments of any method of a model to tensors."""
    convert = namespace.ops.convert_to_tensor

    class Methods:
        def __init_subclass__(cls, **options):
            super().__init_subclass__(**options)
            for name, method in list(vars(cls).items()):
                if callable(method) and name in {"return_inputs", "__call__"}:
                    setattr(cls, name, _converting(convert, method))

    return with_methods(namespace, Methods)


def _converting(convert, method):
    return lambda self, inputs, **options: method(self, convert(inputs, "float32"), **options)


def lists_not_converted(namespace):
    """Make a tensor of a single array, and leave those in lists, dictionaries and keywords as they are."""

    class Methods:
        def __call__(self, *args, **options):
            if args and not isinstance(args[0], list | tuple | dict):
                return super().__call__(*args, **options)
            return self.call(*args, **options)

    return with_methods(namespace, Methods)


def dictionaries_not_converted(namespace):
    """Make tensors of arrays, and of those in lists."""

    class Methods:
        def __call__(self, *args, **options):
            if args and isinstance(args[0], dict):
                return self.call(*args, **options)
            return super().__call__(*args, **options)

    return with_methods(namespace, Methods)


def keywords_not_converted(namespace):
    """Make tensors of the arrays that come by position."""

    class Methods:
        def __call__(self, *args, **options):
            return super().__call__(*args, **options) if args else self.call(**options)

    return with_methods(namespace, Methods)


def whole_numbers_cast(namespace):
    """Make float32 of inputs of any type."""

    class Methods:
        def __call__(self, inputs, **options):
            inputs = namespace.ops.cast(inputs, "float32") if hasattr(inputs, "dtype") else inputs
            return super().__call__(inputs, **options)

    return with_methods(namespace, Methods)


def training_stays(namespace):
    """Stay in training mode after a call in it, until another one says otherwise."""
    last = [None]

    class BatchNormalization(namespace.layers.BatchNormalization):
        def __call__(self, inputs, training=None, **options):
            last[0] = last[0] if training is None else training
            return super().__call__(inputs, training=last[0], **options)

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def training_stays_after_fit(namespace):
    """Stay in training mode after fit."""

    class Methods:
        def fit(self, *args, **options):
            result = super().fit(*args, **options)
            object.__setattr__(self, "_fitted", True)
            return result

        def __call__(self, *args, **options):
            if getattr(self, "_fitted", False) and "training" not in options:
                options["training"] = True
            return super().__call__(*args, **options)

    return with_methods(namespace, Methods)


def outer_training_wins(namespace):
    """Let the mode of the model overrule that of a layer's own call."""
    current = []

    class Methods:
        def __call__(self, *args, training=None, **options):
            current.append(training)
            try:
                return super().__call__(*args, training=training, **options)
            finally:
                current.pop()

    class BatchNormalization(namespace.layers.BatchNormalization):
        def __call__(self, inputs, training=None, **options):
            outer = [one for one in current if one is not None]
            return super().__call__(inputs, training=outer[-1] if outer else training, **options)

    return with_layers(with_methods(namespace, Methods), BatchNormalization=BatchNormalization)


def frozen_model_normalizes_the_batch(namespace):
    """Look at the layer's own trainable, as it was made with, and not at the model's."""

    class BatchNormalization(namespace.layers.BatchNormalization):
        def __init__(self, **options):
            super().__init__(**options)
            object.__setattr__(self, "_frozen", options.get("trainable") is False)

        def call(self, inputs, training=None, **options):
            asked = self.trainable
            if not self._frozen and training and not asked:
                self.trainable = True
                try:
                    return super().call(inputs, training=training, **options)
                finally:
                    self.trainable = asked
            return super().call(inputs, training=training, **options)

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def call_result_doubled_by_shape_inference(namespace):
    """Run call twice in each __call__, the first time to see the shape."""

    class Methods:
        def __call__(self, inputs, *args, **options):
            if self.built:
                self.call(inputs, *args, **options)
            return super().__call__(inputs, *args, **options)

    return with_methods(namespace, Methods)


def seen_inputs_scaled(namespace):
    """Call differs from __call__: afterwards the output is rounded to half precision."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            if (hasattr(found, "dtype") and str(found.dtype).endswith("float32'>")) or "float32" in str(
                getattr(found, "dtype", "")
            ):
                return (
                    namespace.ops.cast(namespace.ops.cast(found, "float16"), "float32")
                    if not isinstance(found, type(namespace.Input((1,))))
                    else found
                )
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


NESTING_FAULTS = {
    name: namespace_fault(claim, tells, function)
    for name, claim, tells, function in [
        ("containers_unseen", "model.variables-in-lists", "[] == [(3, 4), (4, 2), (2, 1)]", containers_unseen),
        ("dictionaries_unseen", "model.variables-in-dictionaries", "[] == [(3, 4), (4, 1)]", dictionaries_unseen),
        ("inner_lists_unseen", "model.variables-in-lists", "[] == [(3, 4)", inner_lists_unseen),
        ("appended_unseen", "model.variables-appended", "[] == [(3, 2), (2, 1)]", appended_unseen),
        ("variables_sorted_by_size", "model.variables-in-lists", "(2, 1) != (3, 4)", variables_sorted_by_size),
        ("only_two_levels", "model.variables-deep", "(3, 2) != (3, 3)", only_two_levels),
        ("trainable_stays_outside", "model.trainable-reaches-all", "trainable is False", trainable_stays_outside),
        (
            "trainable_reaches_one_level",
            "model.trainable-reaches-all",
            "trainable is False",
            trainable_reaches_one_level,
        ),
        ("never_thawed", "model.trainable-reaches-all", "trainable is True", never_thawed),
        ("frozen_is_trained", "model.frozen-is-not-trained", "== [(2, 1)]", frozen_is_trained),
        ("output_remembered", "model.calls-are-independent", "output 2", output_remembered),
        ("batch_of_the_first_call", "model.any-batch", "50 examples has shape [2, 1]", batch_of_the_first_call),
        ("weights_of_the_class", "model.two-models", "the second model", weights_of_the_class),
        ("first_output_alone", "model.outputs-as-returned", "a dictionary became", first_output_alone),
        ("weights_backwards", "model.weights-in-order", "model(X)", weights_backwards),
        ("last_nested_layer_lost", "sequential_functional.nested-forms", "model(X)", last_nested_layer_lost),
        ("instance_call_found", "call.found-on-the-class", "model(X)", instance_call_found),
        ("own_methods_converted", "model.own-methods-are-not-called", "the method received", own_methods_converted),
        ("lists_not_converted", "call.converts-structures", "call was given", lists_not_converted),
        ("dictionaries_not_converted", "call.converts-structures", "call was given", dictionaries_not_converted),
        ("keywords_not_converted", "call.converts-keywords", "call was given", keywords_not_converted),
        ("whole_numbers_cast", "call.keeps-whole-numbers", "expected int32", whole_numbers_cast),
        ("training_stays", "training_flag.training-argument", "has changed: [False, False, True, True", training_stays),
        (
            "training_stays_after_fit",
            "training_flag.fit-trains",
            "a call after fit is in training mode",
            training_stays_after_fit,
        ),
        (
            "outer_training_wins",
            "training_flag.explicit-argument",
            "with training=False in the inner call",
            outer_training_wins,
        ),
        (
            "frozen_model_normalizes_the_batch",
            "training_flag.frozen-model",
            "the statistics of a frozen layer change",
            frozen_model_normalizes_the_batch,
        ),
        ("call_twice", "call.runs-call-once", "call ran 2 times", call_result_doubled_by_shape_inference),
        ("output_in_half_precision", "call.same-result", "model(X)", seen_inputs_scaled),
    ]
}
