"""The operations of Flax and Optax, on arrays of JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from assay.contract import Activation, Array, Padding, Pair
from assay.kit.framework import Framework, ScalarFunction, Tensors

adam = partial(optax.adam, b1=0.9, b2=0.999, eps=1e-7)
compiled = cache(jax.jit)


@cache
def compile_value_and_gradients(function: ScalarFunction) -> Any:
    """Compile the value and the gradients of a function."""
    return jax.jit(jax.value_and_grad(function))


def assign(layer: nnx.Module, **values: Any) -> Any:
    """Set the parameters of a layer, and return it."""
    for name, value in values.items():
        if value is not None:
            getattr(layer, name).set_value(value)
    return layer


class Optimizer:
    """An optimizer of Optax with its state."""

    def __init__(self, transformation: optax.GradientTransformation) -> None:
        """Create the initial state."""
        self.transformation = transformation
        self.state: Any = None

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Take a step."""
        self.state = self.transformation.init(values) if self.state is None else self.state
        updates, self.state = self.transformation.update(gradients, self.state)
        return optax.apply_updates(values, updates)


class Flax(Framework):
    """See `assay.kit.framework.Framework`."""

    relu, tanh, sigmoid, softmax = map(staticmethod, (nnx.relu, nnx.tanh, nnx.sigmoid, nnx.softmax))

    def to_tensor(self, array: Array) -> Any:
        """Copy an array."""
        return jnp.asarray(array)

    def to_array(self, tensor: Any) -> Array:
        """Copy the tensor to an array."""
        return np.array(tensor)

    def stack(self, tensors: Sequence[Any], axis: int) -> Any:
        """Apply `stack`."""
        return jnp.stack(tensors, axis)

    def value_and_gradients(self, function: ScalarFunction, values: Tensors, *batch: Any) -> Any:
        """Differentiate with JAX; functions local to a call are not worth compiling."""
        is_kept = hasattr(function, "__self__")
        return (compile_value_and_gradients if is_kept else jax.value_and_grad)(function)(dict(values), *batch)

    def evaluate(self, function: Callable[..., Any], values: Tensors, *batch: Any) -> Any:
        """Compile the function."""
        return compiled(function)(dict(values), *batch)

    def dense(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        """Apply `Linear`."""
        layer = nnx.Linear(*kernel.shape, use_bias=bias is not None, rngs=nnx.Rngs(0))
        return assign(layer, kernel=kernel, bias=bias)(inputs)

    def conv2d(self, images: Any, kernel: Any, bias: Any, strides: Pair, padding: Padding) -> Any:
        """Apply `Conv`."""
        *window, channels, filters = kernel.shape
        options: dict[str, Any] = {"padding": padding.upper(), "use_bias": bias is not None}
        layer = nnx.Conv(channels, filters, window, strides, **options, rngs=nnx.Rngs(0))
        return assign(layer, kernel=kernel, bias=bias)(images)

    def max_pool2d(self, images: Any, window: Pair, strides: Pair, padding: Padding) -> Any:
        """Apply `max_pool`."""
        return nnx.max_pool(images, window, strides, padding.upper())

    def average_pool2d(self, images: Any, window: Pair, strides: Pair, padding: Padding) -> Any:
        """Apply `avg_pool`."""
        return nnx.avg_pool(images, window, strides, padding.upper())

    def batch_normalization(
        self, inputs: Any, gamma: Any, beta: Any, mean: Any, variance: Any, *, training: bool
    ) -> Any:
        """Apply `BatchNorm`."""
        layer = nnx.BatchNorm(len(gamma), momentum=0.99, epsilon=0.001, rngs=nnx.Rngs(0))
        assign(layer, scale=gamma, bias=beta, mean=mean, var=variance)
        return layer(inputs, use_running_average=not training), layer.mean.get_value(), layer.var.get_value()

    def dropout(self, inputs: Any, rate: float, seed: int) -> Any:
        """Apply `Dropout`."""
        return nnx.Dropout(rate, deterministic=False, rngs=nnx.Rngs(seed))(inputs)

    def simple_rnn_cell(
        self, inputs: Any, state: Any, kernel: Any, recurrent_kernel: Any, activation: Activation | None
    ) -> Any:
        """Apply `SimpleCell`, whose bias is initialised to 0."""
        activate = partial(self.activate, activation=activation)
        cell = nnx.SimpleCell(*kernel.shape, activation_fn=activate, rngs=nnx.Rngs(0))
        assign(cell.dense_i, kernel=kernel)
        assign(cell.dense_h, kernel=recurrent_kernel)
        return cell(state, inputs)[0]

    def lstm_cell(self, inputs: Any, hidden: Any, carry: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        """Apply `OptimizedLSTMCell`, whose gates are in the contract's order."""
        cell = nnx.OptimizedLSTMCell(len(kernel), len(recurrent_kernel), rngs=nnx.Rngs(0))
        assign(cell.dense_i, kernel=kernel)
        assign(cell.dense_h, kernel=recurrent_kernel, bias=bias)
        (carry, hidden), _ = cell((carry, hidden), inputs)
        return hidden, carry

    def lstm(self, inputs: Any, state: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        """Repeat the cell in a loop that is compiled once for any length."""

        def step(states: Any, now: Any) -> Any:
            hidden, carry = states
            states = self.lstm_cell(now, hidden, carry, kernel, recurrent_kernel, bias)
            return states, states

        _, states = jax.lax.scan(step, (state, state), inputs.swapaxes(0, 1))
        return jax.tree.map(lambda every: every.swapaxes(0, 1), states)

    def sample(self, probabilities: Any, seed: int) -> Any:
        """Draw given the logarithms of the probabilities."""
        return jax.random.categorical(jax.random.key(seed), jnp.log(probabilities))

    def one_hot(self, labels: Any, depth: int) -> Any:
        """Apply `one_hot`."""
        return nnx.one_hot(labels, depth)

    def categorical_crossentropy(self, targets: Any, probabilities: Any) -> Any:
        """Compute it explicitly, as Optax only takes logits: 0 times the logarithm of 0 is 0."""
        return -jax.scipy.special.xlogy(targets, probabilities).sum(-1)

    def sparse_categorical_crossentropy(self, labels: Any, probabilities: Any) -> Any:
        """Compute it explicitly, as Optax only takes logits."""
        return -jnp.log(jnp.take_along_axis(probabilities, labels[:, None], 1)[:, 0])

    def crossentropy_of_logits(self, labels: Any, logits: Any) -> Any:
        """Apply Optax's loss."""
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    def mean_squared_error(self, targets: Any, predictions: Any) -> Any:
        """Apply Optax's loss."""
        return optax.squared_error(predictions, targets).mean()

    def make_optimizer(self, kind: Literal["sgd", "adam"], learning_rate: float) -> Optimizer:
        """Create an optimizer of Optax."""
        return Optimizer(optax.sgd(learning_rate) if kind == "sgd" else adam(learning_rate))

    def adam_step(self, parameter: Any, gradient: Any, first: Any, second: Any, step: int, learning_rate: float) -> Any:
        """Take a step of Optax's Adam from these moments."""
        optimizer = Optimizer(adam(learning_rate))
        gathered, *others = optimizer.transformation.init(parameter)
        optimizer.state = (gathered._replace(count=jnp.int32(step - 1), mu=first, nu=second), *others)
        moved = optimizer.step(parameter, gradient)
        return moved, optimizer.state[0].mu, optimizer.state[0].nu

    def glorot_uniform(self, shape: tuple[int, ...], seed: int) -> Any:
        """Draw with the initializer."""
        return nnx.initializers.glorot_uniform()(jax.random.key(seed), shape)

    def orthogonal(self, shape: tuple[int, int], seed: int) -> Any:
        """Draw with the initializer."""
        return nnx.initializers.orthogonal()(jax.random.key(seed), shape)

    def zeros(self, shape: tuple[int, ...]) -> Any:
        """Create zeros with the initializer."""
        return nnx.initializers.zeros_init()(jax.random.key(0), shape)
