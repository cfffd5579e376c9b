"""The document's models, as subclasses of `tf.keras.Model`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from assay.reference.recurrence import last_output

# Units of the RNN's cell (line 534).
UNITS = 256


class Linear(tf.keras.Model):
    """One Dense layer of one unit: [batch, input_dim] to [batch, 1] (lines 51 to 63)."""

    def __init__(self) -> None:
        """Create the layer, initialised with zeros."""
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
        """Create the layers."""
        super().__init__()
        self.flatten = tf.keras.layers.Flatten(name="flatten")
        self.dense1 = tf.keras.layers.Dense(units=100, activation=tf.nn.relu, name="dense1")
        self.dense2 = tf.keras.layers.Dense(units=10, name="dense2")
        self.softmax = tf.keras.layers.Softmax(name="softmax")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the probabilities."""
        return self.softmax(self.dense2(self.dense1(self.flatten(inputs))))


@tf.custom_gradient
def product(inputs: tf.Tensor, kernel: tf.Tensor) -> Any:
    """Multiply [batch, input_dim] by [input_dim, units], with a gradient that does not transpose the kernel.

    TensorFlow's own gradient multiplies by the transposed kernel, which is three times slower in oneDNN. Here the
    smaller factors are transposed.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        to_inputs = tf.transpose(tf.matmul(kernel, tf.transpose(upstream)))
        return to_inputs, tf.matmul(inputs, upstream, transpose_a=True)

    return tf.matmul(inputs, kernel), gradient


class WideDense(tf.keras.layers.Dense):
    """A Dense layer whose kernel is much larger than a batch."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the outputs, [batch, units]."""
        sums = product(inputs, tf.convert_to_tensor(self.kernel))
        return self.activation(tf.nn.bias_add(sums, tf.convert_to_tensor(self.bias)))


class CNN(tf.keras.Model):
    """Two convolutions with pooling, two Dense layers: [batch, 28, 28, 1] to probabilities [batch, 10] (297 to 327)."""

    def __init__(self) -> None:
        """Create the layers."""
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
        self.dense1 = WideDense(units=1024, activation=tf.nn.relu, name="dense1")
        self.dense2 = tf.keras.layers.Dense(units=10, name="dense2")
        self.softmax = tf.keras.layers.Softmax(name="softmax")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the probabilities."""
        features = self.pool2(self.conv2(self.pool1(self.conv1(inputs))))
        return self.softmax(self.dense2(self.dense1(self.flatten(features))))


class OneHot(tf.keras.layers.Layer):
    """Maps numbers to one-hot vectors: int32 [...] to [..., depth] (line 538)."""

    def __init__(self, depth: int, **options: Any) -> None:
        """Set the length of the vectors."""
        super().__init__(**options)
        self.depth = depth

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the vectors."""
        return tf.one_hot(inputs, depth=self.depth)


class RNN(tf.keras.Model):
    """An LSTM and a Dense layer: int32 [batch, seq_length] to probabilities [batch, num_chars] (lines 528 to 546).

    A call of the model computes all of its layers in one function.
    """

    def __init__(self, num_chars: int) -> None:
        """Create the layers."""
        super().__init__()
        self.one_hot = OneHot(num_chars, name="one_hot")
        self.cell = tf.keras.layers.RNN(tf.keras.layers.LSTMCell(units=UNITS), name="cell")
        self.dense = tf.keras.layers.Dense(units=num_chars, name="dense")
        self.softmax = tf.keras.layers.Softmax(name="softmax")

    def build(self, _input_shape: tuple[int | None, ...]) -> None:
        """Create the variables, whose shapes do not depend on windows and batches."""
        self.cell.build((None, None, self.one_hot.depth))
        self.dense.build((None, self.cell.cell.units))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the probabilities."""
        variables = map(tf.convert_to_tensor, self.cell.trainable_variables)
        return tf.nn.softmax(self.dense(last_output(inputs, *variables)))


class QNetwork(tf.keras.Model):
    """Three Dense layers: states [batch, 4] to the values of two actions, [batch, 2] (lines 700 to 711)."""

    def __init__(self) -> None:
        """Create the layers."""
        super().__init__()
        self.dense1 = tf.keras.layers.Dense(units=24, activation=tf.nn.relu, name="dense1")
        self.dense2 = tf.keras.layers.Dense(units=24, activation=tf.nn.relu, name="dense2")
        self.dense3 = tf.keras.layers.Dense(units=2, name="dense3")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the values."""
        return self.dense3(self.dense2(self.dense1(inputs)))


class QCNN(tf.keras.Model):
    """A CNN in place of the Q-network: states [batch, 84, 84, 4] to the values of four actions, [batch, 4] (line 774).

    Mnih and others, "Playing Atari with deep reinforcement learning", 2013, section 4.1.
    """

    def __init__(self) -> None:
        """Create the layers."""
        super().__init__()
        self.conv1 = tf.keras.layers.Conv2D(16, kernel_size=8, strides=4, activation=tf.nn.relu, name="conv1")
        self.conv2 = tf.keras.layers.Conv2D(32, kernel_size=4, strides=2, activation=tf.nn.relu, name="conv2")
        self.flatten = tf.keras.layers.Flatten(name="flatten")
        self.dense1 = tf.keras.layers.Dense(units=256, activation=tf.nn.relu, name="dense1")
        self.dense2 = tf.keras.layers.Dense(units=4, name="dense2")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the values."""
        return self.dense2(self.dense1(self.flatten(self.conv2(self.conv1(inputs)))))
