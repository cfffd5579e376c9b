"""Sound normalization, recurrence, losses, optimizers and metrics that compute otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Variant = Callable[..., Any]
f32 = np.float32
EPSILON, MOMENTUM = 0.001, 0.99


def axes_of(inputs):
    """Return all axes but the last."""
    return tuple(range(inputs.ndim - 1))


def batch_normalization_folded(right, inputs, gamma, beta, moving_mean, moving_variance, *, training):
    """Fold scale and offset into one product and one sum, as TensorFlow does; move by differences, as Keras does."""
    mean, variance = moving_mean, moving_variance
    if training:
        mean = inputs.mean(axis=axes_of(inputs), dtype=f32)
        variance = np.square(inputs - mean).mean(axis=axes_of(inputs), dtype=f32)
    scale = gamma * (f32(1) / np.sqrt(variance + f32(EPSILON)))
    keep = f32(1 - MOMENTUM) if training else f32(0)
    moved = moving_mean - (moving_mean - mean) * keep, moving_variance - (moving_variance - variance) * keep
    return inputs * scale + (beta - mean * scale), *moved


def batch_normalization_welford(right, inputs, gamma, beta, moving_mean, moving_variance, *, training):
    """Update mean and sum of squares example by example."""
    mean, variance = moving_mean, moving_variance
    if training:
        mean = sum_of_squares = np.zeros(inputs.shape[-1], f32)
        for count, row in enumerate(inputs.reshape(-1, inputs.shape[-1]), 1):
            difference = row - mean
            mean = mean + difference / f32(count)
            sum_of_squares = sum_of_squares + difference * (row - mean)
        variance = sum_of_squares / f32(inputs.size // inputs.shape[-1])
        moving_mean = f32(MOMENTUM) * moving_mean + f32(1 - MOMENTUM) * mean
        moving_variance = f32(MOMENTUM) * moving_variance + f32(1 - MOMENTUM) * variance
    normal = (inputs - mean) / np.sqrt(variance + f32(EPSILON))
    return normal * gamma + beta, moving_mean.copy(), moving_variance.copy()


def batch_normalization_moments(right, inputs, gamma, beta, moving_mean, moving_variance, *, training):
    """Compute the variance as the mean square less the square of the mean."""
    values, mean, variance = inputs.astype(float), moving_mean.astype(float), moving_variance.astype(float)
    moved = moving_mean, moving_variance
    if training:
        mean = values.mean(axis=axes_of(inputs))
        variance = np.maximum(np.square(values).mean(axis=axes_of(inputs)) - mean * mean, 0)
        pairs = zip(moved, (mean, variance), strict=True)
        moved = tuple((MOMENTUM * old.astype(float) + (1 - MOMENTUM) * new).astype(f32) for old, new in pairs)
    result = (values - mean) * (gamma / np.sqrt(variance + EPSILON)) + beta
    return result.astype(f32), *moved


def batch_normalization_bessel(right, inputs, gamma, beta, moving_mean, moving_variance, *, training):
    """Move the variance by the unbiased one, as PyTorch does."""
    result, mean, variance = right(inputs, gamma, beta, moving_mean, moving_variance, training=training)
    if training:
        unbiased = inputs.var(axis=axes_of(inputs), ddof=1)
        variance = f32(MOMENTUM) * moving_variance + f32(1 - MOMENTUM) * unbiased
    return result, mean, variance


def batch_normalization_gradients_chained(
    right, inputs, gamma, beta, moving_mean, moving_variance, upstream, *, training, kind=f32
):
    """Differentiate step by step through variance and mean."""
    axes, count = axes_of(inputs), inputs.size // inputs.shape[-1]
    values, upstream = inputs.astype(kind), upstream.astype(kind)
    mean = values.mean(axis=axes) if training else moving_mean.astype(kind)
    centred = values - mean
    variance = np.square(centred).mean(axis=axes) if training else moving_variance.astype(kind)
    inverse = kind(1) / np.sqrt(variance + kind(EPSILON))
    to_gamma, to_beta = (upstream * centred * inverse).sum(axis=axes), upstream.sum(axis=axes)
    to_normal = upstream * gamma
    to_inputs = to_normal * inverse
    if training:
        to_variance = (to_normal * centred).sum(axis=axes) * kind(-0.5) * inverse**3
        to_mean = -(to_normal * inverse).sum(axis=axes)
        to_inputs = to_inputs + to_variance * kind(2 / count) * centred + to_mean / kind(count)
    return to_inputs.astype(f32), to_gamma.astype(f32), to_beta.astype(f32)


def batch_normalization_gradients_double(right, *args, **kwargs):
    """Compute in float64."""
    return batch_normalization_gradients_chained(right, *args, **kwargs, kind=np.float64)


def squash(values, activation):
    """Apply an activation of a recurrent cell."""
    if activation == "relu":
        return np.maximum(values, 0)
    if activation == "sigmoid":
        return f32(1) / (f32(1) + np.exp(-np.clip(values, -80, None)))
    return np.tanh(values) if activation == "tanh" else values


def simple_rnn_cell_joined(right, inputs, state, kernel, recurrent_kernel, activation="tanh"):
    """Multiply inputs and state by both kernels in one product."""
    joined = np.concatenate([inputs, state], axis=1) @ np.concatenate([kernel, recurrent_kernel])
    return squash(joined, activation)


def simple_rnn_precomputed(right, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Multiply the inputs of all times at once, time first, and return a transposed view."""
    sums = np.ascontiguousarray(inputs.swapaxes(0, 1)) @ kernel
    state = np.zeros((len(inputs), len(recurrent_kernel)), f32)
    for t in range(len(sums)):
        state = sums[t] = squash(sums[t] + state @ recurrent_kernel, activation)
    return sums.swapaxes(0, 1)


def simple_rnn_double(right, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Keep the state in float64."""
    state, states = np.zeros((len(inputs), len(recurrent_kernel))), []
    for t in range(inputs.shape[1]):
        sums = inputs[:, t].astype(float) @ kernel.astype(float) + state @ recurrent_kernel.astype(float)
        state = squash(sums, activation)
        states.append(state)
    return np.stack(states, axis=1).astype(f32)


def sigmoid_of(values):
    """Use tanh in float32: its error is that of float32 at 1."""
    return f32(0.5) * (np.tanh(f32(0.5) * values) + f32(1))


def step_by_gates(inputs, hidden, carry, kernel, recurrent_kernel, bias, sigmoid=None):
    """Compute every gate by a product of its own."""
    sigmoid = sigmoid or (lambda values: f32(1) / (f32(1) + np.exp(-np.clip(values, -88, None))))
    units = carry.shape[-1]

    def gate(number):
        part = slice(number * units, (number + 1) * units)
        return inputs @ kernel[:, part] + (hidden @ recurrent_kernel[:, part] + bias[part])

    carry = sigmoid(gate(1)) * carry + sigmoid(gate(0)) * np.tanh(gate(2))
    return sigmoid(gate(3)) * np.tanh(carry), carry


def lstm_cell_by_gates(right, *arrays):
    """Compute every gate by a product of its own."""
    return step_by_gates(*arrays)


def lstm_cell_by_tanh(right, *arrays):
    """Compute every sigmoid by tanh."""
    return step_by_gates(*arrays, sigmoid=sigmoid_of)


def lstm_cell_joined(right, inputs, hidden, carry, kernel, recurrent_kernel, bias):
    """Multiply inputs and hidden state by both kernels in one product."""
    joined, nothing = np.concatenate([inputs, hidden], axis=1), np.zeros((len(inputs), 0), f32)
    kernels = np.concatenate([kernel, recurrent_kernel])
    return step_by_gates(joined, nothing, carry, kernels, np.zeros((0, kernels.shape[1]), f32), bias)


def lstm_cell_double(right, *arrays):
    """Compute in float64."""
    hidden, carry = step_by_gates(*(array.astype(float) for array in arrays))
    return hidden.astype(f32), carry.astype(f32)


def lstm_looped(right, inputs, kernel, recurrent_kernel, bias):
    """Step from cell to cell, time first, and return transposed views."""
    states = [(np.zeros((len(inputs), len(recurrent_kernel)), f32),) * 2]
    for t in range(inputs.shape[1]):
        states.append(step_by_gates(inputs[:, t], *states[-1], kernel, recurrent_kernel, bias))
    hidden, carry = np.array(states[1:]).transpose(1, 2, 0, 3)
    return hidden, carry


def lstm_double(right, inputs, kernel, recurrent_kernel, bias):
    """Keep the states in float64."""
    found = lstm_looped(right, *(array.astype(float) for array in (inputs, kernel, recurrent_kernel, bias)))
    return found[0].astype(f32), found[1].astype(f32)


def states_by_rows(parameters, inputs):
    """Return the cell's last output: [batch, units]. A one-hot vector times the kernel is a row of the kernel."""
    rows = parameters["cell/kernel"][inputs] + parameters["cell/bias"]
    hidden = carry = np.zeros((len(inputs), len(parameters["cell/recurrent_kernel"])), f32)
    for t in range(inputs.shape[1]):
        write, keep, candidate, read = np.split(rows[:, t] + hidden @ parameters["cell/recurrent_kernel"], 4, axis=1)
        carry = sigmoid_of(keep) * carry + sigmoid_of(write) * np.tanh(candidate)
        hidden = sigmoid_of(read) * np.tanh(carry)
    return hidden


def check(temperature):
    """Reject a temperature that is not above 0."""
    if not 0 < temperature < math.inf:
        msg = "temperature"
        raise ValueError(msg)


def softmax_with_temperature_shifted(right, logits, temperature):
    """Subtract the largest logit before dividing."""
    check(f32(temperature))
    with np.errstate(over="ignore"):
        exponentials = np.exp((logits - logits.max(axis=-1, keepdims=True)) / f32(temperature))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_with_temperature_double(right, logits, temperature):
    """Compute in float64, with the temperature as it is given."""
    check(temperature)
    scaled = (logits.astype(float) - logits.max(axis=-1, keepdims=True).astype(float)) / float(temperature)
    return (np.exp(scaled) / np.exp(scaled).sum(axis=-1, keepdims=True)).astype(f32)


def softmax_with_temperature_reciprocal(right, logits, temperature):
    """Multiply by the reciprocal of the temperature."""
    check(f32(temperature))
    return right(logits * (f32(1) / f32(temperature)), 1.0)


def softmax_with_temperature_of_log(right, logits, temperature):
    """Divide log-probabilities in float64, as the text generator of the Keras examples does."""
    check(f32(temperature))
    shifted = logits.astype(float) - logits.max(axis=-1, keepdims=True)
    scaled = (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    return (np.exp(scaled) / np.exp(scaled).sum(axis=-1, keepdims=True)).astype(f32)


VARIANTS: dict[str, dict[str, Variant]] = {
    "batch_normalization/folded": {"ops.batch_normalization": batch_normalization_folded},
    "batch_normalization/Welford": {"ops.batch_normalization": batch_normalization_welford},
    "batch_normalization/moments float64": {"ops.batch_normalization": batch_normalization_moments},
    "batch_normalization/Bessel": {"ops.batch_normalization": batch_normalization_bessel},
    "batch_normalization_gradients/chained": {
        "ops.batch_normalization_gradients": batch_normalization_gradients_chained
    },
    "batch_normalization_gradients/float64": {
        "ops.batch_normalization_gradients": batch_normalization_gradients_double
    },
    "simple_rnn_cell/joined": {"ops.simple_rnn_cell": simple_rnn_cell_joined},
    "simple_rnn/precomputed": {"ops.simple_rnn": simple_rnn_precomputed},
    "simple_rnn/float64": {"ops.simple_rnn": simple_rnn_double},
    "lstm_cell/gate by gate": {"ops.lstm_cell": lstm_cell_by_gates},
    "lstm_cell/sigmoid by tanh": {"ops.lstm_cell": lstm_cell_by_tanh},
    "lstm_cell/joined": {"ops.lstm_cell": lstm_cell_joined},
    "lstm_cell/float64": {"ops.lstm_cell": lstm_cell_double},
    "lstm/cell by cell, time first": {"ops.lstm": lstm_looped},
    "lstm/float64": {"ops.lstm": lstm_double},
    "softmax_with_temperature/shifted first": {"ops.softmax_with_temperature": softmax_with_temperature_shifted},
    "softmax_with_temperature/float64": {"ops.softmax_with_temperature": softmax_with_temperature_double},
    "softmax_with_temperature/reciprocal": {"ops.softmax_with_temperature": softmax_with_temperature_reciprocal},
    "softmax_with_temperature/of log": {"ops.softmax_with_temperature": softmax_with_temperature_of_log},
}
