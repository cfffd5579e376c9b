"""Faults of a layer, a loss and a metric of the implementation's own."""

from doubles.faulty import Fault


def zero_kernel(linear_layer, units, kernel_initializer="zeros", **options):
    """Start from zeros."""
    return linear_layer(units, kernel_initializer=kernel_initializer, **options)


def units_unchecked(linear_layer, units, **options):
    """Take what is no number of units for 1."""
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
    """Begin anew with each batch."""

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


LAYER, LOSS, METRIC = "keras.linear_layer", "keras.mean_squared_error", "keras.sparse_categorical_accuracy"
CUSTOM_FAULTS = {
    "zero_kernel": Fault(LAYER, "custom_layer.robust-learns", "[False, False, False, True]", zero_kernel),
    "units_unchecked": Fault(LAYER, "custom_layer.robust-units", "is accepted", units_unchecked),
    "bias_forgotten": Fault(LAYER, "custom_layer.robust-initializers", "actual 6, expected 7", bias_forgotten),
    "started_anew_at_each_call": Fault(
        LAYER, "custom_layer.robust-builds-once", "actual 0, expected 16", started_anew_at_each_call
    ),
    "bias_lost": Fault(LAYER, "custom_layer.robust-variables", "[(3, 4), (4, 1)]", bias_lost),
    "initializer_not_configured": Fault(
        LAYER, "custom_layer.robust-configuration", "sums and 1", initializer_not_configured
    ),
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
}
