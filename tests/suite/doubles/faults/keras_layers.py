"""Faults of the layers of Keras: Dense, activations, Reshape, Flatten and recurrent cells."""

from __future__ import annotations

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, activation_lost_without_bias, with_layers
from doubles.late_tensorflow import tf


def images_of_rows_reversed(namespace):
    """Go through the rows of a Dense layer's inputs from the last to the first, where they have rank 4."""

    class Dense(namespace.layers.Dense):
        def call(self, inputs, *arguments, **options):
            return super().call(inputs[:, ::-1] if len(inputs.shape) == 4 else inputs, *arguments, **options)

    return with_layers(namespace, Dense=Dense)


def exponentials_overflow(namespace):
    """Compute tanh by exponentials, which overflow."""

    def tanh(x):
        return (tf.exp(2 * x) - 1) / (tf.exp(2 * x) + 1)

    return Changed(namespace, activations=Changed(namespace.activations, tanh=tanh))


def sigmoid_is_hard(namespace):
    """Replace sigmoid by three straight lines."""

    class Dense(namespace.layers.Dense):
        def __init__(self, units, activation=None, **options):
            super().__init__(units, "hard_sigmoid" if activation == "sigmoid" else activation, **options)

    return with_layers(namespace, Dense=Dense)


def relu_leaks(namespace):
    """Let a hundredth of what is below 0 through, where the function is given."""
    activations = Changed(namespace.activations, relu=lambda inputs: namespace.ops.maximum(inputs, 0.01 * inputs))
    return Changed(namespace, activations=activations)


def _dense(namespace, **methods):
    return with_layers(namespace, Dense=type("Dense", (namespace.layers.Dense,), methods))


def activation_forgotten_at_rank_3(namespace):
    """Return AW + b for sequences."""

    def call(self, inputs, **options):
        if len(inputs.shape) != 3:
            return namespace.layers.Dense.call(self, inputs, **options)
        return namespace.ops.matmul(inputs, self.kernel) + self.bias

    return _dense(namespace, call=call)


def softmax_overflows(namespace):
    """Divide exponentials without taking the largest logit off before."""

    class Softmax(namespace.layers.Softmax):
        def call(self, inputs, mask=None):
            exponentials = namespace.ops.exp(inputs)
            return exponentials / namespace.ops.sum(exponentials, axis=-1, keepdims=True)

    return with_layers(namespace, Softmax=Softmax)


def softmax_over_axis_1(namespace):
    """Normalise over the second axis."""

    class Softmax(namespace.layers.Softmax):
        def __init__(self, axis=1, **options):
            super().__init__(axis=axis, **options)

    return with_layers(namespace, Softmax=Softmax)


def vectors_stay_vectors(namespace):
    """Return a vector from Flatten as it is."""

    class Flatten(namespace.layers.Flatten):
        def call(self, inputs):
            return inputs if len(inputs.shape) == 1 else super().call(inputs)

    return with_layers(namespace, Flatten=Flatten)


def flattened_by_columns(namespace):
    """Join the axes with the first of them fastest."""

    class Flatten(namespace.layers.Flatten):
        def call(self, inputs):
            rank = len(inputs.shape)
            return super().call(namespace.ops.transpose(inputs, (0, *range(rank - 1, 0, -1))))

    return with_layers(namespace, Flatten=Flatten)


def reshaped_with_the_batch(namespace):
    """Take a batch of one for no batch."""

    class Reshape(namespace.layers.Reshape):
        def call(self, inputs):
            found = super().call(inputs)
            return found[0] if found.shape[0] == 1 else found

    return with_layers(namespace, Reshape=Reshape)


def layer_output_remembered(namespace):
    """Compute an output once for each shape."""
    kept = {}

    def __call__(self, inputs, **options):  # noqa: N807 - the method's name
        key = id(self), str(inputs.shape), str(self.kernel.numpy() if self.built else None)
        if key not in kept:
            kept[key] = namespace.layers.Dense.__call__(self, inputs, **options)
        return kept[key]

    return _dense(namespace, __call__=__call__)


def vectors_taken_for_rows(namespace):
    """Take a vector for a batch of one."""

    def __call__(self, inputs, **options):  # noqa: N807 - the method's name
        if len(inputs.shape) == 1:
            inputs = namespace.ops.expand_dims(inputs, 0)
        return namespace.layers.Dense.__call__(self, inputs, **options)

    return _dense(namespace, __call__=__call__)


def further_features_cut_off(namespace):
    """Leave out the features that the first inputs did not have."""

    def __call__(self, inputs, **options):  # noqa: N807 - the method's name
        if self.built and inputs.shape[-1] > self.kernel.shape[0]:
            inputs = inputs[..., : self.kernel.shape[0]]
        return namespace.layers.Dense.__call__(self, inputs, **options)

    return _dense(namespace, __call__=__call__)


def sequences_reversed(namespace):
    """Go through the rows of a Dense layer's inputs from the last to the first, where they have rank 3."""

    class Dense(namespace.layers.Dense):
        def call(self, inputs, *arguments, **options):
            return super().call(inputs[:, ::-1] if len(inputs.shape) == 3 else inputs, *arguments, **options)

    return with_layers(namespace, Dense=Dense)


def bias_kept(namespace):
    """Give every Dense layer with an activation a bias."""

    class Dense(namespace.layers.Dense):
        def __init__(self, units, activation=None, *, use_bias=True, **options):
            super().__init__(units, activation=activation, use_bias=use_bias or activation is not None, **options)

    return with_layers(namespace, Dense=Dense)


def channels_flattened_first(namespace):
    """Flatten channel by channel."""

    class Flatten(namespace.layers.Flatten):
        def call(self, inputs):
            several = len(inputs.shape) == 4 and inputs.shape[-1] > 1
            return super().call(namespace.layers.Permute((3, 1, 2))(inputs) if several else inputs)

    return with_layers(namespace, Flatten=Flatten)


def softmax_of_the_second_axis(namespace):
    """Let Softmax sum over the second axis."""

    class Softmax(namespace.layers.Softmax):
        def __init__(self, axis=1, **options):
            super().__init__(axis=axis, **options)

    return with_layers(namespace, Softmax=Softmax)


def squares_by_columns(namespace):
    """Write squares column by column."""

    class Reshape(namespace.layers.Reshape):
        def call(self, inputs):
            outputs = super().call(inputs)
            square = len(outputs.shape) == 3 and outputs.shape[1] == outputs.shape[2]
            return namespace.layers.Permute((2, 1))(outputs) if square else outputs

    return with_layers(namespace, Reshape=Reshape)


def last_state_first(namespace):
    """Begin with the state that the last call of the cell left."""

    class LSTMCell(namespace.layers.LSTMCell):
        def call(self, inputs, states, **options):
            output, new = super().call(inputs, states, **options)
            self.__dict__["_left"] = new
            return output, new

        def get_initial_state(self, batch_size=None):
            return self.__dict__.get("_left") or super().get_initial_state(batch_size)

    return with_layers(namespace, LSTMCell=LSTMCell)


def state_of_the_first_batch(namespace):
    """Return the initial state for the number of examples of the first call."""

    class LSTMCell(namespace.layers.LSTMCell):
        def get_initial_state(self, batch_size=None, **_options):
            self.__dict__.setdefault("examples", batch_size)
            return [tf.zeros((self.__dict__["examples"], self.units)) for _ in range(2)]

    return with_layers(namespace, LSTMCell=LSTMCell)


FAULTS = {
    "images_of_rows_reversed": Fault("keras.namespace", "model.activations", "Dense with", images_of_rows_reversed),
    "dense_activation_lost_without_bias": Fault(
        "keras.namespace", "model.activations", "relu and use_bias=False", activation_lost_without_bias("Dense")
    ),
    "exponentials_overflow": Fault("keras.namespace", "model.activations", "the function tanh", exponentials_overflow),
    "sigmoid_is_hard": Fault("keras.namespace", "model.activations", "Dense with sigmoid", sigmoid_is_hard),
    "relu_leaks": Fault("keras.namespace", "model.activations", "Dense with relu", relu_leaks),
    "activation_forgotten_at_rank_3": Fault(
        "keras.namespace", "model.activations", "Dense with relu", activation_forgotten_at_rank_3
    ),
    "softmax_overflows": Fault("keras.namespace", "model.softmax-of-any-rank", "the layer", softmax_overflows),
    "softmax_over_axis_1": Fault("keras.namespace", "model.softmax-of-any-rank", "the layer", softmax_over_axis_1),
    "vectors_stay_vectors": Fault("keras.namespace", "model.reshaping", "Flatten of a vector", vectors_stay_vectors),
    "flattened_by_columns": Fault("keras.namespace", "model.reshaping", "of shape (24,)", flattened_by_columns),
    "reshaped_with_the_batch": Fault("keras.namespace", "model.reshaping", "has shape [4, 6]", reshaped_with_the_batch),
    "layer_output_remembered": Fault(
        "keras.namespace", "model.one-layer-many-calls", "output 3", layer_output_remembered
    ),
    "vectors_taken_for_rows": Fault("keras.namespace", "model.unfit-inputs", "is accepted", vectors_taken_for_rows),
    "further_features_cut_off": Fault("keras.namespace", "model.unfit-inputs", "is accepted", further_features_cut_off),
    "dense_sequences_reversed": Fault("keras.namespace", "dense.units", "the output", sequences_reversed),
    "dense_bias_kept": Fault("keras.namespace", "dense.without-bias-variable", "(4,)", bias_kept),
    "channels_flattened_first": Fault("keras.namespace", "mlp.flatten-layer", "Flatten", channels_flattened_first),
    "softmax_of_the_second_axis": Fault(
        "keras.namespace", "softmax.layer", "layers.Softmax()", softmax_of_the_second_axis
    ),
    "squares_by_columns": Fault("keras.namespace", "cnn.reshape-layer", "Reshape", squares_by_columns),
    "last_state_first": Fault("keras.namespace", "rnn.get-initial-state", "after a call", last_state_first),
    "state_of_the_first_batch": Fault(
        "keras.namespace", "rnn.get-initial-state", "of more examples", state_of_the_first_batch
    ),
}
