"""The group `ops`: the operations that layers consist of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from assay.contract.arrays import Activation, Array, Padding, Pair


class Ops(Protocol):
    """Single operations, in evaluation mode."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """f(inputs @ kernel + bias) over the last axis.

        Args:
            inputs: [..., input_dim], of rank 2 or more.
            kernel: [input_dim, units].
            bias: [units], or None for a layer without one.
            activation: Function f, or None for the identity.

        Returns:
            [..., units].

        """

    def relu(self, inputs: Array) -> Array:
        """max(x, 0) of every element; any shape, which is kept."""

    def tanh(self, inputs: Array) -> Array:
        """Hyperbolic tangent of every element; any shape, which is kept."""

    def sigmoid(self, inputs: Array) -> Array:
        """1 / (1 + exp(-x)) of every element; any shape, which is kept."""

    def softmax(self, logits: Array) -> Array:
        """exp(z_j) / sum_k exp(z_k) over the last axis; any shape of rank 1 or more, which is kept."""

    def flatten(self, inputs: Array) -> Array:
        """[batch, ...], of rank 1 or more, to [batch, product of the rest], the last axis varying fastest."""

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Reshape `[batch, ...]` to `[batch, *target_shape]`, the last axis varying fastest in both."""

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
        """Sum each window times the kernel over window and channels, without flipping it, and add the bias.

        Args:
            inputs: [batch, height, width, channels].
            kernel: [window height, window width, channels, filters].
            bias: [filters], or None for a layer without one.
            strides: Strides of the window.
            padding: `same` adds zeros.
            activation: Function applied last, or None for the identity.

        Returns:
            [batch, rows, columns, filters].

        """

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Gradients of sum(upstream * conv2d(...)), without activation, with respect to inputs, kernel and bias."""

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Largest value of each window, channel by channel: [batch, rows, columns, channels]."""

    def max_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Gradient of sum(upstream * max_pool2d(...)), in the shape of inputs."""

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Mean of each window, channel by channel: [batch, rows, columns, channels].

        The framework decides whether the mean includes the zeros that `same` adds.
        """

    def average_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Gradient of sum(upstream * average_pool2d(...)), in the shape of inputs."""

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
        """Normalise every channel, with momentum 0.99 and epsilon 0.001.

        Args:
            inputs: [..., channels], of rank 2 or 4.
            gamma: Scale, [channels], like the other three arrays.
            beta: Offset.
            moving_mean: Moving mean before the call.
            moving_variance: Moving variance before the call.
            training: Whether to use the statistics of the batch, and to update the moving ones.

        Returns:
            The shape of inputs; moving_mean and moving_variance after the call.

        """

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
        """Gradients of sum(upstream * batch_normalization(...)) with respect to inputs, gamma and beta."""

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """In training, set elements to 0 with probability `rate` and divide the rest by 1 - rate; else do nothing."""

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """One step of the simple recurrence: f(inputs @ kernel + state @ recurrent_kernel), without a bias.

        Args:
            inputs: [batch, input_dim].
            state: State before the step, [batch, units].
            kernel: [input_dim, units].
            recurrent_kernel: [units, units].
            activation: Function f, or None for the identity.

        Returns:
            The state after the step, [batch, units].

        """

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Repeat `simple_rnn_cell` over time, from a state of zeros.

        Args:
            inputs: [batch, time, input_dim].
            kernel: [input_dim, units].
            recurrent_kernel: [units, units].
            activation: Function f, or None for the identity.

        Returns:
            The state after every step, [batch, time, units].

        """

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """One step of the LSTM cell.

        The columns of kernels and bias belong, a quarter each, to input gate, forget gate, candidate and output gate,
        in this order. The gates' activation is the sigmoid, and that of candidate and carry is tanh.

        Args:
            inputs: [batch, input_dim].
            hidden: Last output of the cell, [batch, units].
            carry: Carry state before the step, [batch, units].
            kernel: [input_dim, 4 units].
            recurrent_kernel: [units, 4 units].
            bias: [4 units].

        Returns:
            Hidden and carry after the step.

        """

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Repeat `lstm_cell` over time, from states of zeros.

        Args:
            inputs: [batch, time, input_dim].
            kernel: [input_dim, 4 units].
            recurrent_kernel: [units, 4 units].
            bias: [4 units].

        Returns:
            Hidden and carry after every step, each [batch, time, units].

        """

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """softmax(logits / temperature) over the last axis; any shape of rank 1 or more, which is kept.

        Raises:
            ValueError: The temperature is not a number above 0.

        """

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw a class from each row of probabilities, [batch, classes] to int32 [batch].

        Each row adds up to 1, apart from rounding to float32.

        Raises:
            ValueError: A probability is NaN.

        """

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Labels [...] of uint8, int32 or int64 to float32 [..., depth]: 1 at the label, 0 elsewhere."""

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """-sum_i targets_i ln(probabilities_i) of each example: two arrays [batch, classes] to [batch]."""

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """-ln of the label's probability: labels of uint8, int32 or int64 [batch] and [batch, classes] to [batch]."""

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Mean over all elements of (predictions - targets)^2: two arrays of one shape to a scalar."""

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Return parameter - learning_rate * gradient; any shape, which is kept."""

    def adam_step(
        self,
        parameter: Array,
        gradient: Array,
        first_moment: Array,
        second_moment: Array,
        step: int,
        learning_rate: float,
    ) -> tuple[Array, Array, Array]:
        """One step of Adam with beta_1 0.9, beta_2 0.999 and epsilon 1e-7.

        Kingma and Ba, 2015: either algorithm 1, or the order of computation at the end of section 2, where epsilon
        (hat) is added to the square root of the second moment before bias correction.

        Args:
            parameter: Parameter of any shape; the other three arrays have the same shape.
            gradient: Gradient of the loss.
            first_moment: First moment before the step; zeros before the first step.
            second_moment: Second moment before the step; zeros before the first step.
            step: Number of the step, from 1.
            learning_rate: Learning rate, alpha.

        Returns:
            Parameter, first_moment, second_moment after the step.

        """

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Accumulate the accuracy of batches, starting with a new metric.

        Args:
            batches: Labels of uint8, int32 or int64 [batch] and predictions [batch, classes], of any batch sizes.

        Returns:
            [len(batches)]: the result after each update.

        """

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw a kernel of shape [fan_in, fan_out] with the Glorot-uniform initializer."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Make an array with the zeros initializer."""
