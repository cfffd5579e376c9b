"""Faults of what custom layers, losses and metrics inherit, of symbolic inputs, and of what Sequential is made of."""

from doubles.keras_faults import Changed, namespace_fault, with_layers, with_methods, with_sequential


def _layer(namespace, **methods):
    return with_layers(namespace, Layer=type("Layer", (namespace.layers.Layer,), methods))


def _adding(namespace, change):
    """Change the arguments of add_weight."""

    def add_weight(self, *args, **options):
        return namespace.layers.Layer.add_weight(self, *args, **change(dict(options)))

    return _layer(namespace, add_weight=add_weight)


def names_numbered(namespace):
    """Number the variables instead of naming them."""
    count = iter(range(10**6))
    return _adding(namespace, lambda options: options | {"name": f"variable_{next(count)}"})


def initializer_objects_ignored(namespace):
    """Take initializers by their names alone."""

    def change(options):
        own = options.get("initializer")
        return options if own is None or isinstance(own, str) else options | {"initializer": "zeros"}

    return _adding(namespace, change)


def types_ignored(namespace):
    """Make every variable float32."""
    return _adding(namespace, lambda options: options | {"dtype": "float32"})


def always_trainable(namespace):
    """Make every variable trainable."""
    return _adding(namespace, lambda options: options | {"trainable": True})


def drawn_normal(namespace):
    """Draw from a normal distribution where no initializer is given."""
    return _adding(namespace, lambda options: {"initializer": "glorot_normal"} | options)


def drawn_above_zero_by_default(namespace):
    """Draw between 0 and the limit where no initializer is given."""

    def above(shape, dtype=None):
        limit = (6 / sum(shape)) ** 0.5
        return namespace.random.uniform(shape, 0, limit)

    return _adding(namespace, lambda options: {"initializer": above} | options)


def lists_of_layers_unseen(namespace):
    """Know the layers that are attributes of a layer, and none in lists."""

    def __setattr__(self, name, value):  # noqa: N807 - the method's name
        if isinstance(value, list) and value and isinstance(value[0], namespace.layers.Layer):
            value = _Hidden(value)
        namespace.layers.Layer.__setattr__(self, name, value)

    return _layer(namespace, __setattr__=__setattr__)


class _Hidden:
    """A list that nobody takes for one."""

    def __init__(self, items):
        self._items = items

    def __iter__(self):
        return iter(self._items)


def mode_untold(namespace):
    """Tell custom layers nothing of the mode."""

    def __call__(self, *args, training=None, **options):  # noqa: N807 - the method's name
        return namespace.layers.Layer.__call__(self, *args, training=False, **options)

    def call(self, inputs):
        raise NotImplementedError

    return _layer(namespace, __call__=__call__, call=call)


# Symbolic inputs, and chains


def types_of_inputs_ignored(namespace):
    """Make every Input float32."""
    return Changed(namespace, Input=lambda *args, **options: namespace.Input(*args, **options | {"dtype": "float32"}))


def six_layers_at_most(namespace):
    """Leave out the layers after the sixth."""
    return with_sequential(namespace, lambda layers=None: namespace.Sequential(layers and layers[:6]))


def repeated_layers_left_out(namespace):
    """Apply layers of the same class once."""

    def sequential(layers=None):
        kept = {
            type(layer).__name__ if type(layer).__name__ == "MyLayer" else id(layer): layer for layer in layers or ()
        }
        return namespace.Sequential(list(kept.values()))

    return with_sequential(namespace, sequential)


def functional_output_remembered(namespace):
    """Compute the output of a model once for each shape."""

    class Methods:
        def call(self, inputs, *args, **options):
            if not hasattr(inputs, "numpy"):
                return super().call(inputs, *args, **options)
            kept = self.__dict__.setdefault("_kept", {})
            if str(inputs.shape) not in kept:
                kept[str(inputs.shape)] = super().call(inputs, *args, **options)
            return kept[str(inputs.shape)]

    return with_methods(namespace, Methods)


def inputs_by_width(namespace):
    """Take several inputs in the order of their widths."""

    class Methods:
        def __call__(self, inputs, *args, **options):
            if isinstance(inputs, list) and len(inputs) > 2:
                inputs = sorted(inputs, key=lambda one: one.shape[-1])
                order = sorted(range(len(self.inputs)), key=lambda place: self.inputs[place].shape[-1])
                inputs = [inputs[(order.index(place) + 0) % len(inputs)] for place in range(len(inputs))]
                inputs = [inputs[0], *inputs[1:]]
            found = super().__call__(inputs, *args, **options)
            return found[::-1] if isinstance(inputs, list) and len(inputs) > 2 else found

    return with_methods(namespace, Methods)


def names_by_position(namespace):
    """Take the values of a dictionary in their order, whatever their names."""

    class Methods:
        def __call__(self, inputs, *args, **options):
            own = getattr(self, "_inputs_struct", None)
            if isinstance(inputs, dict) and isinstance(own, dict):
                inputs = dict(zip(own, inputs.values(), strict=False))
            return super().__call__(inputs, *args, **options)

    return with_methods(namespace, Methods)


def outputs_renamed(namespace):
    """Name the outputs in the order of the alphabet."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            return dict(zip(sorted(found), found.values(), strict=True)) if isinstance(found, dict) else found

    return with_methods(namespace, Methods)


def build_puts_off(namespace):
    """Leave building to the first call."""

    class Methods:
        def build(self, input_shape=None):
            if isinstance(input_shape, tuple) and input_shape[0] is None and len(input_shape) == 4:
                return None
            return super().build(input_shape)

    return with_methods(namespace, Methods)


# Losses and metrics


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


def metrics_never_reset(namespace):
    """Go on counting from epoch to epoch."""

    class Methods:
        def reset_metrics(self):
            pass

    return with_methods(namespace, Methods)


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


BASE_FAULTS = {
    name: namespace_fault(claim, tells, function)
    for name, claim, tells, function in [
        ("names_numbered", "custom_layer.add-weight-options", "['variable_", names_numbered),
        (
            "initializer_objects_ignored",
            "custom_layer.add-weight-options",
            "first: 3 of 3",
            initializer_objects_ignored,
        ),
        ("types_ignored", "custom_layer.add-weight-options", "number has dtype float32", types_ignored),
        ("always_trainable", "custom_layer.add-weight-options", "the same variables as [", always_trainable),
        ("drawn_normal", "custom_layer.add-weight-default", "expected at most 0.2335", drawn_normal),
        (
            "drawn_above_zero_by_default",
            "custom_layer.add-weight-default",
            "look this uneven",
            drawn_above_zero_by_default,
        ),
        ("lists_of_layers_unseen", "custom_layer.layers-in-layers", "[(3, 3), (3,)] ==", lists_of_layers_unseen),
        ("mode_untold", "custom_layer.training-argument", "{False} == {True}", mode_untold),
        ("types_of_inputs_ignored", "sequential_functional.input-type", "expected int32", types_of_inputs_ignored),
        ("six_layers_at_most", "sequential_functional.many-layers", "expected 1015", six_layers_at_most),
        ("repeated_layers_left_out", "sequential_functional.many-layers", "expected 1015", repeated_layers_left_out),
        (
            "functional_output_remembered",
            "sequential_functional.repeated-calls",
            "model(X)",
            functional_output_remembered,
        ),
        ("inputs_by_width", "sequential_functional.three-inputs", "the first output", inputs_by_width),
        ("names_by_position", "sequential_functional.named-inputs-and-outputs", "the rest", names_by_position),
        ("outputs_renamed", "sequential_functional.named-inputs-and-outputs", "the rest", outputs_renamed),
        ("build_puts_off", "sequential_functional.build-by-shape", "", build_puts_off),
        (
            "sample_weights_of_fit_ignored",
            "custom_loss_metric.weights-in-fit",
            "the weight",
            sample_weights_of_fit_ignored,
        ),
        ("sums_averaged_in_fit", "custom_loss_metric.sum-in-fit", "the weight", sums_averaged_in_fit),
        ("metrics_never_reset", "compile_fit.history-of-metrics", "the accuracies", metrics_never_reset),
        ("losses_halved_in_a_graph", "custom_loss_metric.losses-in-a-graph", "the weight", losses_halved_in_a_graph),
    ]
}
