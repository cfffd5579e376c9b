"""Faults of the optimizers of Keras."""

from types import SimpleNamespace

from doubles.faulty import Fault
from doubles.keras_namespace import Changed
from doubles.late_tensorflow import tf


class Exchanged(SimpleNamespace):
    """A module with some of its names exchanged."""

    def __init__(self, module, **names):
        """Take the module, and what is exchanged."""
        super().__init__(module=module, **names)

    def __getattr__(self, name):
        """Return what is not exchanged."""
        return getattr(self.module, name)


def damp_momentum(namespace):
    """Multiply the learning rate by what momentum leaves of it."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, momentum=0.0, **options):
            super().__init__(learning_rate * (1 - momentum), momentum, **options)

    return Exchanged(namespace, optimizers=Exchanged(namespace.optimizers, SGD=SGD))


def _optimizers(namespace, **names):
    return Changed(namespace, optimizers=Changed(namespace.optimizers, **names))


def momentum_ignored(namespace):
    """Take plain steps of SGD."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, momentum=0.0, **options):
            super().__init__(learning_rate, **options)

    return _optimizers(namespace, SGD=SGD)


def first_rate_stays(namespace):
    """Keep the learning rate that the optimizer was made with."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, **options):
            super().__init__(learning_rate, **options)
            object.__setattr__(self, "_first", learning_rate)

        def apply_gradients(self, pairs=None, **options):
            namespace.optimizers.SGD.learning_rate.fset(self, self._first)
            return super().apply_gradients(options.pop("grads_and_vars", pairs), **options)

    return _optimizers(namespace, SGD=SGD)


def velocities_shared(namespace):
    """Keep one velocity for all variables of a shape."""

    def build(self, variables):
        if self.built:
            return
        namespace.optimizers.SGD.build(self, variables)
        by_shape = {}
        self.momentums = [by_shape.setdefault(tuple(one.shape), one) for one in self.momentums]

    return _optimizers(namespace, SGD=type("SGD", (namespace.optimizers.SGD,), {"build": build}))


def state_by_place(optimizer, state):
    """Return a namespace whose optimizer takes the place of a pair for its variable, where the shapes are the same."""

    def wrong(namespace):
        right = getattr(namespace.optimizers, optimizer)

        class Wrong(right):
            def apply_gradients(self, grads_and_vars):
                pairs = list(grads_and_vars)
                places = {self._var_key(variable): place for place, (_, variable) in enumerate(pairs)}
                self.__dict__["places"] = places
                return super().apply_gradients(pairs)

            def _get_variable_index(self, variable):
                place, values = self.places[self._var_key(variable)], getattr(self, state)
                alike = tuple(values[place].shape) == tuple(variable.shape)
                return place if alike else super()._get_variable_index(variable)

        Wrong.__name__ = optimizer
        return Changed(namespace, optimizers=Changed(namespace.optimizers, **{optimizer: Wrong}))

    return wrong


def gradients_clipped(namespace):
    """Clip the norm of each gradient."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, *args, **options):
            super().__init__(*args, **{"clipnorm": 1.0} | options)

    return _optimizers(namespace, SGD=SGD)


def moments_without_gradient_kept(namespace):
    """Change nothing of an element in a step of Adam in which it has no gradient."""

    class Adam(namespace.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            index = self._get_variable_index(variable)
            states = self._momentums[index], self._velocities[index], variable
            before = [tf.identity(state) for state in states]
            super().update_step(gradient, variable, learning_rate)
            for state, kept in zip(states, before, strict=True):
                state.assign(tf.where(gradient == 0, kept, tf.convert_to_tensor(state)))

    return Changed(namespace, optimizers=Changed(namespace.optimizers, Adam=Adam))


def adam_first_rate_stays(namespace):
    """Keep the learning rate that Adam was made with."""
    right = namespace.optimizers.Adam

    def start(self, learning_rate=0.001, *args, **options):
        right.__init__(self, learning_rate, *args, **options)
        object.__setattr__(self, "_first", learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        right.update_step(self, gradient, variable, self._first)

    return _optimizers(namespace, Adam=type("Adam", (right,), {"__init__": start, "update_step": update_step}))


def second_moments_shared(namespace):
    """Keep one second moment for all variables of a shape."""

    def build(self, variables):
        if self.built:
            return
        namespace.optimizers.Adam.build(self, variables)
        by_shape = {}
        self._velocities = [by_shape.setdefault(tuple(one.shape), one) for one in self._velocities]

    return _optimizers(namespace, Adam=type("Adam", (namespace.optimizers.Adam,), {"build": build}))


def _adam(namespace, **defaults):
    class Adam(namespace.optimizers.Adam):
        def __init__(self, *args, **options):
            super().__init__(*args, **defaults | options)

    return _optimizers(namespace, Adam=Adam)


def adam_decays(namespace):
    """Shrink the variables by the way, as AdamW does."""
    return _adam(namespace, weight_decay=0.004)


def adam_scaled_by_norm(namespace):
    """Clip the gradients that Adam gets."""
    return _adam(namespace, clipvalue=1.0)


def adam_rate_capped(namespace):
    """Take no learning rate above 0.01."""

    class Adam(namespace.optimizers.Adam):
        def __init__(self, learning_rate=0.001, **options):
            super().__init__(min(learning_rate, 0.01), **options)

    return _optimizers(namespace, Adam=Adam)


def correction_ends(namespace):
    """Leave the bias correction of Adam out after 1,000 steps."""

    class Adam(namespace.optimizers.Adam):
        def apply_gradients(self, pairs, **options):
            if int(self.iterations.numpy()) < 1000:
                return super().apply_gradients(pairs, **options)
            count = self.iterations.numpy()
            self.iterations.assign(10**9)
            result = super().apply_gradients(pairs, **options)
            self.iterations.assign(count + 1)
            return result

    return _optimizers(namespace, Adam=Adam)


def gradients_moved_up(namespace):
    """Leave gradients of None out, but not their variables."""

    class SGD(namespace.optimizers.SGD):
        def apply_gradients(self, grads_and_vars):
            gradients, variables = zip(*grads_and_vars, strict=True)
            there = [gradient for gradient in gradients if gradient is not None]
            return super().apply_gradients([*zip(there, variables, strict=False)])

    return Changed(namespace, optimizers=Changed(namespace.optimizers, SGD=SGD))


FAULTS = {
    "sgd_damps_momentum": Fault("keras.namespace", "model.sgd-momentum", "after step 1", damp_momentum),
    "momentum_ignored": Fault("keras.namespace", "model.sgd-momentum", "after step 2", momentum_ignored),
    "first_rate_stays": Fault("keras.namespace", "model.sgd-momentum", "after step 2", first_rate_stays),
    "velocities_shared": Fault("keras.namespace", "model.sgd-momentum", "after step 1", velocities_shared),
    "velocities_by_place": Fault(
        "keras.namespace", "model.sgd-momentum", "after step 2", state_by_place("SGD", "momentums")
    ),
    "gradients_clipped": Fault("keras.namespace", "model.sgd-momentum", "after step 1", gradients_clipped),
    "moments_without_gradient_kept": Fault(
        "keras.namespace", "model.adam-of-any-step", "after two steps", moments_without_gradient_kept
    ),
    "moments_by_place": Fault(
        "keras.namespace", "model.adam-of-any-step", "after two steps", state_by_place("Adam", "_momentums")
    ),
    "adam_first_rate_stays": Fault(
        "keras.namespace", "model.adam-of-any-step", "the first variable", adam_first_rate_stays
    ),
    "second_moments_shared": Fault(
        "keras.namespace", "model.adam-of-any-step", "variable after two steps", second_moments_shared
    ),
    "adam_decays": Fault("keras.namespace", "model.adam-of-any-step", "variable after two steps", adam_decays),
    "adam_clipped": Fault("keras.namespace", "model.adam-of-any-step", "after two steps", adam_scaled_by_norm),
    "adam_rate_capped": Fault(
        "keras.namespace", "model.adam-of-any-step", "variable after two steps", adam_rate_capped
    ),
    "correction_ends": Fault("keras.namespace", "model.adam-of-any-step", "variable after two steps", correction_ends),
    "gradients_moved_up": Fault(
        "keras.namespace", "training.apply-gradients", "the variable without", gradients_moved_up
    ),
}
