"""Faults of what models know of their variables."""

import random

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import with_methods
from doubles.late_tensorflow import tf


def variables_of_the_first_call(namespace):
    """List the variables that a model has when they are first asked for."""

    class Methods:
        @property
        def variables(self):
            known = self.__dict__.get("known_variables") or super().variables
            if known:
                object.__setattr__(self, "known_variables", known)
            return known

    return with_methods(namespace, Methods)


def _flat(container):
    for one in container.values() if isinstance(container, dict) else container:
        if isinstance(one, list | tuple | dict):
            yield from _flat(one)
        else:
            yield one


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


def inner_lists_unseen(namespace):
    """Look one level deep into a list."""

    def visible(model, variables):
        kept = getattr(model, "kept", None)
        inner = [one for one in kept if isinstance(one, list | tuple)] if isinstance(kept, list | tuple) else ()
        hidden = {id(variable) for layer in _flat(list(inner)) for variable in layer.variables}
        return [variable for variable in variables if id(variable) not in hidden]

    return _listing(namespace, visible)


def variables_sorted_by_size(namespace):
    """List the smallest variable first."""
    return _listing(namespace, lambda _, variables: sorted(variables, key=lambda one: int(np.prod(one.shape))))


def dictionaries_unseen(namespace):
    """Know the layers of lists, and none of dictionaries."""

    def visible(model, variables):
        kept = getattr(model, "kept", None)
        layers = _flat(kept) if isinstance(kept, dict) else ()
        hidden = {id(variable) for layer in layers for variable in layer.variables}
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


def gradients_end_in_depth(namespace):
    """Pass no gradient through a model that is three models deep."""
    models = []

    class Methods:
        def __call__(self, *args, **options):
            models.append(self)
            try:
                found = super().__call__(*args, **options)
                return tf.stop_gradient(found) if len(models) > 2 and isinstance(found, tf.Tensor) else found
            finally:
                models.pop()

    return with_methods(namespace, Methods)


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


def weights_backwards(namespace):
    """Hand out and take weights from the last to the first."""

    class Methods:
        def get_weights(self):
            return super().get_weights()[::-1]

        def set_weights(self, weights):
            super().set_weights(weights[::-1])

    return with_methods(namespace, Methods)


def models_of_one_seed(namespace):
    """Begin each model with the same random numbers."""

    class Methods:
        def __init__(self, *args, **options):
            random.seed(1337)
            super().__init__(*args, **options)

    return with_methods(namespace, Methods)


FAULTS = {
    "variables_of_the_first_call": Fault(
        "keras.namespace",
        "model.variables-of-later-calls",
        "after a call of the second layer",
        variables_of_the_first_call,
    ),
    "containers_unseen": Fault(
        "keras.namespace", "model.variables-in-lists", "[] == [(3, 4), (4, 2), (2, 1)]", containers_unseen
    ),
    "inner_lists_unseen": Fault("keras.namespace", "model.variables-in-lists", "[] == [(3, 4)", inner_lists_unseen),
    "variables_sorted_by_size": Fault(
        "keras.namespace", "model.variables-in-lists", "(2, 1) != (3, 4)", variables_sorted_by_size
    ),
    "dictionaries_unseen": Fault(
        "keras.namespace", "model.variables-in-dictionaries", "[] == [(3, 4), (4, 1)]", dictionaries_unseen
    ),
    "appended_unseen": Fault("keras.namespace", "model.variables-appended", "[] == [(3, 2), (2, 1)]", appended_unseen),
    "gradients_end_in_depth": Fault(
        "keras.namespace", "model.variables-deep", "some layers of nested models", gradients_end_in_depth
    ),
    "only_two_levels": Fault("keras.namespace", "model.variables-deep", "(3, 2) != (3, 3)", only_two_levels),
    "trainable_stays_outside": Fault(
        "keras.namespace", "model.trainable-reaches-all", "trainable is False", trainable_stays_outside
    ),
    "trainable_reaches_one_level": Fault(
        "keras.namespace", "model.trainable-reaches-all", "trainable is False", trainable_reaches_one_level
    ),
    "never_thawed": Fault("keras.namespace", "model.trainable-reaches-all", "trainable is True", never_thawed),
    "frozen_is_trained": Fault("keras.namespace", "model.frozen-is-not-trained", "== [(2, 1)]", frozen_is_trained),
    "weights_backwards": Fault("keras.namespace", "model.weights-in-order", "model(X)", weights_backwards),
    "models_of_one_seed": Fault(
        "keras.namespace", "model.new-models-differ", "begin with equal kernels", models_of_one_seed
    ),
}
