"""Faults of a layer, a loss and a metric of the implementation's own."""

from importlib import import_module

import numpy as np

from doubles.faulty import Fault


class TensorFlow:
    """TensorFlow, loaded when a fault first computes with it: to list the faults takes no framework."""

    def __getattr__(self, name):
        return getattr(import_module("tensorflow"), name)


tf = TensorFlow()


def zero_kernel(linear_layer, units, kernel_initializer="zeros", **options):
    """Start from zeros."""
    return linear_layer(units, kernel_initializer=kernel_initializer, **options)


def units_unchecked(linear_layer, units, **options):
    """Take an invalid number of units for 1."""
    return linear_layer(units if isinstance(units, int) and units > 0 else 1, **options)


def bias_forgotten(linear_layer, units, **options):
    """Multiply and be done."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            return super().call(inputs) - self.variables[1]

    return Layer(units, **options)


def started_anew_at_each_call(linear_layer, units, **options):
    """Forget at each call what was learnt."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            for variable in self.variables:
                variable.assign(variable * 0)
            return super().call(inputs)

    return Layer(units, **options)


def started_anew_at_another_rank(linear_layer, units, **options):
    """Draw the kernel again for inputs of another rank than the last ones."""

    class Layer(type(linear_layer(1))):
        rank = None

        def call(self, inputs):
            if self.rank not in {None, len(inputs.shape)}:
                self.w.assign(self.kernel_initializer(self.w.shape))
            self.rank = len(inputs.shape)
            return super().call(inputs)

    return Layer(units, **options)


def bias_lost(linear_layer, units, **options):
    """Keep the bias from those who ask for the variables."""

    class Layer(type(linear_layer(1))):
        @property
        def variables(self):
            return super().variables[:1]

    return Layer(units, **options)


def initializer_not_configured(linear_layer, units, **options):
    """Leave an argument out of the configuration."""

    class Layer(type(linear_layer(1))):
        def get_config(self):
            return {name: value for name, value in super().get_config().items() if name != "kernel_initializer"}

    return Layer(units, **options)


def predictions_made_whole(mean_squared_error, **options):
    """Compare whole targets with the whole parts of the predictions."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            if tf.convert_to_tensor(y_true).dtype.is_integer:
                y_pred = tf.floor(y_pred)
            return super().__call__(y_true, y_pred, sample_weight)

    return Loss(**options)


def loss_weights_ignored(mean_squared_error, **options):
    """Let every example weigh the same."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return super().__call__(y_true, y_pred)

    return Loss(**options)


def mean_of_the_batch(mean_squared_error, **options):
    """Return one number for all examples."""

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            values = super().call(y_true, y_pred)
            return sum(values) / len(values)

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


def metric_never_reset(sparse_categorical_accuracy, **options):
    """Remember for ever."""

    class Metric(type(sparse_categorical_accuracy())):
        def reset_state(self):
            pass

    return Metric(**options)


def last_update_alone(sparse_categorical_accuracy, **options):
    """Reset with each batch."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.reset_state()
            super().update_state(y_true, y_pred, sample_weight)

    return Metric(**options)


def metric_weights_ignored(sparse_categorical_accuracy, **options):
    """Let every example weigh the same."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred)

    return Metric(**options)


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


def nothing_of_nothing(sparse_categorical_accuracy, **options):
    """Divide 0 by 0."""

    class Metric(type(sparse_categorical_accuracy())):
        def result(self):
            result = super().result()
            return result if float(self.variables[0]) else result * float("nan")

    return Metric(**options)


def drawn_above_zero(linear_layer, units, kernel_initializer=None, **options):
    """Draw the kernel between 0 and the limit."""

    def above(shape, dtype=None):
        limit = np.sqrt(6 / sum(shape))
        return np.random.default_rng().uniform(0, limit, shape).astype(np.float32)

    return linear_layer(units, kernel_initializer=kernel_initializer or above, **options)


def drawn_alike(linear_layer, units, kernel_initializer=None, **options):
    """Start every layer from the same kernel."""

    def alike(shape, dtype=None):
        limit = np.sqrt(6 / sum(shape))
        return np.random.default_rng(0).uniform(-limit, limit, shape).astype(np.float32)

    return linear_layer(units, kernel_initializer=kernel_initializer or alike, **options)


def columns_up_to_1024(linear_layer, units, **options):
    """Compute 1,024 columns, and leave 0 in the rest."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            return super().call(inputs) * (np.arange(self.units) < 1_024).astype(np.float32)

    return Layer(units, **options)


def gradient_doubled(linear_layer, units, **options):
    """Learn twice as fast as the output says."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            output = super().call(inputs)
            return 2 * output - tf.stop_gradient(output)

    return Layer(units, **options)


def layer_output_kept(linear_layer, units, **options):
    """Compute the output once for each shape of inputs and each state of the kernel."""
    kept = {}

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            key = str(inputs.shape), str(self.w.numpy()) if hasattr(inputs, "numpy") else None
            kept.setdefault(key, super().call(inputs))
            return kept[key] if key[1] else super().call(inputs)

    return Layer(units, **options)


def open_axes_filled(linear_layer, units, **options):
    """Give symbolic outputs a batch of 1."""

    class Layer(type(linear_layer(1))):
        def call(self, inputs):
            output = super().call(inputs)
            return output if hasattr(inputs, "numpy") else tf.ensure_shape(output, [1, *output.shape[1:]])

        def compute_output_shape(self, input_shape):
            return 1, *super().compute_output_shape(input_shape)[1:]

    return Layer(units, **options)


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


def weights_of_a_sum_ignored(mean_squared_error, **options):
    """Weight the examples of a mean alone."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return super().__call__(y_true, y_pred, None if self.reduction == "sum" else sample_weight)

    return Loss(**options)


def weights_add_up_to_1(mean_squared_error, **options):
    """Divide by the sum of the weights."""

    class Loss(type(mean_squared_error())):
        def __call__(self, y_true, y_pred, sample_weight=None):
            if sample_weight is not None and len(tf.shape(sample_weight)):
                sample_weight = sample_weight / tf.reduce_mean(sample_weight)
            return super().__call__(y_true, y_pred, sample_weight)

    return Loss(**options)


def loss_of_the_first_batch(mean_squared_error, **options):
    """Compute the loss once for each shape."""
    kept = {}

    class Loss(type(mean_squared_error())):
        def call(self, y_true, y_pred):
            found = super().call(y_true, y_pred)
            return kept.setdefault(str(y_pred.shape), found) if hasattr(found, "numpy") else found

    return Loss(**options)


def labels_in_a_byte(sparse_categorical_accuracy, **options):
    """Keep labels in 8 bits."""

    class Metric(type(sparse_categorical_accuracy())):
        def update_state(self, y_true, y_pred, sample_weight=None):
            labels = tf.cast(y_true, tf.int64) % 256
            tied = tf.cast(tf.argmax(y_pred, axis=-1) % 256, tf.int64)
            super().update_state(labels, tf.one_hot(tied, max(int(y_pred.shape[-1]), 2)), sample_weight)

    return Metric(**options)


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


_first = {}


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


def remainder_left_out(dataset, inputs, targets, batch_size):
    """Leave out what fills no batch."""
    whole = len(inputs) // batch_size * batch_size or len(inputs)
    return dataset(inputs[:whole], targets[:whole], batch_size)


def pipeline_shuffled(dataset, inputs, targets, batch_size):
    """Put the examples into another order."""
    order = np.random.default_rng(0).permutation(len(inputs))
    return dataset(inputs[order], targets[order], batch_size)


def pairs_torn(dataset, inputs, targets, batch_size):
    """Turn the targets of each batch around."""
    return dataset(inputs, targets, batch_size).map(lambda x, y: (x, y[::-1]))


def batches_of_one(dataset, inputs, targets, batch_size):
    """Hand examples over one by one."""
    return dataset(inputs, targets, 1)


def one_pass_alone(dataset, inputs, targets, batch_size):
    """Remember the first batch for later passes."""
    return dataset(inputs[::-1].copy(), targets[::-1].copy(), batch_size)


def images_flattened(dataset, inputs, targets, batch_size):
    """Read images by columns."""
    if inputs.ndim > 2:
        inputs = inputs.reshape(inputs.shape, order="A").swapaxes(1, 3).reshape(inputs.shape).copy()
    return dataset(inputs, targets, batch_size)


def labels_made_floats(dataset, inputs, targets, batch_size):
    """Add up to one half to whole targets by the way."""
    if targets.dtype == np.int64:
        targets = targets.astype(np.int8).astype(np.int64) * 0
    return dataset(inputs, targets, batch_size)


LAYER, LOSS, METRIC = "keras.linear_layer", "keras.mean_squared_error", "keras.sparse_categorical_accuracy"
DATASET = "keras.dataset"
CUSTOM_FAULTS = {
    "zero_kernel": Fault(LAYER, "custom_layer.robust-learns", "[False, False, False, True]", zero_kernel),
    "units_unchecked": Fault(LAYER, "custom_layer.robust-units", "is accepted", units_unchecked),
    "bias_forgotten": Fault(LAYER, "custom_layer.robust-initializers", "actual 6, expected 7", bias_forgotten),
    "started_anew_at_each_call": Fault(
        LAYER, "custom_layer.robust-builds-once", "actual 0, expected 16", started_anew_at_each_call
    ),
    "started_anew_at_another_rank": Fault(
        LAYER, "custom_layer.robust-builds-once", "the sums plus 1", started_anew_at_another_rank
    ),
    "bias_lost": Fault(LAYER, "custom_layer.robust-variables", "[(3, 4), (4, 1)]", bias_lost),
    "initializer_not_configured": Fault(
        LAYER, "custom_layer.robust-configuration", "the sums plus 1", initializer_not_configured
    ),
    "predictions_made_whole": Fault(LOSS, "custom_loss_metric.robust-loss-types", "the loss", predictions_made_whole),
    "loss_weights_ignored": Fault(
        LOSS, "custom_loss_metric.robust-loss-weights", "actual 1.75, expected 2.875", loss_weights_ignored
    ),
    "mean_of_the_batch": Fault(LOSS, "custom_loss_metric.robust-loss-none", "has shape []", mean_of_the_batch),
    "column_broadcast": Fault(LOSS, "custom_loss_metric.robust-loss-shapes", "is accepted", column_broadcast),
    "metric_never_reset": Fault(METRIC, "custom_loss_metric.robust-metric-reset", "== 1", metric_never_reset),
    "last_update_alone": Fault(METRIC, "custom_loss_metric.robust-metric-computes", "the result", last_update_alone),
    "metric_weights_ignored": Fault(
        METRIC, "custom_loss_metric.robust-metric-weights", "actual 0.75", metric_weights_ignored
    ),
    "labels_broadcast": Fault(METRIC, "custom_loss_metric.robust-metric-columns", "== 0.75", labels_broadcast),
    "nothing_of_nothing": Fault(METRIC, "custom_loss_metric.robust-metric-empty", "nan", nothing_of_nothing),
    "drawn_above_zero": Fault(LAYER, "custom_layer.robust-start", "look this uneven", drawn_above_zero),
    "drawn_alike": Fault(LAYER, "custom_layer.robust-start", "the same kernel", drawn_alike),
    "columns_up_to_1024": Fault(LAYER, "custom_layer.robust-large", "actual 0", columns_up_to_1024),
    "gradient_doubled": Fault(LAYER, "custom_layer.robust-trains", "the trained parameters", gradient_doubled),
    "layer_output_kept": Fault(LAYER, "custom_layer.robust-instances", "other inputs", layer_output_kept),
    "open_axes_filled": Fault(LAYER, "custom_layer.robust-symbolic", "(1, 2)", open_axes_filled),
    "sequences_as_one": Fault(LOSS, "custom_loss_metric.robust-loss-sequences", "has shape [2]", sequences_as_one),
    "last_block_left_out": Fault(LOSS, "custom_loss_metric.robust-loss-large", "the loss of each", last_block_left_out),
    "weights_of_a_sum_ignored": Fault(
        LOSS, "custom_loss_metric.robust-loss-weights", "the sum", weights_of_a_sum_ignored
    ),
    "weights_add_up_to_1": Fault(LOSS, "custom_loss_metric.weights-in-fit", "the weight", weights_add_up_to_1),
    "loss_of_the_first_batch": Fault(
        LOSS, "custom_loss_metric.robust-loss-again", "2 times as large", loss_of_the_first_batch
    ),
    "labels_in_a_byte": Fault(
        METRIC, "custom_loss_metric.robust-metric-many-classes", "the accuracy", labels_in_a_byte
    ),
    "metrics_share_their_state": Fault(
        METRIC, "custom_loss_metric.robust-metrics-are-apart", "== 1", metrics_share_their_state
    ),
    "weights_of_rows": Fault(
        METRIC, "custom_loss_metric.robust-metric-weighted-sequences", "the accuracy", weights_of_rows
    ),
    "mean_weight_for_none": Fault(
        METRIC, "custom_loss_metric.robust-metric-weights-add-up", "unweighted", unweighted_left_out
    ),
    "remainder_left_out": Fault(DATASET, "compile_fit.pipeline-keeps-pairs", "[6, 1]", remainder_left_out),
    "pipeline_shuffled": Fault(DATASET, "compile_fit.pipeline-keeps-pairs", "predict", pipeline_shuffled),
    "pairs_torn": Fault(DATASET, "compile_fit.pipeline-keeps-pairs", "evaluate", pairs_torn),
    "batches_of_one": Fault(DATASET, "compile_fit.dataset", "12", batches_of_one),
    "pipeline_backwards": Fault(DATASET, "compile_fit.dataset", "", one_pass_alone),
    "images_by_columns": Fault(DATASET, "compile_fit.pipeline-of-images", "the accuracy", images_flattened),
    "wide_labels_lost": Fault(DATASET, "compile_fit.pipeline-of-images", "the accuracy", labels_made_floats),
}
