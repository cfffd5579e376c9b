"""Single operations, each with the function or Keras layer that the document uses."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from assay.reference.seeding import use_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.contract import Activation, Array, Padding, Pair

# Creating the variables of a layer or an optimizer takes longer than using them, so this many are kept.
KEPT = 256
ACTIVATIONS = {None: None, "relu": tf.nn.relu, "tanh": tf.nn.tanh, "sigmoid": tf.nn.sigmoid}


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Run a Dense layer with these parameters."""
        layer = _layer(
            tf.keras.layers.Dense,
            inputs,
            [kernel] if bias is None else [kernel, bias],
            units=kernel.shape[-1],
            activation=ACTIVATIONS[activation],
            use_bias=bias is not None,
        )
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

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Run a Reshape layer."""
        return tf.keras.layers.Reshape(target_shape=tuple(target_shape))(tf.constant(inputs)).numpy()

    def conv2d(
        self,
        inputs: Array,
        kernel: Array,
        bias: Array | None = None,
        *,
        strides: Pair = (1, 1),
        padding: Padding = "valid",
        activation: Activation | None = None,
    ) -> Array:
        """Run a Conv2D layer with these parameters."""
        layer = _layer(
            tf.keras.layers.Conv2D,
            inputs,
            [kernel] if bias is None else [kernel, bias],
            filters=kernel.shape[-1],
            kernel_size=kernel.shape[:2],
            strides=tuple(strides),
            padding=padding,
            activation=ACTIVATIONS[activation],
            use_bias=bias is not None,
        )
        return layer(tf.constant(inputs)).numpy()

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Differentiate the operation inside the layer."""

        def convolve(images: tf.Tensor, weights: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
            return tf.nn.bias_add(tf.nn.conv2d(images, weights, strides, padding.upper()), offsets)

        return _gradients(convolve, upstream, inputs, kernel, bias)

    def max_pool2d(self, inputs: Array, **window: Any) -> Array:
        """Run a MaxPool2D layer."""
        return tf.keras.layers.MaxPool2D(**window)(tf.constant(inputs)).numpy()

    def max_pool2d_gradient(self, inputs: Array, upstream: Array, **window: Any) -> Array:
        """Differentiate a MaxPool2D layer."""
        return _gradients(tf.keras.layers.MaxPool2D(**window), upstream, inputs)[0]

    def average_pool2d(self, inputs: Array, **window: Any) -> Array:
        """Run an AveragePooling2D layer."""
        return tf.keras.layers.AveragePooling2D(**window)(tf.constant(inputs)).numpy()

    def average_pool2d_gradient(self, inputs: Array, upstream: Array, **window: Any) -> Array:
        """Differentiate an AveragePooling2D layer."""
        return _gradients(tf.keras.layers.AveragePooling2D(**window), upstream, inputs)[0]

    def batch_normalization(
        self,
        inputs: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        *,
        training: bool,
    ) -> tuple[Array, Array, Array]:
        """Run a BatchNormalization layer, and read its moving statistics."""
        layer = _layer(tf.keras.layers.BatchNormalization, inputs, [gamma, beta, moving_mean, moving_variance])
        outputs = layer(tf.constant(inputs), training=training)
        return outputs.numpy(), layer.moving_mean.numpy(), layer.moving_variance.numpy()

    def batch_normalization_gradients(
        self,
        inputs: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        upstream: Array,
        *,
        training: bool,
    ) -> tuple[Array, Array, Array]:
        """Differentiate a BatchNormalization layer."""
        layer = _layer(tf.keras.layers.BatchNormalization, inputs, [gamma, beta, moving_mean, moving_variance])
        images = tf.constant(inputs)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=training)
        gradients = tape.gradient(outputs, [images, *layer.trainable_variables], output_gradients=tf.constant(upstream))
        return tuple(gradient.numpy() for gradient in gradients)

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """Run a Dropout layer. In Keras 2, a layer continues the draws of an earlier one with its seed."""
        with use_seed(seed):
            return tf.keras.layers.Dropout(rate, seed=seed)(tf.constant(inputs), training=training).numpy()

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Run a SimpleRNNCell with these parameters."""
        cell = _simple_rnn(tf.keras.layers.SimpleRNNCell, inputs, kernel, recurrent_kernel, activation)
        return cell(tf.constant(inputs), [tf.constant(state)])[0].numpy()

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Run a SimpleRNN layer with these parameters."""
        options = {"return_sequences": True}
        layer = _simple_rnn(tf.keras.layers.SimpleRNN, inputs, kernel, recurrent_kernel, activation, **options)
        return layer(tf.constant(inputs)).numpy()

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Run an LSTMCell with these parameters."""
        weights = [kernel, recurrent_kernel, bias]
        cell = _layer(tf.keras.layers.LSTMCell, inputs, weights, units=hidden.shape[-1])
        _, states = cell(tf.constant(inputs), [tf.constant(hidden), tf.constant(carry)])
        return tuple(state.numpy() for state in states)

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run an LSTMCell over time."""
        units = recurrent_kernel.shape[0]
        cell = _layer(tf.keras.layers.LSTMCell, inputs[:, 0], [kernel, recurrent_kernel, bias], units=units)
        states = [tf.zeros([len(inputs), units])] * 2
        steps = []
        for t in range(inputs.shape[1]):
            _, states = cell(tf.constant(inputs[:, t]), states)
            steps.append(states)
        hidden, carry = (tf.stack(kind, axis=1).numpy() for kind in zip(*steps, strict=True))
        return hidden, carry

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Divide by the temperature and apply `tf.nn.softmax`."""
        return tf.nn.softmax(logits / check_temperature(temperature)).numpy()

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw with NumPy, whose check of the sum requires float64."""
        generator = np.random.default_rng(seed)
        exact = probabilities.astype(np.float64)
        exact /= exact.sum(axis=-1, keepdims=True)
        return np.array([generator.choice(len(row), p=row) for row in exact], np.int32)

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Apply `tf.one_hot`."""
        return tf.one_hot(labels, depth=depth).numpy()

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Apply the loss of that name, without reduction."""
        return tf.keras.losses.categorical_crossentropy(y_true=targets, y_pred=probabilities).numpy()

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Apply the loss of that name, without reduction."""
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
        variable, optimizer = _adam(parameter.shape)
        moments = optimizer.variables[-2:]
        optimizer.learning_rate, state = learning_rate, (parameter, first_moment, second_moment)
        optimizer.iterations.assign(step - 1)
        for stored, value in zip((variable, *moments), state, strict=True):
            stored.assign(value)
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


def check_temperature(temperature: float) -> np.float32:
    """Check a temperature, and return it as float32.

    Raises:
        ValueError: The temperature is not a number above 0.

    """
    divisor = np.float32(temperature)
    if not 0 < divisor < np.inf:
        msg = f"the temperature must be a number above 0, got {temperature}"
        raise ValueError(msg)
    return divisor


def _array(tensor: Any) -> Array:
    return np.array(tensor)


def _simple_rnn(
    kind: type, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None, **options: Any
) -> Any:
    return _layer(
        kind,
        inputs,
        [kernel, recurrent_kernel],
        units=kernel.shape[-1],
        activation=ACTIVATIONS[activation],
        use_bias=False,
        **options,
    )


def _layer(kind: type, inputs: Array, weights: Sequence[Array], **options: Any) -> Any:
    """Return a layer with these weights, which serves all inputs of the same rank and number of features."""
    layer = _build(kind, (*(None for _ in inputs.shape[:-1]), inputs.shape[-1]), **options)
    layer.set_weights(weights)
    return layer


@lru_cache(KEPT)
def _build(kind: type, input_shape: tuple[int | None, ...], **options: Any) -> Any:
    layer = kind(**options)
    layer.build(input_shape)
    return layer


@lru_cache(KEPT)
def _adam(shape: tuple[int, ...]) -> tuple[tf.Variable, Any]:
    """Return a variable of this shape and an optimizer of it."""
    variable, optimizer = tf.Variable(tf.zeros(shape)), tf.keras.optimizers.Adam()
    optimizer.build([variable])
    return variable, optimizer


def _gradients(function: Callable[..., tf.Tensor], upstream: Array, *arguments: Array) -> Any:
    tensors = [tf.constant(argument) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = function(*tensors)
    gradients = tape.gradient(outputs, tensors, output_gradients=tf.constant(upstream))
    return tuple(gradient.numpy() for gradient in gradients)
