"""The document's models, as subclasses of `tf.keras.Model`."""

from __future__ import annotations

import tensorflow as tf


class Linear(tf.keras.Model):
    """One Dense layer of one unit: [batch, input_dim] to [batch, 1] (lines 51 to 63)."""

    def __init__(self) -> None:
        """Make the layer, all zeros to start with."""
        super().__init__()
        self.dense = tf.keras.layers.Dense(
            units=1,
            activation=None,
            kernel_initializer=tf.zeros_initializer(),
            bias_initializer=tf.zeros_initializer(),
            name="dense",
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the predictions."""
        return self.dense(inputs)


class MLP(tf.keras.Model):
    """Two Dense layers: [batch, 28, 28, 1] to probabilities [batch, 10] (lines 163 to 175)."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.flatten = tf.keras.layers.Flatten(name="flatten")
        self.dense1 = tf.keras.layers.Dense(units=100, activation=tf.nn.relu, name="dense1")
        self.dense2 = tf.keras.layers.Dense(units=10, name="dense2")
        self.softmax = tf.keras.layers.Softmax(name="softmax")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the probabilities."""
        return self.softmax(self.dense2(self.dense1(self.flatten(inputs))))
