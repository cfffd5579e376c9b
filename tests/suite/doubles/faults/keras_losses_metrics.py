"""Faults of the losses and metrics of Keras."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed
from doubles.late_tensorflow import tf


def _losses(namespace, **names):
    return Changed(namespace, losses=Changed(namespace.losses, **names))


def logits_taken_for_probabilities(namespace):
    """Make probabilities of logits by a softmax over the batch."""
    # Keras remembers the logits of what its softmax returns: a product by 1 makes it forget them.
    right = namespace.losses.sparse_categorical_crossentropy
    return _losses(
        namespace,
        sparse_categorical_crossentropy=lambda y_true, y_pred, from_logits=False, **options: right(
            y_true, 1 * namespace.ops.softmax(y_pred, axis=0) if from_logits else y_pred, **options
        ),
    )


def softmax_applied_twice(namespace):
    """Take probabilities for logits as well."""
    right = namespace.losses.categorical_crossentropy
    return _losses(
        namespace,
        categorical_crossentropy=lambda y_true, y_pred, from_logits=False, **options: right(
            y_true, namespace.ops.softmax(y_pred), from_logits=from_logits, **options
        ),
    )


def objects_ignore_logits(namespace):
    """Ignore from_logits in a loss's class."""

    class Loss(namespace.losses.SparseCategoricalCrossentropy):
        def __init__(self, *, from_logits=False, **options):
            super().__init__(**options)

    return _losses(namespace, SparseCategoricalCrossentropy=Loss)


def weights_normalised(namespace):
    """Divide by the sum of the weights instead of their number."""

    class Loss(namespace.losses.CategoricalCrossentropy):
        def __call__(self, y_true, y_pred, sample_weight=None):
            found = super().__call__(y_true, y_pred, sample_weight)
            if sample_weight is None or self.reduction != "sum_over_batch_size":
                return found
            return found * (len(sample_weight) / namespace.ops.sum(sample_weight))

    return _losses(namespace, CategoricalCrossentropy=Loss)


def mean_where_a_sum_was_asked(namespace):
    """Average whatever the reduction, except for `none`."""

    class Loss(namespace.losses.SparseCategoricalCrossentropy):
        def __init__(self, reduction="sum_over_batch_size", **options):
            super().__init__(reduction="sum_over_batch_size" if reduction == "sum" else reduction, **options)

    return _losses(namespace, SparseCategoricalCrossentropy=Loss)


def labels_of_a_byte(namespace):
    """Keep labels in 8 bits."""
    right = namespace.losses.sparse_categorical_crossentropy
    return _losses(
        namespace,
        sparse_categorical_crossentropy=lambda y_true, y_pred, **options: right(
            namespace.ops.cast(namespace.ops.mod(namespace.ops.cast(y_true, "int64"), 256), "int32"), y_pred, **options
        ),
    )


def bytes_with_signs(namespace):
    """Take labels of 8 bits for numbers with a sign, and wrap the negative ones around."""
    right = namespace.losses.sparse_categorical_crossentropy

    def sparse_categorical_crossentropy(y_true, y_pred, **options):
        if "uint8" in str(getattr(y_true, "dtype", "")):
            y_true = namespace.ops.mod(
                namespace.ops.cast(namespace.ops.cast(y_true, "int8"), "int32"), y_pred.shape[-1]
            )
        return right(y_true, y_pred, **options)

    return _losses(namespace, sparse_categorical_crossentropy=sparse_categorical_crossentropy)


def _metric(namespace, **methods):
    kind = type("SparseCategoricalAccuracy", (namespace.metrics.SparseCategoricalAccuracy,), methods)
    return Changed(namespace, metrics=Changed(namespace.metrics, SparseCategoricalAccuracy=kind))


def objects_keep_labels_in_a_byte(namespace):
    """Keep the labels of the metric's objects in 8 bits."""
    ops = namespace.ops

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels, classes = (
            ops.mod(ops.cast(one, "int64"), 256) for one in (ops.reshape(y_true, [-1]), ops.argmax(y_pred, axis=-1))
        )
        right = namespace.metrics.SparseCategoricalAccuracy
        right.update_state(self, ops.zeros_like(labels), ops.one_hot(ops.cast(labels != classes, "int32"), 2))

    return _metric(namespace, update_state=update_state)


def sequences_averaged(namespace):
    """Average the losses of the steps of an example."""
    right = namespace.losses.categorical_crossentropy

    def wrong(y_true, y_pred, **options):
        found = right(y_true, y_pred, **options)
        return (
            namespace.ops.broadcast_to(namespace.ops.mean(found, axis=-1, keepdims=True), found.shape)
            if len(found.shape) > 1
            else found
        )

    return _losses(namespace, categorical_crossentropy=wrong)


def labels_in_a_column_broadcast(namespace):
    """Compare each prediction with the labels of all examples, where these are a column."""
    right, losses = namespace.losses.sparse_categorical_crossentropy, namespace.losses

    def sparse_categorical_crossentropy(y_true, y_pred, **options):
        if len(y_true.shape) == len(y_pred.shape):
            labels = namespace.ops.one_hot(namespace.ops.reshape(y_true, (-1,)), y_pred.shape[-1])
            return namespace.ops.mean(-namespace.ops.log(y_pred @ namespace.ops.transpose(labels)), axis=-1)
        return right(y_true, y_pred, **options)

    changed = Changed(losses, sparse_categorical_crossentropy=sparse_categorical_crossentropy)
    return Changed(namespace, losses=changed)


def largest_target_alone(namespace):
    """Take the largest target for the label."""
    losses = namespace.losses

    def categorical_crossentropy(y_true, y_pred, **options):
        labels = namespace.ops.argmax(y_true, axis=-1)
        loss = losses.sparse_categorical_crossentropy(labels, y_pred, **options)
        return loss * namespace.ops.max(namespace.ops.sign(y_true), axis=-1)

    return Changed(namespace, losses=Changed(losses, categorical_crossentropy=categorical_crossentropy))


def predictions_cut_to_whole_targets(namespace):
    """Compare whole targets with the whole parts of the predictions."""

    class MeanSquaredError(namespace.losses.MeanSquaredError):
        def __call__(self, y_true, y_pred, sample_weight=None):
            whole = "int" in str(y_true.dtype)
            return super().__call__(y_true, namespace.ops.floor(y_pred) if whole else y_pred, sample_weight)

    return Changed(namespace, losses=Changed(namespace.losses, MeanSquaredError=MeanSquaredError))


def column_against_all(namespace):
    """Compare labels in a column with every prediction."""

    def sparse_categorical_accuracy(y_true, y_pred):
        found = tf.argmax(y_pred, axis=-1)
        return tf.cast(tf.cast(y_true, found.dtype) == found, "float32")

    changed = Changed(namespace.metrics, sparse_categorical_accuracy=sparse_categorical_accuracy)
    return Changed(namespace, metrics=changed)


def accuracy_of_the_batch(namespace):
    """Return the share of right predictions in the place of each of them."""
    right = namespace.metrics.sparse_categorical_accuracy

    def wrong(y_true, y_pred):
        found = right(y_true, y_pred)
        return found * 0 + namespace.ops.mean(found)

    return Changed(namespace, metrics=Changed(namespace.metrics, sparse_categorical_accuracy=wrong))


def batches_weigh_the_same(namespace):
    """Average the shares of the batches."""

    class Metric(namespace.metrics.SparseCategoricalAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight=np.full(len(y_true), 1 / len(y_true), np.float32))

    return Changed(namespace, metrics=Changed(namespace.metrics, SparseCategoricalAccuracy=Metric))


def metrics_count_together(namespace):
    """Update every metric of the class with what one of them is given."""
    made, right = [], namespace.metrics.SparseCategoricalAccuracy

    def start(self, *args, **options):
        right.__init__(self, *args, **options)
        made.append(self)

    def update_state(self, *args, **options):
        for metric in made:
            right.update_state(metric, *args, **options)

    return _metric(namespace, __init__=start, update_state=update_state)


def ties_are_right(namespace):
    """Take a prediction for right if no other class has a larger score."""
    ops = namespace.ops

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = ops.cast(y_true, "int32")
        scores = ops.reshape(y_pred, [-1, y_pred.shape[-1]])
        of_label = ops.take_along_axis(scores, ops.reshape(labels, [-1, 1]), axis=1)[:, 0]
        right = ops.where(of_label >= ops.max(scores, axis=1), 0, 1)
        all_right = ops.zeros_like(right)
        namespace.metrics.SparseCategoricalAccuracy.update_state(self, all_right, ops.one_hot(right, 2), sample_weight)

    return _metric(namespace, update_state=update_state)


FAULTS = {
    "logits_taken_for_probabilities": Fault(
        "keras.namespace",
        "model.losses-from-logits",
        "sparse_categorical_crossentropy of each",
        logits_taken_for_probabilities,
    ),
    "softmax_applied_twice": Fault(
        "keras.namespace", "model.losses-from-logits", "categorical_crossentropy of each", softmax_applied_twice
    ),
    "objects_ignore_logits": Fault("keras.namespace", "model.loss-objects", "the mean", objects_ignore_logits),
    "weights_normalised": Fault("keras.namespace", "model.loss-objects", "the weighted mean", weights_normalised),
    "mean_where_a_sum_was_asked": Fault("keras.namespace", "model.loss-objects", "the sum", mean_where_a_sum_was_asked),
    "labels_of_a_byte": Fault("keras.namespace", "model.many-classes", "the loss", labels_of_a_byte),
    "bytes_with_signs": Fault("keras.namespace", "model.many-classes", "the loss", bytes_with_signs),
    "objects_keep_labels_in_a_byte": Fault(
        "keras.namespace", "model.many-classes", "the metric: differs", objects_keep_labels_in_a_byte
    ),
    "sequences_averaged": Fault(
        "keras.namespace", "model.loss-of-sequences", "categorical_crossentropy", sequences_averaged
    ),
    "labels_in_a_column_broadcast": Fault(
        "keras.namespace", "model.loss-of-sequences", "in a column", labels_in_a_column_broadcast
    ),
    "largest_target_alone": Fault("keras.namespace", "model.loss-of-sequences", "soft targets", largest_target_alone),
    "predictions_cut_to_whole_targets": Fault(
        "keras.namespace", "model.squares-of-each-example", "the loss", predictions_cut_to_whole_targets
    ),
    "column_against_all": Fault("keras.namespace", "model.accuracy-of-each-example", "in a column", column_against_all),
    "accuracy_of_the_batch": Fault(
        "keras.namespace", "model.accuracy-of-each-example", "of each example", accuracy_of_the_batch
    ),
    "batches_weigh_the_same": Fault(
        "keras.namespace", "model.metric-object-accumulates", "after each batch", batches_weigh_the_same
    ),
    "metrics_count_together": Fault(
        "keras.namespace", "model.metric-objects-are-apart", "[0.75, 0", metrics_count_together
    ),
    "ties_are_right": Fault("keras.namespace", "model.one-prediction", "the accuracy", ties_are_right),
}
