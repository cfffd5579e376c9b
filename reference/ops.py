"""Single operations, each by the function or the layer of Keras that the document uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.contract import Activation, Array

ACTIVATIONS = {None: None, "relu": tf.nn.relu, "tanh": tf.nn.tanh, "sigmoid": tf.nn.sigmoid}


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Run a Dense layer with these parameters."""
        layer = tf.keras.layers.Dense(
            units=kernel.shape[-1], activation=ACTIVATIONS[activation], use_bias=bias is not None
        )
        layer.build(inputs.shape)
        layer.set_weights([kernel] if bias is None else [kernel, bias])
        return layer(tf.constant(inputs)).numpy()

    def relu(self, inputs: Array) -> Array:
        """Apply `tf.nn.relu`."""
        return tf.nn.relu(inputs).numpy()

    def tanh(self, inputs: Array) -> Array:
        """Apply `tf.nn.tanh`."""
        return tf.nn.tanh(inputs).numpy()

    def sigmoid(self, inputs: Array) -> Array:
        """Apply `tf.nn.sigmoid`."""
        return tf.nn.sigmoid(inputs).numpy()

    def softmax(self, logits: Array) -> Array:
        """Apply `tf.nn.softmax`."""
        return tf.nn.softmax(logits).numpy()

    def flatten(self, inputs: Array) -> Array:
        """Run a Flatten layer."""
        return tf.keras.layers.Flatten()(tf.constant(inputs)).numpy()

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Apply `tf.one_hot`."""
        return tf.one_hot(labels, depth=depth).numpy()

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Apply the loss of that name, of each example."""
        return tf.keras.losses.categorical_crossentropy(y_true=targets, y_pred=probabilities).numpy()

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Apply the loss of that name, of each example."""
        return tf.keras.losses.sparse_categorical_crossentropy(y_true=labels, y_pred=probabilities).numpy()

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Write the loss out, as the linear model does."""
        return tf.reduce_mean(tf.square(tf.constant(predictions) - targets)).numpy()

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Apply the SGD optimizer once."""
        variable = tf.Variable(parameter)
        optimizer = tf.keras.optimizers.SGD(learning_rate=learning_rate)
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        return variable.numpy()

    def adam_step(
        self,
        parameter: Array,
        gradient: Array,
        first_moment: Array,
        second_moment: Array,
        step: int,
        learning_rate: float,
    ) -> tuple[Array, Array, Array]:
        """Apply the Adam optimizer once, from the given moments."""
        variable = tf.Variable(parameter)
        optimizer = tf.keras.optimizers.Adam(learning_rate=learning_rate)
        optimizer.build([variable])
        moments = optimizer.variables[-2:]
        optimizer.iterations.assign(step - 1)
        for moment, value in zip(moments, (first_moment, second_moment), strict=True):
            moment.assign(value)
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        return variable.numpy(), *(moment.numpy() for moment in moments)

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Update one `SparseCategoricalAccuracy` with every batch."""
        metric = tf.keras.metrics.SparseCategoricalAccuracy()
        results = []
        for labels, predictions in batches:
            metric.update_state(y_true=labels, y_pred=predictions)
            results.append(metric.result().numpy())
        return np.array(results, np.float32)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw from `GlorotUniform`."""
        return _array(tf.keras.initializers.GlorotUniform(seed=seed)(shape))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Draw from `Zeros`."""
        return _array(tf.keras.initializers.Zeros()(shape))


def _array(tensor: Any) -> Array:
    return np.array(tensor)
