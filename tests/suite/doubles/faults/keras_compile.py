"""Faults of compile: its optimizer, losses and metrics."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import with_methods


def optimizers_share_their_rate(namespace):
    """Keep one optimizer for each name."""
    made = {}

    class Methods:
        def compile(self, optimizer="rmsprop", *args, **options):
            super().compile(optimizer, *args, **options)
            if isinstance(optimizer, str):
                self.optimizer = made.setdefault(optimizer, self.optimizer)

    return with_methods(namespace, Methods)


def optimizer_of_a_name_kept(namespace):
    """Keep the optimizer if compile names the same again."""

    class Methods:
        def compile(self, optimizer="rmsprop", **options):
            current = getattr(self, "optimizer", None)
            if isinstance(optimizer, str) and type(current) is type(namespace.optimizers.get(optimizer)):
                optimizer = current
            super().compile(optimizer=optimizer, **options)

    return with_methods(namespace, Methods)


def optimizer_begins_anew(namespace):
    """Let an optimizer count its steps from 0 in every compile."""

    class Methods:
        def compile(self, *args, **options):
            super().compile(*args, **options)
            self.optimizer.iterations.assign(0)

    return with_methods(namespace, Methods)


def second_compile_ignored(namespace):
    """Keep what the first compile made of the model, once it has been fitted."""

    class Methods:
        def compile(self, *args, **options):
            if not self.__dict__.get("_was_fitted"):
                super().compile(*args, **options)

        def fit(self, *args, **options):
            object.__setattr__(self, "_was_fitted", True)
            return super().fit(*args, **options)

    return with_methods(namespace, Methods)


def second_loss_ignored(namespace):
    """Take a new optimizer at the second compile, and keep the loss."""

    class Methods:
        def compile(self, *args, loss=None, **options):
            loss = self.__dict__.get("_first_loss", loss)
            object.__setattr__(self, "_first_loss", loss)
            super().compile(*args, loss=loss, **options)

    return with_methods(namespace, Methods)


def second_optimizer_ignored(namespace):
    """Take a new loss at the second compile, and keep the learning rate."""

    class Methods:
        def compile(self, *args, optimizer="rmsprop", **options):
            if isinstance(optimizer, namespace.optimizers.Optimizer):
                first = self.__dict__.get("_first_rate", float(optimizer.learning_rate))
                object.__setattr__(self, "_first_rate", first)
                optimizer.learning_rate = first
            super().compile(*args, optimizer=optimizer, **options)

    return with_methods(namespace, Methods)


def metrics_by_place(namespace):
    """Give the first metrics of a dictionary to the first output."""

    class Methods:
        def compile(self, *arguments, metrics=None, **options):
            metrics = [*metrics.values()] if isinstance(metrics, dict) else metrics
            return super().compile(*arguments, metrics=metrics, **options)

    return with_methods(namespace, Methods)


def _sorted(structure):
    return dict(zip(sorted(structure), structure.values(), strict=True)) if isinstance(structure, dict) else structure


def dictionaries_in_alphabetical_order(namespace):
    """Take the values of dictionaries in their order for those of the sorted names."""

    class Methods:
        def fit(self, x, y=None, *args, **options):
            return super().fit(_sorted(x), _sorted(y), *args, **options)

        def evaluate(self, x, y=None, **options):
            return super().evaluate(_sorted(x), _sorted(y), **options)

        def predict(self, x, **options):
            return super().predict(_sorted(x), **options)

    return with_methods(namespace, Methods)


def outputs_renamed_in_order(namespace):
    """Name the predictions by the sorted names."""

    class Methods:
        def predict(self, x, **options):
            return _sorted(super().predict(x, **options))

    return with_methods(namespace, Methods)


def losses_averaged(namespace):
    """Report the mean of the outputs' losses."""

    class Methods:
        def evaluate(self, *args, **options):
            found = super().evaluate(*args, **options)
            if isinstance(found, dict) and isinstance(self.output, list | tuple | dict):
                found["loss"] /= len(self.output)
            return found

    return with_methods(namespace, Methods)


def outputs_in_alphabetical_order(namespace):
    """Predict the output first whose name comes first in the alphabet."""

    class Methods:
        def predict(self, x, **options):
            found = super().predict(x, **options)
            if not isinstance(found, list):
                return found
            return [found[place] for place in np.argsort([str(name) for name in self.output_names])]

    return with_methods(namespace, Methods)


def losses_exchanged(namespace):
    """Give the second output the loss of the first."""

    class Methods:
        def compile(self, *args, loss=None, **options):
            if isinstance(loss, list):
                loss = loss[::-1]
            super().compile(*args, loss=_sorted(loss), **options)

    return with_methods(namespace, Methods)


def metrics_sorted(namespace):
    """List the metrics in the order of the alphabet."""

    class Methods:
        def evaluate(self, *args, return_dict=False, **options):
            found = super().evaluate(*args, return_dict=True, **options)
            if return_dict:
                return found
            loss = found.pop("loss")
            return [loss, *(found[name] for name in sorted(found))] if found else loss

    return with_methods(namespace, Methods)


def metric_names_swapped(namespace):
    """Report metrics of the history under each other's names."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            names = [name for name in history.history if not name.startswith("val_") and name != "loss"]
            values = [history.history[name] for name in names]
            history.history.update(zip(names, values[::-1], strict=True))
            return history

    return with_methods(namespace, Methods)


def weights_of_the_first_prediction(namespace):
    """Predict with the weights that there were at the first prediction since the last fit."""

    class Methods:
        def fit(self, *args, **options):
            self.__dict__["_known"] = None
            return super().fit(*args, **options)

        def predict(self, *args, **options):
            now = self.get_weights()
            if self.__dict__.get("_known") is None:
                self.__dict__["_known"] = now
            self.set_weights(self.__dict__["_known"])
            found = super().predict(*args, **options)
            self.set_weights(now)
            return found

    return with_methods(namespace, Methods)


def first_weights_predict(namespace):
    """Predict with the weights of the first prediction, unless the model is compiled."""

    class Methods:
        def predict(self, *args, **options):
            if self.compiled or not self.built:
                return super().predict(*args, **options)
            current = self.get_weights()
            first = self.__dict__.get("_first_weights", current)
            object.__setattr__(self, "_first_weights", first)
            self.set_weights(first)
            try:
                return super().predict(*args, **options)
            finally:
                self.set_weights(current)

    return with_methods(namespace, Methods)


FAULTS = {
    "optimizers_share_their_rate": Fault(
        "keras.namespace", "compile_fit.optimizer-by-name", "0.5 == 0.0", optimizers_share_their_rate
    ),
    "optimizer_of_a_name_kept": Fault(
        "keras.namespace",
        "compile_fit.optimizer-by-name",
        "the optimizer of the first training",
        optimizer_of_a_name_kept,
    ),
    "optimizer_begins_anew": Fault(
        "keras.namespace", "compile_fit.optimizer-object", "the optimizer loses its steps", optimizer_begins_anew
    ),
    "second_compile_ignored": Fault(
        "keras.namespace", "compile_fit.compiled-again", "the weight", second_compile_ignored
    ),
    "second_loss_ignored": Fault("keras.namespace", "compile_fit.compiled-again", "the weight", second_loss_ignored),
    "second_optimizer_ignored": Fault(
        "keras.namespace", "compile_fit.compiled-again", "the weight", second_optimizer_ignored
    ),
    "metrics_by_place": Fault(
        "keras.namespace", "compile_fit.losses-by-name", "single_mean_squared_error", metrics_by_place
    ),
    "dictionaries_in_alphabetical_order": Fault(
        "keras.namespace", "compile_fit.losses-by-name", "loss of evaluate", dictionaries_in_alphabetical_order
    ),
    "outputs_renamed_in_order": Fault(
        "keras.namespace", "compile_fit.losses-by-name", "single", outputs_renamed_in_order
    ),
    "losses_averaged": Fault("keras.namespace", "compile_fit.losses-by-name", "expected 12", losses_averaged),
    "outputs_in_alphabetical_order": Fault(
        "keras.namespace", "compile_fit.outputs-in-order", "the first output", outputs_in_alphabetical_order
    ),
    "losses_exchanged": Fault("keras.namespace", "compile_fit.outputs-in-order", "the loss", losses_exchanged),
    "metrics_sorted": Fault("keras.namespace", "compile_fit.metrics-by-name", "squares", metrics_sorted),
    "metric_names_swapped": Fault("keras.namespace", "compile_fit.metrics-by-name", "squares", metric_names_swapped),
    "weights_of_the_first_prediction": Fault(
        "keras.namespace",
        "compile_fit.weights-as-they-are",
        "predict with a weight of 2",
        weights_of_the_first_prediction,
    ),
    "first_weights_predict": Fault(
        "keras.namespace", "compile_fit.weights-as-they-are", "predict with a weight of 2", first_weights_predict
    ),
}
