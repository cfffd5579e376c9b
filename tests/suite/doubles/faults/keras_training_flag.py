"""Faults of the flag that tells layers of Keras whether they train: dropout and normalization."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import with_layers, with_methods


def training_stays(namespace):
    """Stay in training mode after a call in it, until another one says otherwise."""
    last = [None]

    class BatchNormalization(namespace.layers.BatchNormalization):
        def __call__(self, inputs, training=None, **options):
            last[0] = last[0] if training is None else training
            return super().__call__(inputs, training=last[0], **options)

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def mode_lost_in_depth(namespace):
    """Run a model in a model in inference mode, unless its own call says otherwise."""
    models = []

    class Methods:
        def __call__(self, *args, **options):
            models.append(self)
            try:
                return super().__call__(*args, **({"training": False} if len(models) > 1 else {}) | options)
            finally:
                models.pop()

    return with_methods(namespace, Methods)


def training_stays_after_fit(namespace):
    """Stay in training mode after fit."""

    class Methods:
        def fit(self, *args, **options):
            result = super().fit(*args, **options)
            object.__setattr__(self, "_fitted", True)
            return result

        def __call__(self, *args, **options):
            if getattr(self, "_fitted", False) and "training" not in options:
                options["training"] = True
            return super().__call__(*args, **options)

    return with_methods(namespace, Methods)


def smaller_last_batch_in_training_mode(namespace):
    """Leave Dropout on for what is left of the examples after whole batches."""

    class Methods:
        def predict(self, x, batch_size=32, **options):
            found = super().predict(x, batch_size=batch_size, **options)
            rest = len(x) % batch_size
            if len(x) > batch_size and rest:
                found[-rest:] = self(x[-rest:], training=True)
            return found

    return with_methods(namespace, Methods)


def keep_probability(namespace):
    """Take the rate for the share that is kept."""

    class Dropout(namespace.layers.Dropout):
        def __init__(self, rate, **options):
            super().__init__(1 - rate if rate else rate, **options)
            self.told = rate

    return with_layers(namespace, Dropout=Dropout)


def _masked(namespace, mask):
    """Let Dropout keep what a mask says, in training mode."""

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            if not training or not self.rate:
                return inputs
            return inputs * mask(self, inputs) / (1 - self.rate)

    return with_layers(namespace, Dropout=Dropout)


def _drawn(namespace, shape, rate):
    return namespace.ops.cast(namespace.random.uniform(shape) >= rate, "float32")


def unscaled_dropout(namespace):
    """Drop, and leave the rest as it is."""
    return _masked(
        namespace,
        lambda layer, inputs: _drawn(namespace, [n or 1 for n in inputs.shape], layer.rate) * (1 - layer.rate),
    )


def exact_count_dropped(namespace):
    """Drop an exact share of the elements."""

    def mask(layer, inputs):
        size = int(np.prod([n or 1 for n in inputs.shape]))
        order = np.random.default_rng().permutation(size)
        return (order >= round(layer.rate * size)).astype(np.float32).reshape([n or 1 for n in inputs.shape])

    return _masked(namespace, mask)


def rows_dropped(namespace):
    """Drop whole examples."""
    return _masked(
        namespace,
        lambda layer, inputs: _drawn(namespace, (inputs.shape[0] or 1, *[1] * (len(inputs.shape) - 1)), layer.rate),
    )


def channels_dropped(namespace):
    """Drop whole channels of each example."""
    return _masked(
        namespace,
        lambda layer, inputs: _drawn(
            namespace, (inputs.shape[0] or 1, *[1] * (len(inputs.shape) - 2), inputs.shape[-1]), layer.rate
        ),
    )


def one_mask_for_all_rows(namespace):
    """Draw one mask for all examples of a batch."""
    return _masked(namespace, lambda layer, inputs: _drawn(namespace, (1, *inputs.shape[1:]), layer.rate))


def masks_of_two_columns(namespace):
    """Draw a bit for each two neighbours."""

    def mask(layer, inputs):
        *leading, last = (n or 1 for n in inputs.shape)
        return namespace.ops.repeat(_drawn(namespace, (*leading, -(-last // 2)), layer.rate), 2, axis=-1)[..., :last]

    return _masked(namespace, mask)


def opposite_masks(namespace):
    """Drop an example's elements by the opposites of the numbers of another one, half a batch before."""

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            if not training or not self.rate or None in inputs.shape:
                return super().call(inputs, training=training)
            half = np.random.default_rng().random((-(-inputs.shape[0] // 2), *inputs.shape[1:]))
            numbers = np.concatenate([half, 1 - half])[: inputs.shape[0]]
            return inputs * (numbers >= self.rate).astype(np.float32) / (1 - self.rate)

    return with_layers(namespace, Dropout=Dropout)


def one_mask_for_ever(namespace):
    """Draw one mask for each shape."""
    masks = {}

    def mask(layer, inputs):
        shape = tuple(1 if length is None else length for length in inputs.shape)
        if (layer.rate, shape) not in masks:
            masks[layer.rate, shape] = (np.random.default_rng(0).random(shape) >= layer.rate).astype(np.float32)
        return masks[layer.rate, shape]

    return _masked(namespace, mask)


def layers_share_a_seed(namespace):
    """Let every layer of Dropout begin with the same draws."""

    class Dropout(namespace.layers.Dropout):
        def __init__(self, rate, **options):
            super().__init__(rate, **{"seed": 0} | options)

    return with_layers(namespace, Dropout=Dropout)


def moving_statistics_later(namespace):
    """From the second call in training mode on, use the moving statistics in it."""

    class BatchNormalization(namespace.layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            outputs = super().call(inputs, training=training, mask=mask)
            seen = self.__dict__.get("seen", False)
            self.__dict__["seen"] = seen or bool(training)
            return super().call(inputs, training=False) if training and seen else outputs

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def frozen_model_normalizes_the_batch(namespace):
    """Look at the layer's own trainable, as it was made with, and not at the model's."""

    class BatchNormalization(namespace.layers.BatchNormalization):
        def __init__(self, **options):
            super().__init__(**options)
            object.__setattr__(self, "_frozen", options.get("trainable") is False)

        def call(self, inputs, training=None, **options):
            asked = self.trainable
            if not self._frozen and training and not asked:
                self.trainable = True
                try:
                    return super().call(inputs, training=training, **options)
                finally:
                    self.trainable = asked
            return super().call(inputs, training=training, **options)

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def outer_training_wins(namespace):
    """Let the mode of the model overrule that of a layer's own call."""
    current = []

    class Methods:
        def __call__(self, *args, training=None, **options):
            current.append(training)
            try:
                return super().__call__(*args, training=training, **options)
            finally:
                current.pop()

    class BatchNormalization(namespace.layers.BatchNormalization):
        def __call__(self, inputs, training=None, **options):
            outer = [one for one in current if one is not None]
            return super().__call__(inputs, training=outer[-1] if outer else training, **options)

    return with_layers(with_methods(namespace, Methods), BatchNormalization=BatchNormalization)


def validation_moves_statistics(namespace):
    """Normalise in training mode during validation."""
    fitting = []

    class Methods:
        def fit(self, *args, **options):
            fitting.append(self)
            try:
                return super().fit(*args, **options)
            finally:
                fitting.pop()

    class BatchNormalization(namespace.layers.BatchNormalization):
        def call(self, inputs, training=None, **options):
            return super().call(inputs, training=bool(training or fitting), **options)

    return with_layers(with_methods(namespace, Methods), BatchNormalization=BatchNormalization)


def one_mask_in_a_graph(namespace):
    """Draw the mask with NumPy: once, when the graph is made."""

    def mask(layer, inputs):
        shape = [1 if length is None else length for length in inputs.shape]
        return (np.random.default_rng().random(shape) >= layer.rate).astype(np.float32)

    return _masked(namespace, mask)


FAULTS = {
    "training_stays": Fault(
        "keras.namespace", "training_flag.training-argument", "has changed: [False, False, True, True", training_stays
    ),
    "mode_lost_in_depth": Fault(
        "keras.namespace",
        "training_flag.training-reaches-every-depth",
        "called with {'training': True}",
        mode_lost_in_depth,
    ),
    "training_stays_after_fit": Fault(
        "keras.namespace", "training_flag.fit-trains", "a call after fit is in training mode", training_stays_after_fit
    ),
    "smaller_last_batch_in_training_mode": Fault(
        "keras.namespace", "training_flag.evaluate-infers", "in batches of two", smaller_last_batch_in_training_mode
    ),
    "keep_probability": Fault(
        "keras.namespace", "training_flag.dropout-rate", "of 2000, expected 0.2 of them", keep_probability
    ),
    "unscaled_dropout": Fault(
        "keras.namespace", "training_flag.dropout-rate", "the elements that a rate of 0.2 keeps", unscaled_dropout
    ),
    "exact_count_dropped": Fault(
        "keras.namespace", "training_flag.dropout-rate", "exactly the same number of elements", exact_count_dropped
    ),
    "rows_dropped": Fault("keras.namespace", "training_flag.dropout-elements", "neighbours along axis", rows_dropped),
    "channels_dropped": Fault(
        "keras.namespace", "training_flag.dropout-elements", "neighbours along axis", channels_dropped
    ),
    "one_mask_for_all_rows": Fault(
        "keras.namespace", "training_flag.dropout-elements", "neighbours along axis 0", one_mask_for_all_rows
    ),
    "masks_of_two_columns": Fault(
        "keras.namespace", "training_flag.dropout-elements", "neighbours along axis 1", masks_of_two_columns
    ),
    "masks_of_opposites": Fault(
        "keras.namespace", "training_flag.dropout-elements", "half the axis away", opposite_masks
    ),
    "one_mask_for_ever": Fault(
        "keras.namespace", "training_flag.dropout-anew", "two calls both keep or both drop", one_mask_for_ever
    ),
    "layers_share_a_seed": Fault(
        "keras.namespace", "training_flag.dropout-anew", "that two layers both keep", layers_share_a_seed
    ),
    "moving_statistics_later": Fault(
        "keras.namespace", "training_flag.normalization-layer", "in training mode again", moving_statistics_later
    ),
    "frozen_model_normalizes_the_batch": Fault(
        "keras.namespace",
        "training_flag.frozen-model",
        "the statistics of a frozen layer change",
        frozen_model_normalizes_the_batch,
    ),
    "outer_training_wins": Fault(
        "keras.namespace",
        "training_flag.explicit-argument",
        "with training=False in the inner call",
        outer_training_wins,
    ),
    "validation_moves_statistics": Fault(
        "keras.namespace", "training_flag.statistics-in-fit", "the moving mean", validation_moves_statistics
    ),
    "one_mask_in_a_graph": Fault(
        "keras.namespace", "compile_fit.compiled-dropout", "every epoch has the same masks", one_mask_in_a_graph
    ),
}
