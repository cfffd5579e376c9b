"""Single operations: each is a function of the models or of JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from assay.alternatives.jax import layers, losses
from assay.alternatives.jax.models import glorot_uniform, to_numpy, zeros
from assay.alternatives.jax.optimizers import Moments, adam_step, sgd_step
from assay.alternatives.jax.sampling import check_temperature, draw, softmax_with_temperature
from assay.contract import Activation, Array, Padding, Pair


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Run the layer."""
        return to_numpy(layers.dense(inputs, kernel, bias, activation=activation))

    def relu(self, inputs: Array) -> Array:
        """Apply `jax.nn.relu`."""
        return to_numpy(jax.nn.relu(inputs))

    def tanh(self, inputs: Array) -> Array:
        """Apply `jnp.tanh`."""
        return to_numpy(jnp.tanh(inputs))

    def sigmoid(self, inputs: Array) -> Array:
        """Apply `jax.nn.sigmoid`."""
        return to_numpy(jax.nn.sigmoid(inputs))

    def softmax(self, logits: Array) -> Array:
        """Apply `jax.nn.softmax`."""
        return to_numpy(jax.nn.softmax(logits))

    def flatten(self, inputs: Array) -> Array:
        """Run the layer."""
        return to_numpy(layers.flatten(jnp.array(inputs)))

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Keep the axis of the batch."""
        return to_numpy(jnp.reshape(inputs, (len(inputs), *target_shape)))

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
        return to_numpy(layers.conv2d(inputs, kernel, bias, strides=strides, padding=padding, activation=activation))

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Differentiate the layer."""
        return gradients(layers.conv2d, upstream, inputs, kernel, bias, strides=strides, padding=padding)

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Run the layer."""
        return to_numpy(layers.max_pool2d(inputs, pool_size=pool_size, strides=strides, padding=padding))

    def max_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Differentiate the layer."""
        window = {"pool_size": pool_size, "strides": strides, "padding": padding}
        return gradients(layers.max_pool2d, upstream, inputs, **window)[0]

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Run the layer."""
        return to_numpy(layers.average_pool2d(inputs, pool_size=pool_size, strides=strides, padding=padding))

    def average_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Differentiate the layer."""
        window = {"pool_size": pool_size, "strides": strides, "padding": padding}
        return gradients(layers.average_pool2d, upstream, inputs, **window)[0]

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
        """Run the layer."""
        moving = moving_mean, moving_variance
        return to_numpy(layers.batch_normalization(inputs, gamma, beta, *moving, training=training))

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
        """Differentiate the layer; nobody asks for the gradients of the moving statistics."""
        arguments = inputs, gamma, beta, moving_mean, moving_variance
        return gradients(layers.normalize, upstream, *arguments, training=training)[:3]

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """Run the layer."""
        return to_numpy(layers.dropout(inputs, rate, jax.random.key(seed)) if training else jnp.array(inputs))

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Take one step."""
        return to_numpy(layers.simple_rnn_cell(inputs, state, kernel, recurrent_kernel, activation=activation))

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Run the layer."""
        return to_numpy(layers.simple_rnn(inputs, kernel, recurrent_kernel, activation=activation))

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Take one step."""
        return to_numpy(layers.lstm_cell(inputs, hidden, carry, kernel, recurrent_kernel, bias))

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run the layer."""
        return to_numpy(layers.lstm(inputs, kernel, recurrent_kernel, bias))

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Divide by the temperature first."""
        return to_numpy(softmax_with_temperature(logits, check_temperature(temperature)))

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw a class from every row."""
        return to_numpy(draw(probabilities, jax.random.key(seed)))

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Apply `jax.nn.one_hot`."""
        return to_numpy(jax.nn.one_hot(labels, depth))

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Sum the results of `xlogy`, for which 0 times the logarithm of 0 is 0."""
        return to_numpy(-jax.scipy.special.xlogy(targets, probabilities).sum(axis=-1))

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Pick the probability of each label; at 0 the loss is infinite."""
        return to_numpy(-jnp.log(losses.pick(probabilities, labels)))

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Apply the loss."""
        return to_numpy(losses.mean_squared_error(targets, predictions))

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Take the step."""
        return to_numpy(sgd_step(parameter, gradient, None, learning_rate)[0])

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
        before = Moments(first_moment, second_moment, step - 1)
        moved, after = to_numpy(adam_step(parameter, gradient, before, learning_rate))
        return moved, after.first, after.second

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Divide the number of correct predictions so far by the number of examples."""
        right = jnp.array([losses.number_right(labels, scores) for labels, scores in batches])
        count = jnp.array([len(labels) for labels, _ in batches])
        return to_numpy(jnp.cumsum(right) / jnp.cumsum(count))

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw with the initializer of that name."""
        return to_numpy(glorot_uniform(jax.random.key(seed), shape))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Apply the initializer of that name, which draws nothing."""
        return to_numpy(zeros(jax.random.key(0), shape))


def gradients(function: Callable[..., jax.Array], upstream: Array, *arguments: Array, **options: Any) -> Any:
    """Return the gradients of sum(upstream * function(*arguments)) for all arguments."""
    return to_numpy(_vjp(function, tuple(options.items()), upstream, *arguments))


@partial(jax.jit, static_argnums=(0, 1))
def _vjp(
    function: Callable[..., jax.Array], options: tuple[tuple[str, Any], ...], upstream: jax.Array, *arguments: jax.Array
) -> tuple[jax.Array, ...]:
    _, back = jax.vjp(partial(function, **dict(options)), *arguments)
    return back(upstream)
