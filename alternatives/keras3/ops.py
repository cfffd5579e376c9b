"""Single operations, each by the function or the layer of Keras that the document uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from assay.alternatives.keras3.backend import to_array, to_tensor, value_and_gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.contract import Activation, Array, Padding, Pair


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Run a Dense layer with these parameters."""
        layer = keras.layers.Dense(kernel.shape[-1], activation=activation, use_bias=bias is not None)
        return _run(layer, inputs, kernel, bias)

    def relu(self, inputs: Array) -> Array:
        """Apply `relu`."""
        return to_array(keras.ops.relu(inputs))

    def tanh(self, inputs: Array) -> Array:
        """Apply `tanh`."""
        return to_array(keras.ops.tanh(inputs))

    def sigmoid(self, inputs: Array) -> Array:
        """Apply `sigmoid`."""
        return to_array(keras.ops.sigmoid(inputs))

    def softmax(self, logits: Array) -> Array:
        """Apply `softmax`."""
        return to_array(keras.ops.softmax(logits))

    def flatten(self, inputs: Array) -> Array:
        """Run a Flatten layer."""
        return to_array(keras.layers.Flatten()(inputs))

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Run a Reshape layer."""
        return to_array(keras.layers.Reshape(target_shape)(inputs))

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
        layer = keras.layers.Conv2D(
            filters=kernel.shape[-1],
            kernel_size=kernel.shape[:2],
            strides=strides,
            padding=padding,
            activation=activation,
            use_bias=bias is not None,
        )
        return _run(layer, inputs, kernel, bias)

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Differentiate the operation inside the layer."""

        # Keras passes PyTorch the kernel filters first. For some shapes, PyTorch has no gradient for a kernel in
        # another memory order: github.com/pytorch/vision/issues/6001
        def convolve(images: Any, filters: Any, offsets: Any) -> Any:
            return keras.ops.conv(images, keras.ops.transpose(filters, (2, 3, 1, 0)), strides, padding) + offsets

        filters_first = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        for_inputs, for_filters, for_bias = _gradients(convolve, upstream, inputs, filters_first, bias)
        return for_inputs, for_filters.transpose(2, 3, 1, 0), for_bias

    def max_pool2d(self, inputs: Array, **window: Any) -> Array:
        """Run a MaxPool2D layer."""
        return to_array(keras.layers.MaxPool2D(**window)(inputs))

    def max_pool2d_gradient(self, inputs: Array, upstream: Array, **window: Any) -> Array:
        """Differentiate a MaxPool2D layer."""
        return _gradients(keras.layers.MaxPool2D(**window), upstream, inputs)[0]

    def average_pool2d(self, inputs: Array, **window: Any) -> Array:
        """Run an AveragePooling2D layer."""
        return to_array(keras.layers.AveragePooling2D(**window)(inputs))

    def average_pool2d_gradient(self, inputs: Array, upstream: Array, **window: Any) -> Array:
        """Differentiate an AveragePooling2D layer."""
        return _gradients(keras.layers.AveragePooling2D(**window), upstream, inputs)[0]

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
        layer = _build(keras.layers.BatchNormalization(), inputs, gamma, beta, moving_mean, moving_variance)
        outputs = layer(inputs, training=training)
        return to_array(outputs), to_array(layer.moving_mean), to_array(layer.moving_variance)

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
        layer = _build(keras.layers.BatchNormalization(), inputs)
        moving = to_tensor(moving_mean), to_tensor(moving_variance)

        def normalize(images: Any, *weights: Any) -> Any:
            return layer.stateless_call(weights, moving, images, training=training)[0]

        return _gradients(normalize, upstream, inputs, gamma, beta)

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """Run a Dropout layer."""
        return to_array(keras.layers.Dropout(rate, seed=seed)(inputs, training=training))

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Run a SimpleRNNCell with these parameters."""
        cell = keras.layers.SimpleRNNCell(kernel.shape[-1], activation=activation, use_bias=False)
        return to_array(_build(cell, inputs, kernel, recurrent_kernel)(inputs, [state])[0])

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Run a SimpleRNN layer with these parameters."""
        layer = keras.layers.SimpleRNN(kernel.shape[-1], activation, use_bias=False, return_sequences=True)
        return _run(layer, inputs, kernel, recurrent_kernel)

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Run an LSTMCell with these parameters."""
        cell = _build(keras.layers.LSTMCell(hidden.shape[-1]), inputs, kernel, recurrent_kernel, bias)
        hidden, carry = map(to_array, cell(inputs, [hidden, carry])[1])
        return hidden, carry

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run an LSTMCell over time, since the layer returns only the last carry."""
        units = len(recurrent_kernel)
        cell = _build(keras.layers.LSTMCell(units), inputs[:, 0], kernel, recurrent_kernel, bias)
        states, steps = [keras.ops.zeros((len(inputs), units))] * 2, []
        for t in range(inputs.shape[1]):
            _, states = cell(inputs[:, t], states)
            steps.append(states)
        hidden, carry = (to_array(keras.ops.stack(kind, 1)) for kind in zip(*steps, strict=True))
        return hidden, carry

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Divide by the temperature and apply `softmax`."""
        return to_array(keras.ops.softmax(to_tensor(logits) / check_temperature(temperature)))

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw with `categorical`, which takes unnormalised logarithms."""
        if np.isnan(probabilities).any():
            msg = "there is a NaN among the probabilities"
            raise ValueError(msg)
        return to_array(keras.random.categorical(keras.ops.log(probabilities), 1, seed=seed))[:, 0]

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Apply `one_hot`."""
        return to_array(keras.ops.one_hot(labels, depth))

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Apply the loss of that name, of each example."""
        return to_array(keras.losses.categorical_crossentropy(targets, probabilities))

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Apply the loss of that name, of each example."""
        return to_array(keras.losses.sparse_categorical_crossentropy(labels, probabilities))

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Compute the loss explicitly, as in the linear model."""
        return to_array(keras.ops.mean(keras.ops.square(to_tensor(predictions) - to_tensor(targets))))

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Apply the SGD optimizer once."""
        variable = keras.Variable(parameter)
        keras.optimizers.SGD(learning_rate).apply([to_tensor(gradient)], [variable])
        return to_array(variable)

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
        variable, optimizer = keras.Variable(parameter), keras.optimizers.Adam(learning_rate)
        optimizer.build([variable])
        iterations, _, *moments = optimizer.variables
        for kept, value in zip((iterations, *moments), (step - 1, first_moment, second_moment), strict=True):
            kept.assign(value)
        optimizer.apply([to_tensor(gradient)], [variable])
        after, first, second = map(to_array, (variable, *moments))
        return after, first, second

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Update one `SparseCategoricalAccuracy` with every batch."""
        metric = keras.metrics.SparseCategoricalAccuracy()
        results = []
        for batch in batches:
            metric.update_state(*batch)
            results.append(to_array(metric.result()))
        return np.array(results, np.float32)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw from `GlorotUniform`."""
        return to_array(keras.initializers.GlorotUniform(seed)(shape))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Draw from `Zeros`."""
        return to_array(keras.initializers.Zeros()(shape))


def check_temperature(temperature: float) -> float:
    """Check a temperature, and return it as float32.

    Raises:
        ValueError: The temperature is not a number above 0 as a float32.

    """
    divisor = float(np.float32(temperature))
    if not 0 < divisor < float("inf"):
        msg = f"the temperature must be a number above 0, got {temperature}"
        raise ValueError(msg)
    return divisor


def _build(layer: keras.Layer, inputs: Array, *weights: Array | None) -> keras.Layer:
    """Build a layer for inputs of this shape, with these weights if any."""
    layer.build(inputs.shape)
    if weights:
        layer.set_weights([weight for weight in weights if weight is not None])
    return layer


def _run(layer: keras.Layer, inputs: Array, *weights: Array | None) -> Array:
    return to_array(_build(layer, inputs, *weights)(inputs))


def _gradients(function: Callable[..., Any], upstream: Array, *arguments: Array) -> Any:
    """Differentiate the sum of upstream * function(...) for every argument."""
    _, gradients = value_and_gradients(
        lambda *tensors: keras.ops.sum(to_tensor(upstream) * function(*tensors)), *map(to_tensor, arguments)
    )
    return tuple(map(to_array, gradients))
