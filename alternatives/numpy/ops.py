"""Single operations: each is a layer with given variables, or a function that a larger part uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.alternatives.numpy.activations import relu, sigmoid, softmax
from assay.alternatives.numpy.initializers import glorot_uniform, zeros
from assay.alternatives.numpy.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    MaxPool2D,
    OneHot,
)
from assay.alternatives.numpy.losses import mean_squared_error
from assay.alternatives.numpy.optimizers import adam_step, sgd_step
from assay.alternatives.numpy.recurrence import LSTM, gates_of, simple_rnn_cell, states_after
from assay.alternatives.numpy.sampling import check_temperature, draw_classes, softmax_with_temperature
from assay.alternatives.numpy.windows import Window
from assay.contract import Activation, Array, Padding, Pair


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Run the layer."""
        return run(Dense(activation), inputs, **variables(kernel, bias))

    def relu(self, inputs: Array) -> Array:
        """Apply the function."""
        return relu(inputs)

    def tanh(self, inputs: Array) -> Array:
        """Apply NumPy's function."""
        return np.tanh(inputs)

    def sigmoid(self, inputs: Array) -> Array:
        """Apply the function."""
        return sigmoid(inputs)

    def softmax(self, logits: Array) -> Array:
        """Apply the function."""
        return softmax(logits)

    def flatten(self, inputs: Array) -> Array:
        """Run the layer."""
        return run(Flatten(), inputs)

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Keep the axis of the batch."""
        return inputs.reshape(len(inputs), *target_shape)

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
        """Run the layer."""
        return run(Conv2D(strides, padding, activation), inputs, **variables(kernel, bias))

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Run the layer's backward pass."""
        to_inputs, found = back(Conv2D(strides, padding), inputs, upstream, kernel=kernel, bias=bias)
        return to_inputs, found["kernel"], found["bias"]

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Run the layer."""
        return run(MaxPool2D(Window(pool_size, strides, padding)), inputs)

    def max_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Run the layer's backward pass."""
        return back(MaxPool2D(Window(pool_size, strides, padding)), inputs, upstream)[0]

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Run the layer."""
        return run(AveragePool2D(Window(pool_size, strides, padding)), inputs)

    def average_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Run the layer's backward pass."""
        return back(AveragePool2D(Window(pool_size, strides, padding)), inputs, upstream)[0]

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
        """Run the layer, and compute the moving statistics."""
        named = {"gamma": gamma, "beta": beta, "moving_mean": moving_mean, "moving_variance": moving_variance}
        layer = BatchNormalization(training)
        return run(layer, inputs, **named), *layer.update_moving_statistics(named, inputs)

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
        """Run the layer's backward pass."""
        named = {"gamma": gamma, "beta": beta, "moving_mean": moving_mean, "moving_variance": moving_variance}
        to_inputs, found = back(BatchNormalization(training), inputs, upstream, **named)
        return to_inputs, found["gamma"], found["beta"]

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """Draw which elements are kept."""
        if not training:
            return inputs
        kept = np.random.default_rng(seed).random(inputs.shape) >= rate
        return np.where(kept, inputs / np.float32(1 - rate), np.float32(0))

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Take one step."""
        return simple_rnn_cell(inputs, state, kernel, recurrent_kernel, activation)

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Take a step for every time."""
        states = [np.zeros((len(inputs), len(recurrent_kernel)), np.float32)]
        for t in range(inputs.shape[1]):
            states.append(simple_rnn_cell(inputs[:, t], states[-1], kernel, recurrent_kernel, activation))
        return np.stack(states[1:], axis=1)

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Take one step."""
        return states_after(gates_of(inputs @ kernel + hidden @ recurrent_kernel + bias), carry)

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run the layer, and return all of its states."""
        named = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
        _, hidden, carry = LSTM().run(named, inputs)
        return np.stack(hidden[1:], axis=1), np.stack(carry[1:], axis=1)

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Divide by the temperature first."""
        return softmax_with_temperature(logits, check_temperature(temperature))

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw a class from every row."""
        return draw_classes(probabilities, np.random.default_rng(seed))

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Run the layer."""
        return run(OneHot(depth), labels)

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Take the logarithm only for nonzero targets: 0 times the logarithm of 0 is 0."""
        logarithms = np.log(probabilities, where=targets != 0, out=np.zeros_like(probabilities))
        return -(targets * logarithms).sum(axis=-1)

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Pick the probability of each label; at 0 the loss is infinite."""
        with np.errstate(divide="ignore"):
            return -np.log(probabilities[np.arange(len(labels)), labels])

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Return the loss without the gradient."""
        return mean_squared_error(targets, predictions)[0]

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Take the step."""
        return sgd_step(parameter, gradient, learning_rate)

    def adam_step(
        self,
        parameter: Array,
        gradient: Array,
        first_moment: Array,
        second_moment: Array,
        step: int,
        learning_rate: float,
    ) -> tuple[Array, Array, Array]:
        """Take the step."""
        return adam_step(parameter, gradient, first_moment, second_moment, step, learning_rate)

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Divide the number of correct predictions so far by the number of examples."""
        right = np.cumsum([(scores.argmax(axis=-1) == labels).sum() for labels, scores in batches])
        return (right / np.cumsum([len(labels) for labels, _ in batches])).astype(np.float32)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw with NumPy's generator."""
        return glorot_uniform(shape, np.random.default_rng(seed))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Create zeros."""
        return zeros(shape)


def variables(kernel: Array, bias: Array | None) -> dict[str, Array]:
    """Return the variables of a layer by name."""
    return {"kernel": kernel} if bias is None else {"kernel": kernel, "bias": bias}


def run(layer: Layer, inputs: Array, **named: Array) -> Array:
    """Run a layer's forward pass."""
    return layer.forward(named, inputs)[0]


def back(layer: Layer, inputs: Array, upstream: Array, **named: Array) -> tuple[Array, Any]:
    """Run a layer's forward and backward pass; return the gradients of the inputs and of the variables."""
    to_inputs, found = layer.forward(named, inputs)[1](upstream)
    return to_inputs(), found
