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


class CNN(tf.keras.Model):
    """Two convolutions with pooling, two Dense layers: [batch, 28, 28, 1] to probabilities [batch, 10] (297 to 327)."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.conv1 = tf.keras.layers.Conv2D(
            filters=32, kernel_size=[5, 5], padding="same", activation=tf.nn.relu, name="conv1"
        )
        self.pool1 = tf.keras.layers.MaxPool2D(pool_size=[2, 2], strides=2, name="pool1")
        self.conv2 = tf.keras.layers.Conv2D(
            filters=64, kernel_size=[5, 5], padding="same", activation=tf.nn.relu, name="conv2"
        )
        self.pool2 = tf.keras.layers.MaxPool2D(pool_size=[2, 2], strides=2, name="pool2")
        self.flatten = tf.keras.layers.Reshape(target_shape=(7 * 7 * 64,), name="flatten")
        self.dense1 = tf.keras.layers.Dense(units=1024, activation=tf.nn.relu, name="dense1")
        self.dense2 = tf.keras.layers.Dense(units=10, name="dense2")
        self.softmax = tf.keras.layers.Softmax(name="softmax")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the probabilities."""
        features = self.pool2(self.conv2(self.pool1(self.conv1(inputs))))
        return self.softmax(self.dense2(self.dense1(self.flatten(features))))
