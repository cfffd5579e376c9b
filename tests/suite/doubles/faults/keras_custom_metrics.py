"""Faults of custom metrics, and of what they inherit."""

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, with_base
from doubles.late_tensorflow import tf


def own_metrics_count_together(namespace):
    """Hand the metrics of a class the same variables."""
    made = {}

    def add_weight(self, *args, **options):
        key = type(self), options.get("name")
        if key not in made:
            made[key] = namespace.metrics.Metric.add_weight(self, *args, **options)
        return made[key]

    return with_base(namespace, "metrics", "Metric", add_weight=add_weight)


def counted_in_half_precision(namespace):
    """Count examples in float16."""

    class SparseCategoricalAccuracy(namespace.metrics.SparseCategoricalAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight)
            for sums in (self.total, self.count):
                sums.assign(tf.cast(tf.cast(sums.value, "float16"), "float32"))

    changed = Changed(namespace.metrics, SparseCategoricalAccuracy=SparseCategoricalAccuracy)
    return Changed(namespace, metrics=changed)


def last_update_alone(sparse_categorical_accuracy, **options):
    """Reset with each batch."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.reset_state()
            super().update_state(y_true, y_pred, sample_weight)

    return Metric(**options)


def metric_with(**methods):
    """Return a wrong `sparse_categorical_accuracy`, whose class has other methods."""

    def wrong(right, **options):
        metric = right(**options)
        metric.__class__ = type("SparseCategoricalAccuracy", (type(metric),), methods)
        return metric

    return wrong


def call_of_the_batch(self, *args, **kwargs):
    """Return the accuracy of this call alone."""
    self.reset_state()
    return super(type(self), self).__call__(*args, **kwargs)


def labels_broadcast(sparse_categorical_accuracy, **options):
    """Compare each label of a column with every prediction."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
                for label in y_true:
                    super().update_state(label + 0 * y_true, y_pred, sample_weight)
            else:
                super().update_state(y_true, y_pred, sample_weight)

    return Metric(**options)


def update_along_the_steps(self, y_true, y_pred, sample_weight=None):
    """Look for the largest score along the steps, where there are as many of them as classes."""
    if len(y_pred.shape) == 3 and y_pred.shape[1] == y_pred.shape[2]:
        y_pred = tf.transpose(y_pred, (0, 2, 1))
    super(type(self), self).update_state(y_true, y_pred, sample_weight)


def metric_weights_ignored(sparse_categorical_accuracy, **options):
    """Let every example weigh the same."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred)

    return Metric(**options)


def nothing_of_nothing(sparse_categorical_accuracy, **options):
    """Divide 0 by 0."""

    class Metric(type(sparse_categorical_accuracy())):
        def result(self):
            result = super().result()
            return result if float(self.variables[0]) else result * float("nan")

    return Metric(**options)


def metric_never_reset(sparse_categorical_accuracy, **options):
    """Remember for ever."""

    class Metric(type(sparse_categorical_accuracy())):
        def reset_state(self):
            pass

    return Metric(**options)


def weights_of_rows(sparse_categorical_accuracy, **options):
    """Weight all steps of an example by the first one's weight."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            if sample_weight is not None and len(sample_weight.shape) > 1 and sample_weight.shape[-1] > 1:
                sample_weight = sample_weight * 0 + sample_weight[:, :1]
            super().update_state(y_true, y_pred, sample_weight)

    return Metric(**options)


def unweighted_left_out(sparse_categorical_accuracy, **options):
    """Count examples without a weight for as much as the mean weight so far."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            if sample_weight is None and float(self.total) > len(y_true) + 1:
                sample_weight = 2.0
            super().update_state(y_true, y_pred, sample_weight)

    return Metric(**options)


def labels_in_a_byte(sparse_categorical_accuracy, **options):
    """Keep labels in 8 bits."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            labels = tf.cast(y_true, tf.int64) % 256
            tied = tf.cast(tf.argmax(y_pred, axis=-1) % 256, tf.int64)
            super().update_state(labels, tf.one_hot(tied, max(int(y_pred.shape[-1]), 2)), sample_weight)

    return Metric(**options)


def compare_roughly(right, **options):
    """Round scores before they are compared."""
    import tensorflow as tf  # noqa: PLC0415 - faults of NumPy load no framework

    class Wrong(type(right(**options))):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(y_true, tf.round(tf.convert_to_tensor(y_pred) * 1e4), sample_weight)

    return Wrong(**options)


def update_if_sure(self, y_true, y_pred, sample_weight=None):
    """Count a prediction as correct only if more than half of the probability is on it."""
    count = tf.identity(self.count)
    super(type(self), self).update_state(y_true, y_pred, sample_weight)
    sure = tf.reduce_mean(tf.cast(tf.reduce_max(y_pred, axis=-1) > 0.5, self.count.dtype))
    self.count.assign(count + (self.count - count) * sure)


_first = {}


def metrics_share_their_state(sparse_categorical_accuracy, **options):
    """Count into the sums of the first metric."""
    one = _first.setdefault("metric", sparse_categorical_accuracy())

    class Metric(type(one)):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight)
            for own, shared in zip(self.variables, one.variables, strict=True):
                shared.assign_add(own)
                own.assign(shared)

        def reset_state(self):
            super().reset_state()
            one.reset_state()

    return Metric(**options)


FAULTS = {
    "own_metrics_count_together": Fault(
        "keras.namespace", "custom_loss_metric.metrics-are-apart", "== 1", own_metrics_count_together
    ),
    "counted_in_half_precision": Fault(
        "keras.namespace", "custom_loss_metric.metric-of-many-examples", "the metric", counted_in_half_precision
    ),
    "last_update_alone": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-computes",
        "the result",
        last_update_alone,
    ),
    "call_of_the_batch": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-computes",
        "the results of the calls",
        metric_with(__call__=call_of_the_batch),
    ),
    "labels_broadcast": Fault(
        "keras.sparse_categorical_accuracy", "custom_loss_metric.robust-metric-columns", "== 0.75", labels_broadcast
    ),
    "update_along_the_steps": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-sequences",
        "== 1",
        metric_with(update_state=update_along_the_steps),
    ),
    "metric_weights_ignored": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-weights",
        "actual 0.75",
        metric_weights_ignored,
    ),
    "nothing_of_nothing": Fault(
        "keras.sparse_categorical_accuracy", "custom_loss_metric.robust-metric-empty", "nan", nothing_of_nothing
    ),
    "metric_never_reset": Fault(
        "keras.sparse_categorical_accuracy", "custom_loss_metric.robust-metric-reset", "== 1", metric_never_reset
    ),
    "weights_of_rows": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-weighted-sequences",
        "the accuracy",
        weights_of_rows,
    ),
    "mean_weight_for_none": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-weights-add-up",
        "unweighted",
        unweighted_left_out,
    ),
    "labels_in_a_byte": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-many-classes",
        "the accuracy",
        labels_in_a_byte,
    ),
    "metric_compares_roughly": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-close-scores",
        "scores near 1",
        compare_roughly,
    ),
    "update_if_sure": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-close-scores",
        "the accuracy of near 1/4",
        metric_with(update_state=update_if_sure),
    ),
    "metrics_share_their_state": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metrics-are-apart",
        "== 1",
        metrics_share_their_state,
    ),
}
