"""Single operations, each in its own graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.alternatives.onnxruntime import layers
from assay.alternatives.onnxruntime.graphs import Graph, Value, run
from assay.kit import metrics
from assay.kit.sampling import check_temperature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.contract import Activation, Array, Padding, Pair


def apply(graph: Graph, inputs: Value, *, operator: str) -> Value:
    """Apply one operator."""
    return graph(operator, inputs)


def scaled_softmax(graph: Graph, logits: Value, temperature: Value) -> Value:
    """Divide before the softmax."""
    return graph("Softmax", graph("Div", logits, temperature))


def simple_rnn_cell(
    graph: Graph, inputs: Value, state: Value, kernel: Value, recurrent_kernel: Value, *, activation: Activation | None
) -> Value:
    """Take one step."""
    sums = graph("Add", graph("MatMul", inputs, kernel), graph("MatMul", state, recurrent_kernel))
    return layers.activate(graph, sums, activation)


def crossentropy(graph: Graph, targets: Value, probabilities: Value) -> Value:
    """Omit classes with a target of 0, whose logarithm may be infinite."""
    terms = graph("Mul", targets, graph("Log", probabilities))
    zero = graph.constant(0)
    counted = graph("Where", graph("Equal", targets, zero), zero, terms)
    return graph("Neg", graph("ReduceSum", counted, graph.constant([-1], np.int64), keepdims=0))


def sparse_crossentropy(graph: Graph, labels: Value, probabilities: Value) -> Value:
    """Pick the logarithm of each label's probability."""
    numbers = graph("Cast", labels, to=layers.INT64)
    return graph("NegativeLogLikelihoodLoss", graph("Log", probabilities), numbers, reduction="none")


def squared_error(graph: Graph, targets: Value, predictions: Value) -> Value:
    """Return the mean over all elements."""
    off = graph("Sub", predictions, targets)
    return graph("ReduceMean", graph("Mul", off, off), keepdims=0)


def fill_with_zeros(graph: Graph, shape: Value) -> Value:
    """Fill a shape with zeros."""
    return graph("ConstantOfShape", shape)


def reshape(graph: Graph, inputs: Value, shape: Value) -> Value:
    """Reshape; axes of length 0 are allowed."""
    return graph("Reshape", inputs, shape, allowzero=1)


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Run `MatMul`, `Add` and the activation."""
        return run(layers.dense, inputs, kernel, *_to_tuple(bias), activation=activation)

    def relu(self, inputs: Array) -> Array:
        """Run `Relu`."""
        return run(apply, inputs, operator="Relu")

    def tanh(self, inputs: Array) -> Array:
        """Run `Tanh`."""
        return run(apply, inputs, operator="Tanh")

    def sigmoid(self, inputs: Array) -> Array:
        """Run `Sigmoid`."""
        return run(apply, inputs, operator="Sigmoid")

    def softmax(self, logits: Array) -> Array:
        """Run `Softmax` over the last axis."""
        return run(apply, logits, operator="Softmax")

    def flatten(self, inputs: Array) -> Array:
        """Run `Flatten`."""
        return run(apply, inputs, operator="Flatten")

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Run `Reshape`."""
        return run(reshape, inputs, np.array([len(inputs), *target_shape], np.int64))

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
        """Run `Conv`."""
        options: dict[str, Any] = {"strides": tuple(strides), "padding": padding, "activation": activation}
        return run(layers.conv2d, inputs, kernel, *_to_tuple(bias), **options)

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Run `MaxPool`."""
        return _pool("MaxPool", inputs, pool_size, strides, padding)

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Run `AveragePool`, which does not count padding."""
        return _pool("AveragePool", inputs, pool_size, strides, padding)

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
        """Run `BatchNormalization`."""
        return run(
            *(layers.batch_normalization, inputs, gamma, beta, moving_mean, moving_variance),
            rank=inputs.ndim,
            training=training,
        )

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Run one step."""
        return run(simple_rnn_cell, inputs, state, kernel, recurrent_kernel, activation=activation)

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Run the step for every time."""
        state, steps = np.zeros((len(inputs), len(recurrent_kernel)), np.float32), []
        for time in range(inputs.shape[1]):
            state = self.simple_rnn_cell(inputs[:, time], state, kernel, recurrent_kernel, activation)
            steps.append(state)
        return np.stack(steps, 1)

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Run `LSTM` for one step."""
        values = inputs[:, np.newaxis], kernel, recurrent_kernel, bias, hidden, carry
        found: tuple[Array, Array] = run(layers.lstm, *values, units=len(recurrent_kernel))
        return found

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run the step for every time, as `LSTM` only returns the last carry."""
        hidden = carry = np.zeros((len(inputs), len(recurrent_kernel)), np.float32)
        steps = []
        for time in range(inputs.shape[1]):
            hidden, carry = self.lstm_cell(inputs[:, time], hidden, carry, kernel, recurrent_kernel, bias)
            steps.append((hidden, carry))
        hiddens, carries = (np.stack(column, 1) for column in zip(*steps, strict=True))
        return hiddens, carries

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Run `Div` and `Softmax`."""
        return run(scaled_softmax, logits, np.array(check_temperature(temperature), np.float32))

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Run `OneHot`, whose labels need at least one axis."""
        return run(layers.one_hot, np.atleast_1d(labels), depth=depth).reshape(*labels.shape, depth)

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Run `Log` and `ReduceSum`."""
        return run(crossentropy, targets, probabilities)

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Run `Log` and `NegativeLogLikelihoodLoss`."""
        return run(sparse_crossentropy, labels, probabilities)

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Run `ReduceMean`."""
        return run(squared_error, targets, predictions)

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Count in whole numbers."""
        return metrics.accumulate_accuracy(batches)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Run `ConstantOfShape`."""
        return run(fill_with_zeros, np.array(shape, np.int64))


def _to_tuple(bias: Array | None) -> tuple[Array, ...]:
    """Return an optional argument as a tuple of zero or one elements."""
    return () if bias is None else (bias,)


def _pool(operator: str, inputs: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    options: dict[str, Any] = {"pool_size": tuple(pool_size), "strides": tuple(strides), "padding": padding}
    return run(layers.pool, inputs, operator=operator, **options)
