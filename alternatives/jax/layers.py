"""Layers as pure functions; JAX differentiates them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from assay.contract import Activation, Padding, Pair

ACTIVATIONS = {None: lambda inputs: inputs, "relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
# State of the LSTM cell: hidden and carry, each [batch, units].
States = tuple[jax.Array, jax.Array]
MOMENTUM = 0.99
EPSILON = 0.001


@partial(jax.jit, static_argnames="activation")
def dense(
    inputs: jax.Array, kernel: jax.Array, bias: jax.Array | None = None, activation: Activation | None = None
) -> jax.Array:
    """f(inputs @ kernel + bias)."""
    sums = inputs @ kernel
    return ACTIVATIONS[activation](sums if bias is None else sums + bias)


def flatten(inputs: jax.Array) -> jax.Array:
    """[batch, ...] to [batch, product of the rest]."""
    return inputs.reshape(len(inputs), -1)


@partial(jax.jit, static_argnames=("strides", "padding", "activation"))
def conv2d(
    inputs: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None = None,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    activation: Activation | None = None,
) -> jax.Array:
    """Convolve [batch, height, width, channels] with [window height, window width, channels, filters]."""
    sums = lax.conv_general_dilated(
        inputs, kernel, strides, padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return ACTIVATIONS[activation](sums if bias is None else sums + bias)


@partial(jax.jit, static_argnames=("pool_size", "strides", "padding"))
def max_pool2d(
    inputs: jax.Array, *, pool_size: Pair = (2, 2), strides: Pair = (2, 2), padding: Padding = "valid"
) -> jax.Array:
    """Take the largest element of each window."""
    return lax.reduce_window(inputs, -jnp.inf, lax.max, (1, *pool_size, 1), (1, *strides, 1), padding.upper())


@partial(jax.jit, static_argnames=("pool_size", "strides", "padding"))
def average_pool2d(inputs: jax.Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> jax.Array:
    """Return the mean of the image elements in each window."""
    sums, counts = (
        lax.reduce_window(values, 0.0, lax.add, (1, *pool_size, 1), (1, *strides, 1), padding.upper())
        for values in (inputs, jnp.ones_like(inputs))
    )
    return sums / counts


@partial(jax.jit, static_argnames="training")
def batch_normalization(
    inputs: jax.Array,
    gamma: jax.Array,
    beta: jax.Array,
    moving_mean: jax.Array,
    moving_variance: jax.Array,
    *,
    training: bool,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Normalise every channel; also return the updated moving mean and variance."""
    mean, variance = moving_mean, moving_variance
    if training:
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = inputs.mean(axes), inputs.var(axes)
        moving_mean, moving_variance = (
            MOMENTUM * old + (1 - MOMENTUM) * new for old, new in ((moving_mean, mean), (moving_variance, variance))
        )
    outputs = gamma * (inputs - mean) / jnp.sqrt(variance + EPSILON) + beta
    return outputs, moving_mean, moving_variance


def normalize(inputs: jax.Array, *statistics: jax.Array, training: bool) -> jax.Array:
    """Return the outputs without the moving statistics."""
    return batch_normalization(inputs, *statistics, training=training)[0]


@jax.jit
def dropout(inputs: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    """Set elements to 0 with a probability, and scale the others to compensate."""
    kept = jax.random.uniform(key, inputs.shape) >= rate
    return jnp.where(kept, inputs / (1 - rate), 0)


@partial(jax.jit, static_argnames="activation")
def simple_rnn_cell(
    inputs: jax.Array,
    state: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    activation: Activation | None = "tanh",
) -> jax.Array:
    """Take one step of the simple recurrence."""
    return ACTIVATIONS[activation](inputs @ kernel + state @ recurrent_kernel)


@partial(jax.jit, static_argnames="activation")
def simple_rnn(
    inputs: jax.Array, kernel: jax.Array, recurrent_kernel: jax.Array, activation: Activation | None = "tanh"
) -> jax.Array:
    """Return the state after every step, from a state of zeros: [batch, time, units]."""

    def step(state: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        state = simple_rnn_cell(inputs, state, kernel, recurrent_kernel, activation)
        return state, state

    zeros = jnp.zeros((len(inputs), len(recurrent_kernel)))
    return over_time(step, zeros, inputs)


@jax.jit
def lstm_cell(
    inputs: jax.Array,
    hidden: jax.Array,
    carry: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Return hidden state and carry after a step of the LSTM cell."""
    return apply_gates(inputs @ kernel + hidden @ recurrent_kernel + bias, carry)


@jax.jit
def lstm(
    inputs: jax.Array, kernel: jax.Array, recurrent_kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Return hidden state and carry after every step, from states of zeros, each [batch, time, units]."""

    def step(states: States, of_inputs: jax.Array) -> tuple[States, States]:
        hidden, carry = states
        states = apply_gates(of_inputs + hidden @ recurrent_kernel, carry)
        return states, states

    zeros = jnp.zeros((len(inputs), len(recurrent_kernel)))
    # The contribution of the inputs is one product for all times.
    return over_time(step, (zeros, zeros), inputs @ kernel + bias)


def apply_gates(sums: jax.Array, carry: jax.Array) -> States:
    """Return hidden state and carry after a step, given the sums [batch, 4 units] before the gates' activations."""
    write, keep, candidate, read = jnp.split(sums, 4, axis=-1)
    carry = jax.nn.sigmoid(keep) * carry + jax.nn.sigmoid(write) * jnp.tanh(candidate)
    return jax.nn.sigmoid(read) * jnp.tanh(carry), carry


def over_time(step: Callable[..., tuple[Any, Any]], initial: Any, inputs: jax.Array) -> Any:
    """Repeat a step, with states of any structure, over inputs [batch, time, ...]; stack its results."""
    _, found = lax.scan(step, initial, jnp.moveaxis(inputs, 1, 0))
    return jax.tree.map(lambda states: jnp.moveaxis(states, 0, 1), found)
