"""Faults of evaluate and predict."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import whole_batches, with_layers, with_methods


def metrics_in_reverse(namespace):
    """Compute the last metric first."""

    class Methods:
        def compile(self, *args, metrics=None, **options):
            return super().compile(*args, metrics=metrics and metrics[::-1], **options)

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


def batches_exchanged(namespace):
    """Exchange the first batch and the eleventh in what predict gives."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            found, size = super().predict(x, batch_size=batch_size, **options), batch_size or 32
            if isinstance(found, np.ndarray) and len(found) > 11 * size:
                places = np.arange(len(found))
                places[:size], places[10 * size : 11 * size] = (
                    places[10 * size : 11 * size].copy(),
                    places[:size].copy(),
                )
                found = found[places]
            return found

    return with_methods(namespace, Methods)


def evaluates_in_half_precision(namespace):
    """Round what evaluate gives to float16."""

    class Methods:
        def evaluate(self, *args, **options):
            found = super().evaluate(*args, **options)
            many = getattr(args[-1], "shape", [0])[0] > 2_048
            return np.float16(found).tolist() if many else found

    return with_methods(namespace, Methods)


def dropout_always_on(namespace):
    """Let Dropout do in inference what it does in training."""

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=True)

    return with_layers(namespace, Dropout=Dropout)


def evaluate_leaves_out(namespace):
    """Evaluate whole batches alone, where there is a graph."""

    class Methods:
        def evaluate(self, x, y=None, batch_size=None, **options):
            if y is not None and isinstance(x, np.ndarray) and not self.run_eagerly:
                x, y = whole_batches(batch_size, x, y)
            return super().evaluate(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def predict_leaves_out(namespace):
    """Predict whole batches alone."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            x = whole_batches(batch_size, x)[0] if isinstance(x, np.ndarray) else x
            return super().predict(x, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def predict_in_reverse(namespace):
    """Put the last batch first."""

    class Methods:
        def predict(self, x, batch_size=32, **options):
            found = super().predict(x, batch_size=batch_size, **options)
            if not isinstance(found, np.ndarray) or len(found) <= batch_size:
                return found
            starts = range(0, len(found), batch_size)
            return np.concatenate([found[start : start + batch_size] for start in reversed(starts)])

    return with_methods(namespace, Methods)


def first_batch_padded(namespace):
    """Fill up the last batch with its first example."""

    class Methods:
        def predict(self, x, batch_size=32, **options):
            found = super().predict(x, batch_size=batch_size, **options)
            missing = -len(x) % batch_size if isinstance(x, np.ndarray) and len(x) > batch_size else 0
            return np.concatenate([found, found[-missing:]]) if missing else found

    return with_methods(namespace, Methods)


def prediction_remembered(namespace):
    """Predict again only if there are at least as many examples as before."""

    class Methods:
        def predict(self, x, **options):
            kept = self.__dict__.get("_predicted")
            if kept is not None and isinstance(kept, np.ndarray) and len(x) < len(kept):
                return kept[: len(x)]
            found = super().predict(x, **options)
            object.__setattr__(self, "_predicted", found)
            return found

    return with_methods(namespace, Methods)


def predict_leaves_out_of_32(namespace):
    """Predict whole batches alone where nothing is said of their size."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            x = whole_batches(None if batch_size else 32, x)[0] if isinstance(x, np.ndarray) else x
            return super().predict(x, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def evaluate_leaves_out_of_32(namespace):
    """Evaluate whole batches alone where nothing is said of their size."""

    class Methods:
        def evaluate(self, x=None, y=None, batch_size=None, **options):
            if isinstance(x, np.ndarray) and not batch_size:
                x, y = whole_batches(32, x, y)
            return super().evaluate(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def one_prediction_squeezed(namespace):
    """Drop the batch axis of one example's predictions."""

    class Methods:
        def predict(self, *args, **options):
            found = super().predict(*args, **options)
            return found[0] if isinstance(found, np.ndarray) and len(found) == 1 else found

    return with_methods(namespace, Methods)


def default_batch_of_evaluate(namespace):
    """Evaluate the first 32 examples when no batch size is given."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            if batch_size == 1 and isinstance(x, np.ndarray) and len(x) > 1:
                return super().predict(x, batch_size=batch_size, **options)[:, :1] * np.float32(1 + 2**-20)
            return super().predict(x, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


FAULTS = {
    "metrics_in_reverse": Fault("keras.namespace", "compile_fit.evaluate-order", "the metrics", metrics_in_reverse),
    "mean_of_batches": Fault(
        "keras.namespace", "compile_fit.evaluate-counts-examples", "the metric of labels", mean_of_batches
    ),
    "batches_exchanged": Fault("keras.namespace", "compile_fit.evaluates-many-examples", "predict", batches_exchanged),
    "evaluates_in_half_precision": Fault(
        "keras.namespace", "compile_fit.evaluates-many-examples", "loss and metric", evaluates_in_half_precision
    ),
    "dropout_always_on": Fault("keras.namespace", "compile_fit.evaluate-in-inference-mode", "== 1", dropout_always_on),
    "evaluate_leaves_out": Fault("keras.namespace", "compile_fit.compiled-evaluate", "the loss", evaluate_leaves_out),
    "predict_leaves_out": Fault(
        "keras.namespace", "compile_fit.predict-in-order", "has shape [8, 1]", predict_leaves_out
    ),
    "predict_in_reverse": Fault(
        "keras.namespace", "compile_fit.predict-in-order", "predict of ten examples", predict_in_reverse
    ),
    "first_batch_padded": Fault(
        "keras.namespace", "compile_fit.predict-in-order", "has shape [12, 1]", first_batch_padded
    ),
    "prediction_remembered": Fault(
        "keras.namespace", "compile_fit.predict-in-order", "predict of two examples", prediction_remembered
    ),
    "predict_leaves_out_of_32": Fault(
        "keras.namespace", "compile_fit.any-batch-size", "has shape [64, 1]", predict_leaves_out_of_32
    ),
    "evaluate_leaves_out_of_32": Fault(
        "keras.namespace", "compile_fit.any-batch-size", "evaluate with {}", evaluate_leaves_out_of_32
    ),
    "one_prediction_squeezed": Fault(
        "keras.namespace", "compile_fit.any-batch-size", "predict of one example", one_prediction_squeezed
    ),
    "one_example_at_a_time_is_off": Fault(
        "keras.namespace", "compile_fit.any-batch-size", "predict with {'batch_size': 1}", default_batch_of_evaluate
    ),
}
