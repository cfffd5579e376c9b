"""Faults of validation during fit."""

from doubles.faulty import Fault
from doubles.keras_namespace import whole_batches, with_layers, with_methods


def validation_trained_on(namespace):
    """Learn from the validation data as well."""

    class Methods:
        def fit(self, *args, validation_data=None, **options):
            if isinstance(validation_data, tuple):
                super().fit(*validation_data, verbose=0)
            return super().fit(*args, validation_data=validation_data, **options)

    return with_methods(namespace, Methods)


def best_weights_restored(namespace):
    """Go back to the weights of the epoch with the best validation."""

    class Methods:
        def fit(self, *args, validation_data=None, epochs=1, initial_epoch=0, **options):
            if not isinstance(validation_data, tuple) or initial_epoch or epochs < 2:
                options |= {"epochs": epochs, "initial_epoch": initial_epoch}
                return super().fit(*args, validation_data=validation_data, **options)
            found, best = {}, None
            for _ in range(epochs):
                history = super().fit(*args, validation_data=validation_data, **options)
                for name, values in history.history.items():
                    found.setdefault(name, []).extend(values)
                if found["val_loss"][-1] == min(found["val_loss"]):
                    best = self.get_weights()
            self.set_weights(best)
            history.history = found
            return history

    return with_methods(namespace, Methods)


def first_validation_repeated(namespace):
    """Report the first validation again for all epochs but the last."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            for name, values in history.history.items():
                if name.startswith("val_") and len(values) > 2:
                    values[1:-1] = values[:1] * (len(values) - 2)
            return history

    return with_methods(namespace, Methods)


def validation_without_weights(namespace):
    """Leave out the weights of validation data."""

    class Methods:
        def fit(self, *args, validation_data=None, **options):
            if isinstance(validation_data, tuple):
                validation_data = validation_data[:2]
            return super().fit(*args, validation_data=validation_data, **options)

    return with_methods(namespace, Methods)


def _changing_validation(namespace, change):
    class Methods:
        def fit(self, x, y=None, batch_size=32, validation_data=None, **options):
            if isinstance(validation_data, tuple):
                validation_data = change(validation_data, batch_size)
            return super().fit(x, y, batch_size=batch_size, validation_data=validation_data, **options)

    return with_methods(namespace, Methods)


def first_batch_validated(namespace):
    """Validate the first batch alone."""
    return _changing_validation(namespace, lambda data, size: tuple(array[:size] for array in data))


def validation_leaves_out(namespace):
    """Validate whole batches alone."""
    return _changing_validation(namespace, lambda data, size: tuple(whole_batches(size, *data)))


def last_batch_validated(namespace):
    """Report the loss of the last batch of the validation."""
    return _changing_validation(
        namespace, lambda data, size: tuple(array[(len(array) - 1) // size * size :] for array in data)
    )


def validated_before_the_epoch(namespace):
    """Report each validation one epoch late."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            values = history.history.get("val_loss")
            if values and len(values) > 1:
                values[:] = [values[0], *values[:-1]]
            return history

    return with_methods(namespace, Methods)


def validated_in_training_mode(namespace):
    """Leave the layers in training mode for the validation."""
    fitting = []

    class Methods:
        def fit(self, *args, **options):
            fitting.append(self)
            try:
                return super().fit(*args, **options)
            finally:
                fitting.pop()

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=training or bool(fitting))

    return with_layers(with_methods(namespace, Methods), Dropout=Dropout)


def first_share_held_out(namespace):
    """Hold out the first examples for validation."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, validation_split=0.0, **options):
            if validation_split:
                x, y = x[::-1].copy(), y[::-1].copy()
            return super().fit(x, y, batch_size, validation_split=validation_split, **options)

    return with_methods(namespace, Methods)


def held_out_trained_on(namespace):
    """Train on the examples that are held out as well."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, validation_split=0.0, **options):
            if validation_split:
                start = len(x) - round(validation_split * len(x))
                options["validation_data"] = x[start:], y[start:]
            return super().fit(x, y, batch_size, **options)

    return with_methods(namespace, Methods)


FAULTS = {
    "validation_trained_on": Fault(
        "keras.namespace", "compile_fit.validation-trains-nothing", "(0.65625, 5)", validation_trained_on
    ),
    "best_weights_restored": Fault(
        "keras.namespace",
        "compile_fit.validation-after-each-epoch",
        "not the one after the last epoch",
        best_weights_restored,
    ),
    "first_validation_repeated": Fault(
        "keras.namespace",
        "compile_fit.validation-after-each-epoch",
        "the losses of the validation",
        first_validation_repeated,
    ),
    "validation_without_weights": Fault(
        "keras.namespace",
        "compile_fit.validation-is-evaluate",
        "the weighted losses of the validation",
        validation_without_weights,
    ),
    "first_batch_validated": Fault(
        "keras.namespace", "compile_fit.compiled-validation", "val_loss", first_batch_validated
    ),
    "validation_leaves_out": Fault(
        "keras.namespace", "compile_fit.compiled-validation", "val_loss", validation_leaves_out
    ),
    "last_batch_validated": Fault(
        "keras.namespace", "compile_fit.compiled-validation", "val_loss", last_batch_validated
    ),
    "validated_before_the_epoch": Fault(
        "keras.namespace", "compile_fit.compiled-validation", "val_loss: 1 of 2", validated_before_the_epoch
    ),
    "validated_in_training_mode": Fault(
        "keras.namespace", "compile_fit.compiled-validation-infers", "val_loss", validated_in_training_mode
    ),
    "first_share_held_out": Fault(
        "keras.namespace", "compile_fit.validation-split", "== ([1], [10])", first_share_held_out
    ),
    "held_out_trained_on": Fault(
        "keras.namespace", "compile_fit.validation-split", "== ([1], [10])", held_out_trained_on
    ),
}
