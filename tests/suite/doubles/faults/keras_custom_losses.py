"""Faults of custom losses, and of what they inherit."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, with_methods
from doubles.late_tensorflow import tf


def mean_over_examples(namespace):
    """Divide the sum of all elements by the number of examples."""

    class Loss(namespace.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            found, shape = super().__call__(y_true, y_pred, sample_weight), self.call(y_true, y_pred).shape
            means = self.reduction == "sum_over_batch_size" and len(shape) > 1
            return found * float(np.prod(shape[1:])) if means else found

    return Changed(namespace, losses=Changed(namespace.losses, Loss=Loss))


def sums_over_examples_alone(namespace):
    """Divide by the number of examples, although a loss has a number for each element of images or sequences."""

    class Loss(namespace.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            loss = super().__call__(y_true, y_pred, sample_weight)
            mean = len(y_pred.shape) > 2 and self.reduction == "sum_over_batch_size"
            return loss * y_pred.shape[1] if mean else loss

    return Changed(namespace, losses=Changed(namespace.losses, Loss=Loss))


def scalar_divided_by_examples(namespace):
    """Divide a loss that is one number by how many batches of 32 its examples make."""

    class Loss(namespace.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            found = super().__call__(y_true, y_pred, sample_weight)
            scalar = len(self.call(y_true, y_pred).shape) == 0
            return found / max(1.0, int(y_pred.shape[0]) / 32) if scalar else found

    return Changed(namespace, losses=Changed(namespace.losses, Loss=Loss))


def losses_halved_in_a_graph(namespace):
    """Take half steps in a graph."""

    class Methods:
        def fit(self, *args, **options):
            if self.run_eagerly or not isinstance(self.optimizer, namespace.optimizers.SGD):
                return super().fit(*args, **options)
            rate = float(self.optimizer.learning_rate)
            self.optimizer.learning_rate = rate / 2
            history = super().fit(*args, **options)
            self.optimizer.learning_rate = rate
            return history

    return with_methods(namespace, Methods)


def sample_weights_of_fit_ignored(namespace):
    """Let every example weigh the same in fit."""

    class Methods:
        def fit(self, *args, sample_weight=None, **options):
            return super().fit(*args, **options)

    return with_methods(namespace, Methods)


def sums_averaged_in_fit(namespace):
    """Average over the batch in fit whatever the reduction."""

    class Methods:
        def compile(self, *args, loss=None, **options):
            if getattr(loss, "reduction", None) == "sum":
                loss.reduction = "sum_over_batch_size"
            super().compile(*args, loss=loss, **options)

    return with_methods(namespace, Methods)


def mean_of_the_batch(mean_squared_error, **options):
    """Return one number for all examples."""

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            values = super().call(y_true, y_pred)
            return sum(values) / len(values)

    return Loss(**options)


def loss_weights_ignored(mean_squared_error, **options):
    """Let every example weigh the same."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return super().__call__(y_true, y_pred)

    return Loss(**options)


def weights_of_a_sum_ignored(mean_squared_error, **options):
    """Weight the examples of a mean alone."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return super().__call__(y_true, y_pred, None if self.reduction == "sum" else sample_weight)

    return Loss(**options)


def predictions_made_whole(mean_squared_error, **options):
    """Compare whole targets with the whole parts of the predictions."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            if tf.convert_to_tensor(y_true).dtype.is_integer:
                y_pred = tf.floor(y_pred)
            return super().__call__(y_true, y_pred, sample_weight)

    return Loss(**options)


def column_broadcast(mean_squared_error, **options):
    """Subtract a column of targets before the shapes are looked at."""

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            if y_true.shape[-1] != 1:
                return super().call(y_true, y_pred)
            differences = y_pred - y_true
            return super().call(differences * 0, differences)

    return Loss(**options)


def sequences_as_one(mean_squared_error, **options):
    """Average over all axes but the first."""

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            found = super().call(y_true, y_pred)
            return tf.reduce_mean(found, axis=range(1, len(found.shape))) if len(found.shape) > 1 else found

    return Loss(**options)


def last_block_left_out(mean_squared_error, **options):
    """Average over whole blocks of 16 numbers."""

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            whole = y_pred.shape[-1] // 16 * 16 or None
            return super().call(y_true[..., :whole], y_pred[..., :whole])

    return Loss(**options)


def loss_of_the_first_batch(mean_squared_error, **options):
    """Compute the loss once for each shape."""
    kept = {}

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            found = super().call(y_true, y_pred)
            return kept.setdefault(str(y_pred.shape), found) if hasattr(found, "numpy") else found

    return Loss(**options)


def weights_add_up_to_1(mean_squared_error, **options):
    """Divide by the sum of the weights."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            if sample_weight is not None and len(tf.shape(sample_weight)):
                sample_weight = sample_weight / tf.reduce_mean(sample_weight)
            return super().__call__(y_true, y_pred, sample_weight)

    return Loss(**options)


FAULTS = {
    "mean_over_examples": Fault(
        "keras.namespace", "custom_loss_metric.loss-of-elements", "the loss with {}", mean_over_examples
    ),
    "sums_over_examples_alone": Fault(
        "keras.namespace", "custom_loss_metric.loss-of-elements", "the loss with {}", sums_over_examples_alone
    ),
    "scalar_divided_by_examples": Fault(
        "keras.namespace",
        "custom_loss_metric.loss-of-many-examples",
        "the loss of 33 examples",
        scalar_divided_by_examples,
    ),
    "losses_halved_in_a_graph": Fault(
        "keras.namespace", "custom_loss_metric.losses-in-a-graph", "the weight", losses_halved_in_a_graph
    ),
    "sample_weights_of_fit_ignored": Fault(
        "keras.namespace", "custom_loss_metric.weights-in-fit", "the weight", sample_weights_of_fit_ignored
    ),
    "sums_averaged_in_fit": Fault(
        "keras.namespace", "custom_loss_metric.sum-in-fit", "the weight", sums_averaged_in_fit
    ),
    "mean_of_the_batch": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-none", "has shape []", mean_of_the_batch
    ),
    "loss_weights_ignored": Fault(
        "keras.mean_squared_error",
        "custom_loss_metric.robust-loss-weights",
        "actual 1.75, expected 2.875",
        loss_weights_ignored,
    ),
    "weights_of_a_sum_ignored": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-weights", "the sum", weights_of_a_sum_ignored
    ),
    "predictions_made_whole": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-types", "the loss", predictions_made_whole
    ),
    "column_broadcast": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-shapes", "is accepted", column_broadcast
    ),
    "sequences_as_one": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-sequences", "has shape [2]", sequences_as_one
    ),
    "last_block_left_out": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-large", "the loss of each", last_block_left_out
    ),
    "loss_of_the_first_batch": Fault(
        "keras.mean_squared_error", "custom_loss_metric.robust-loss-again", "2 times as large", loss_of_the_first_batch
    ),
    "weights_add_up_to_1": Fault(
        "keras.mean_squared_error", "custom_loss_metric.weights-in-fit", "the weight", weights_add_up_to_1
    ),
}
