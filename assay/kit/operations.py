"""The group `ops` over a framework: conversion of arrays, gradients, and rejection of invalid arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assay.contract import Activation, Array, Padding, Pair
from assay.kit import metrics, sampling
from assay.kit.framework import Framework, Tensor


class Operations:
    """See `assay.contract.Ops`."""

    def __init__(self, framework: Framework) -> None:
        """Store the framework."""
        self.framework = framework

    def _apply(self, function: Callable[..., Any], *arrays: Array | None) -> Any:  # noqa: ANN401 - one array or several
        tensors = [None if array is None else self.framework.to_tensor(array) for array in arrays]
        result = function(*tensors)
        if isinstance(result, tuple):
            return tuple(map(self.framework.to_array, result))
        return self.framework.to_array(result)

    def _differentiate(self, function: Callable[..., Tensor], upstream: Array, *arrays: Array) -> tuple[Array, ...]:
        """Return the gradient of sum(upstream * function(...)) for each array."""
        to_tensor, names = self.framework.to_tensor, [str(number) for number in range(len(arrays))]

        def weigh(values: Any, upstream: Tensor) -> Tensor:  # noqa: ANN401 - tensors by name
            return (function(*(values[name] for name in names)) * upstream).sum()

        values = dict(zip(names, map(to_tensor, arrays), strict=True))
        _, gradients = self.framework.value_and_gradients(weigh, values, to_tensor(upstream))
        return tuple(self.framework.to_array(gradients[name]) for name in names)

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Apply the framework's layer."""
        framework = self.framework
        return self._apply(
            lambda *tensors: framework.activate(framework.dense(*tensors), activation), inputs, kernel, bias
        )

    def relu(self, inputs: Array) -> Array:
        """Apply the framework's function."""
        return self._apply(self.framework.relu, inputs)

    def tanh(self, inputs: Array) -> Array:
        """Apply the framework's function."""
        return self._apply(self.framework.tanh, inputs)

    def sigmoid(self, inputs: Array) -> Array:
        """Apply the framework's function."""
        return self._apply(self.framework.sigmoid, inputs)

    def softmax(self, logits: Array) -> Array:
        """Apply the framework's function."""
        return self._apply(self.framework.softmax, logits)

    def flatten(self, inputs: Array) -> Array:
        """Reshape to two axes."""
        return self.reshape(inputs, [int(np.prod(inputs.shape[1:]))])

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Reshape all axes but the first."""
        return self._apply(lambda tensor: tensor.reshape((len(inputs), *target_shape)), inputs)

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
        """Apply the framework's layer."""
        framework = self.framework
        return self._apply(
            lambda one, weights, offsets: framework.activate(
                framework.conv2d(one, weights, offsets, strides, padding), activation
            ),
            inputs,
            kernel,
            bias,
        )

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Differentiate the framework's layer."""
        of_images, of_kernel, of_bias = self._differentiate(
            lambda one, weights, offsets: self.framework.conv2d(one, weights, offsets, strides, padding),
            upstream,
            inputs,
            kernel,
            bias,
        )
        return of_images, of_kernel, of_bias

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Apply the framework's layer."""
        return self._apply(lambda images: self.framework.max_pool2d(images, pool_size, strides, padding), inputs)

    def max_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Differentiate the framework's layer."""
        return self._differentiate(
            lambda images: self.framework.max_pool2d(images, pool_size, strides, padding), upstream, inputs
        )[0]

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Apply the framework's layer."""
        return self._apply(lambda images: self.framework.average_pool2d(images, pool_size, strides, padding), inputs)

    def average_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Differentiate the framework's layer."""
        return self._differentiate(
            lambda images: self.framework.average_pool2d(images, pool_size, strides, padding), upstream, inputs
        )[0]

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
        """Apply the framework's layer."""
        outputs, mean, variance = self._apply(
            lambda *tensors: self.framework.batch_normalization(*tensors, training=training),
            inputs,
            gamma,
            beta,
            moving_mean,
            moving_variance,
        )
        return outputs, mean, variance

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
        """Differentiate the framework's layer."""
        moving = [self.framework.to_tensor(array) for array in (moving_mean, moving_variance)]
        of_inputs, of_gamma, of_beta = self._differentiate(
            lambda *tensors: self.framework.batch_normalization(*tensors, *moving, training=training)[0],
            upstream,
            inputs,
            gamma,
            beta,
        )
        return of_inputs, of_gamma, of_beta

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """Apply the framework's layer in training."""
        return self._apply(lambda tensor: self.framework.dropout(tensor, rate, seed) if training else tensor, inputs)

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Take a step of the framework's cell."""
        return self._apply(
            lambda now, before, kernel, recurrent: self.framework.simple_rnn_cell(
                now, before, kernel, recurrent, activation
            ),
            inputs,
            state,
            kernel,
            recurrent_kernel,
        )

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Repeat the framework's cell over time."""

        def repeat(inputs: Tensor, state: Tensor, kernel: Tensor, recurrent_kernel: Tensor) -> Tensor:
            states = []
            for time in range(inputs.shape[1]):
                state = self.framework.simple_rnn_cell(inputs[:, time], state, kernel, recurrent_kernel, activation)
                states.append(state)
            return self.framework.stack(states, 1)

        return self._apply(repeat, inputs, _zeros(inputs, recurrent_kernel), kernel, recurrent_kernel)

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Take a step of the framework's cell."""
        after, carry_after = self._apply(
            self.framework.lstm_cell, inputs, hidden, carry, kernel, recurrent_kernel, bias
        )
        return after, carry_after

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run the framework's layer."""
        zeros = _zeros(inputs, recurrent_kernel)
        hidden, carry = self._apply(self.framework.lstm, inputs, zeros, kernel, recurrent_kernel, bias)
        return hidden, carry

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Divide by the temperature and apply the framework's softmax."""
        divisor = sampling.check_temperature(temperature)
        return self._apply(lambda tensor: self.framework.softmax(tensor / divisor), logits)

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw with the framework's generator."""
        sampling.check_probabilities(probabilities)
        drawn: Array = self._apply(lambda tensor: self.framework.sample(tensor, seed), probabilities)
        return drawn.astype(np.int32)

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Apply the framework's function to int32."""
        return self._apply(lambda tensor: self.framework.one_hot(tensor, depth), labels.astype(np.int32))

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Apply the framework's function."""
        return self._apply(self.framework.categorical_crossentropy, targets, probabilities)

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Apply the framework's function to int32."""
        return self._apply(self.framework.sparse_categorical_crossentropy, labels.astype(np.int32), probabilities)

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Apply the framework's function."""
        return self._apply(self.framework.mean_squared_error, targets, predictions)

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Take a step of the framework's optimizer."""
        optimizer = self.framework.make_optimizer("sgd", learning_rate)
        return self._apply(lambda one, other: optimizer.step({"one": one}, {"one": other})["one"], parameter, gradient)

    def adam_step(
        self,
        parameter: Array,
        gradient: Array,
        first_moment: Array,
        second_moment: Array,
        step: int,
        learning_rate: float,
    ) -> tuple[Array, Array, Array]:
        """Take a step of the framework's optimizer from these moments."""
        moved, first, second = self._apply(
            lambda one, slope, first, second: self.framework.adam_step(one, slope, first, second, step, learning_rate),
            parameter,
            gradient,
            first_moment,
            second_moment,
        )
        return moved, first, second

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Count in whole numbers."""
        return metrics.accumulate_accuracy(batches)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw with the framework's initializer."""
        return self._apply(lambda: self.framework.glorot_uniform(shape, seed))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Create zeros."""
        return self._apply(lambda: self.framework.zeros(shape))


def _zeros(inputs: Array, recurrent_kernel: Array) -> Array:
    """Return the state before the first step: [batch, units]."""
    return np.zeros((len(inputs), len(recurrent_kernel)), np.float32)
