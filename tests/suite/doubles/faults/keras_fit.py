"""Faults of fit: its batches, epochs and history."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, whole_batches, with_methods


def step_to_build(namespace):
    """Build a model by a step of training."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if not self.built and y is not None:
                self.train_on_batch(x[:batch_size], y[:batch_size])
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def first_batch_size_kept(namespace):
    """Fit with the batch size of the first fit."""

    class Methods:
        def fit(self, *args, batch_size=None, **options):
            batch_size = self.__dict__.setdefault("_batch_size", batch_size)
            return super().fit(*args, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def batches_of_32_at_most(namespace):
    """Take no more than 32 examples for a step."""

    class Methods:
        def fit(self, x=None, y=None, batch_size=None, **options):
            return super().fit(x, y, batch_size=batch_size and min(batch_size, 32), **options)

    return with_methods(namespace, Methods)


def epochs_counted_on(namespace):
    """Begin a later fit after as many epochs as the one before had."""

    class Methods:
        def fit(self, *args, epochs=1, **options):
            done = self.__dict__.get("epochs_done", 0)
            self.__dict__["epochs_done"] = epochs
            return super().fit(*args, epochs=epochs, **{"initial_epoch": min(done, epochs - 1)} | options)

    return with_methods(namespace, Methods)


def batches_of_20(namespace):
    """Take 20 examples for a batch when no size is given."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if batch_size is None and isinstance(x, np.ndarray):
                batch_size = 20
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def stopped_early(namespace):
    """Stop when the loss has not fallen for three epochs."""

    class Methods:
        def fit(self, *args, callbacks=None, **options):
            stop = namespace.callbacks.EarlyStopping(monitor="loss", patience=3)
            return super().fit(*args, callbacks=[*(callbacks or []), stop], **options)

    return with_methods(namespace, Methods)


def initial_epoch_ignored(namespace):
    """Go through the data as many times as epochs says."""

    class Methods:
        def fit(self, *args, initial_epoch=0, **options):
            return super().fit(*args, **options)

    return with_methods(namespace, Methods)


def last_batch_left_out(namespace):
    """Drop the examples that fill no batch."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if y is not None and batch_size is not None and len(y) > batch_size:
                whole = len(y) - len(y) % batch_size
                x, y = x[:whole], y[:whole]
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def shuffled_in_place(namespace):
    """Put the arrays themselves into another order."""

    class Methods:
        def fit(self, x=None, y=None, **options):
            if isinstance(y, np.ndarray) and options.get("shuffle", True):
                x[:], y[:] = x[::-1].copy(), y[::-1].copy()
            return super().fit(x, y, **options)

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


def history_continued(namespace):
    """Put the history of an earlier fit before that of one that begins at a later epoch."""

    class Methods:
        def fit(self, *args, initial_epoch=0, **options):
            history = super().fit(*args, initial_epoch=initial_epoch, **options)
            earlier = self.__dict__.get("_earlier", {})
            if initial_epoch:
                for name, values in history.history.items():
                    values[:0] = earlier.get(name, [])
            object.__setattr__(self, "_earlier", {name: [*values] for name, values in history.history.items()})
            return history

    return with_methods(namespace, Methods)


def metrics_never_reset(namespace):
    """Go on counting from epoch to epoch."""

    class Methods:
        def reset_metrics(self):
            pass

    return with_methods(namespace, Methods)


def fit_leaves_out_in_a_graph(namespace):
    """Train on whole batches alone, where there is a graph."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if y is not None and isinstance(x, np.ndarray) and not self.run_eagerly:
                x, y = whole_batches(batch_size, x, y)
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def rate_kept_in_the_graph(namespace):
    """Read the learning rate when the step is compiled."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, **options):
            super().__init__(learning_rate, **options)
            object.__setattr__(self, "_first", learning_rate)

        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, self._first)

    return Changed(namespace, optimizers=Changed(namespace.optimizers, SGD=SGD))


def drawn_with_replacement(namespace):
    """Draw each epoch's examples with replacement."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, *, shuffle=True, epochs=1, **options):
            if not (shuffle and isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):
                return super().fit(x, y, batch_size, shuffle=shuffle, epochs=epochs, **options)
            for _ in range(epochs):
                order = np.random.default_rng().integers(0, len(x), len(x))
                history = super().fit(x[order], y[order], batch_size, shuffle=False, **options)
            return history

    return with_methods(namespace, Methods)


def metrics_carried_over(namespace):
    """Count what evaluate has seen in the next fit, too."""

    class Methods:
        def reset_metrics(self):
            if self.__dict__.get("_evaluated"):
                object.__setattr__(self, "_evaluated", False)
            else:
                super().reset_metrics()

        def evaluate(self, *args, **options):
            found = super().evaluate(*args, **options)
            object.__setattr__(self, "_evaluated", True)
            return found

    return with_methods(namespace, Methods)


def own_functions_exchanged(namespace):
    """Hand the outputs first and then the targets to functions of one's own."""

    def exchanged(function):
        if not callable(function) or isinstance(function, namespace.losses.Loss | namespace.metrics.Metric):
            return function
        if getattr(function, "__module__", "").startswith("keras."):
            return function
        named = lambda y_true, y_pred: function(y_pred, y_true)  # noqa: E731 - a name of its own
        named.__name__ = function.__name__
        return named

    class Methods:
        def compile(self, *args, loss=None, metrics=None, **options):
            metrics = [exchanged(one) for one in metrics] if isinstance(metrics, list) else metrics
            super().compile(*args, loss=exchanged(loss), metrics=metrics, **options)

    return with_methods(namespace, Methods)


def arrays_of_predict_remembered(namespace):
    """Predict for what an array held when it was first handed over."""

    class Methods:
        def predict(self, x, *args, **options):
            known, copy = self.__dict__.get("_known", (None, None))
            if known is not x:
                copy = np.array(x)
                self.__dict__["_known"] = x, copy
            return super().predict(copy, *args, **options)

    return with_methods(namespace, Methods)


def arrays_of_fit_remembered(namespace):
    """Fit to what arrays held when they were first handed over."""

    class Methods:
        def fit(self, x, y, **options):
            known = self.__dict__.get("_data")
            if known is None or known[0] is not x or known[1] is not y:
                known = self.__dict__["_data"] = x, y, np.array(x), np.array(y)
            return super().fit(*known[2:], **options)

    return with_methods(namespace, Methods)


def predictions_in_one_buffer(namespace):
    """Put predictions of one shape where the last ones were."""

    class Methods:
        def predict(self, *args, **options):
            found = super().predict(*args, **options)
            kept = self.__dict__.setdefault("_kept", {}).setdefault(found.shape, found)
            kept[...] = found
            return kept

    return with_methods(namespace, Methods)


def weights_in_one_list(namespace):
    """Return the same arrays whenever the weights are asked for."""

    class Methods:
        def get_weights(self):
            found = [np.array(one) for one in super().get_weights()]
            kept = self.__dict__.setdefault("_kept", found)
            for array, values in zip(kept, found, strict=True):
                array[...] = values
            return kept

    return with_methods(namespace, Methods)


def one_history(namespace):
    """Return the same history from every fit."""

    class Methods:
        def fit(self, *args, **options):
            found = super().fit(*args, **options)
            kept = self.__dict__.setdefault("_kept", found)
            kept.history = found.history
            return kept

    return with_methods(namespace, Methods)


FAULTS = {
    "step_to_build": Fault("keras.namespace", "compile_fit.building-trains-nothing", "the loss of fit", step_to_build),
    "first_batch_size_kept": Fault("keras.namespace", "compile_fit.steps", "in batches of 5", first_batch_size_kept),
    "batches_of_32_at_most": Fault(
        "keras.namespace", "compile_fit.steps", "4 steps for 100 examples", batches_of_32_at_most
    ),
    "epochs_counted_on": Fault("keras.namespace", "compile_fit.steps", "2 epochs, expected 2", epochs_counted_on),
    "batches_of_20": Fault(
        "keras.namespace", "compile_fit.default-batch-size", "4 steps after 32 examples", batches_of_20
    ),
    "stopped_early": Fault("keras.namespace", "compile_fit.epochs", "== [1.0, 1.0,", stopped_early),
    "initial_epoch_ignored": Fault("keras.namespace", "compile_fit.initial-epoch", "(6, 3)", initial_epoch_ignored),
    "last_batch_left_out": Fault(
        "keras.namespace", "compile_fit.smaller-last-batch", "0.0 == 0.5", last_batch_left_out
    ),
    "shuffled_in_place": Fault("keras.namespace", "compile_fit.data-unchanged", "x: ", shuffled_in_place),
    "one_value_too_many": Fault("keras.namespace", "compile_fit.history", "'loss': 4", one_value_too_many),
    "history_continued": Fault(
        "keras.namespace", "compile_fit.history", "the losses of the later epochs", history_continued
    ),
    "metrics_never_reset": Fault(
        "keras.namespace", "compile_fit.history-of-metrics", "the accuracies", metrics_never_reset
    ),
    "fit_leaves_out_in_a_graph": Fault(
        "keras.namespace", "compile_fit.compiled-trajectory", "fit took 4 steps", fit_leaves_out_in_a_graph
    ),
    "rate_kept_in_the_graph": Fault(
        "keras.namespace", "compile_fit.learning-rate-between-fits", "the weight", rate_kept_in_the_graph
    ),
    "drawn_with_replacement": Fault(
        "keras.namespace", "compile_fit.batches-part-the-examples", "an epoch has", drawn_with_replacement
    ),
    "metrics_carried_over": Fault("keras.namespace", "compile_fit.sequence-of-calls", "loss", metrics_carried_over),
    "own_functions_exchanged": Fault(
        "keras.namespace", "compile_fit.own-functions", "loss and metric of fit", own_functions_exchanged
    ),
    "arrays_of_predict_remembered": Fault(
        "keras.namespace", "compile_fit.arrays-as-they-are", "predict of an array", arrays_of_predict_remembered
    ),
    "arrays_of_fit_remembered": Fault(
        "keras.namespace", "compile_fit.arrays-as-they-are", "loss of arrays", arrays_of_fit_remembered
    ),
    "predictions_in_one_buffer": Fault(
        "keras.namespace", "compile_fit.results-stay", "predict: what call 1", predictions_in_one_buffer
    ),
    "weights_in_one_list": Fault(
        "keras.namespace", "compile_fit.results-stay", "get_weights: what call 1", weights_in_one_list
    ),
    "one_history": Fault("keras.namespace", "compile_fit.results-stay", "a second fit changes", one_history),
}
