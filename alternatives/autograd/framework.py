"""Operations computed by NumPy and differentiated by autograd."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import autograd.numpy as np
from autograd import value_and_grad
from autograd.scipy.special import logsumexp

from assay.contract import Array, Padding, Pair
from assay.kit.framework import Framework, ScalarFunction, Tensor, Tensors
from assay.kit.padding import pad_image_widths

MOMENTUM, EPSILON = np.float32(0.99), np.float32(0.001)
BETA_1, BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-7


class SGD:
    """Plain gradient descent."""

    def __init__(self, learning_rate: float) -> None:
        """Store the learning rate."""
        self.learning_rate = np.float32(learning_rate)

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Take a step."""
        return {name: value - self.learning_rate * gradients[name] for name, value in values.items()}


class Adam:
    """Adam with its moments."""

    def __init__(self, learning_rate: float) -> None:
        """Create the initial state."""
        self.learning_rate, self.steps = learning_rate, 0
        self.moments: dict[str, tuple[Tensor, Tensor]] = {}

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Take a step."""
        self.steps += 1
        moved = {}
        for name, value in values.items():
            moments = self.moments.get(name, (np.float32(0), np.float32(0)))
            moved[name], *gathered = adam_step(value, gradients[name], *moments, self.steps, self.learning_rate)
            self.moments[name] = gathered[0], gathered[1]
        return moved


def adam_step(
    parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: int, learning_rate: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the parameter and both moments after a step: Kingma and Ba, 2015, end of section 2."""
    rate = np.float32(learning_rate * math.sqrt(1 - BETA_2**step) / (1 - BETA_1**step))
    first = np.float32(BETA_1) * first + np.float32(1 - BETA_1) * gradient
    second = np.float32(BETA_2) * second + np.float32(1 - BETA_2) * gradient * gradient
    return parameter - rate * first / (np.sqrt(second) + np.float32(ADAM_EPSILON)), first, second


def cut_windows(images: Tensor, window: Pair, strides: Pair, padding: Padding, value: float = 0.0) -> Tensor:
    """Return the contents of the window at each position: [batch, rows, columns, window elements, channels]."""
    widths = ((0, 0), *pad_image_widths(images.shape[1:3], window, strides, padding), (0, 0))
    padded = np.pad(images, widths, "constant", constant_values=value)
    (high, wide), (down, right) = window, strides
    rows, columns = (padded.shape[1] - high) // down + 1, (padded.shape[2] - wide) // right + 1
    return np.stack(
        [
            padded[:, top : top + rows * down : down, left : left + columns * right : right][:, :rows, :columns]
            for top in range(high)
            for left in range(wide)
        ],
        axis=3,
    )


class Autograd(Framework):
    """See `assay.kit.framework.Framework`."""

    def to_tensor(self, array: Array) -> Tensor:
        """Copy an array."""
        return np.array(array)

    def to_array(self, tensor: Tensor) -> Array:
        """Copy the tensor to an array."""
        return np.array(tensor)

    def stack(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
        """Apply `stack`."""
        return np.stack(tensors, axis=axis)

    def value_and_gradients(self, function: ScalarFunction, values: Tensors, *batch: Tensor) -> tuple[Tensor, Tensors]:
        """Differentiate with autograd."""
        value, gradients = value_and_grad(function)(dict(values), *batch)
        return np.float32(value), {name: np.asarray(one, np.float32) for name, one in gradients.items()}

    def relu(self, inputs: Tensor) -> Tensor:
        """Return the larger of 0 and each element."""
        return np.where(inputs > 0, inputs, np.float32(0))

    def tanh(self, inputs: Tensor) -> Tensor:
        """Apply `tanh`."""
        return np.tanh(inputs)

    def sigmoid(self, inputs: Tensor) -> Tensor:
        """Divide by a sum that is finite for every input."""
        small = np.exp(-np.abs(inputs))
        return np.where(inputs >= 0, np.float32(1), small) / (np.float32(1) + small)

    def softmax(self, logits: Tensor) -> Tensor:
        """Subtract the largest logit first."""
        powers = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
        return powers / np.sum(powers, axis=-1, keepdims=True)

    def dense(self, inputs: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Multiply, and add the bias."""
        sums = inputs @ kernel
        return sums if bias is None else sums + bias

    def conv2d(self, images: Tensor, kernel: Tensor, bias: Tensor | None, strides: Pair, padding: Padding) -> Tensor:
        """Multiply every window with the kernel."""
        *window, channels, filters = kernel.shape
        windows = cut_windows(images, (window[0], window[1]), strides, padding)
        rows = windows.reshape((*windows.shape[:3], -1))
        return self.dense(rows, kernel.reshape((window[0] * window[1] * channels, filters)), bias)

    def max_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Take the largest value of each window."""
        return np.max(cut_windows(images, window, strides, padding, -np.inf), axis=3)

    def average_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Return the mean of the image elements in each window."""
        covered = cut_windows(np.ones(images.shape, np.float32), window, strides, padding)
        return np.sum(cut_windows(images, window, strides, padding), axis=3) / np.sum(covered, axis=3)

    def batch_normalization(
        self, inputs: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise by the statistics of the batch, or by the moving ones."""
        used_mean, used_variance = mean, variance
        if training:
            axes = tuple(range(inputs.ndim - 1))
            used_mean = np.mean(inputs, axis=axes)
            used_variance = np.mean((inputs - used_mean) ** 2, axis=axes)
            mean = MOMENTUM * mean + (1 - MOMENTUM) * used_mean
            variance = MOMENTUM * variance + (1 - MOMENTUM) * used_variance
        outputs = (inputs - used_mean) / np.sqrt(used_variance + EPSILON) * gamma + beta
        return outputs, mean, variance

    def dropout(self, inputs: Tensor, rate: float, seed: int) -> Tensor:
        """Drop elements at random, and scale the others."""
        kept = np.random.default_rng(seed).random(inputs.shape) >= rate
        return np.where(kept, inputs / np.float32(1 - rate), np.float32(0))

    def lstm_cell(
        self, inputs: Tensor, hidden: Tensor, carry: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute the step explicitly."""
        sums = inputs @ kernel + hidden @ recurrent_kernel + bias
        enter, forget, candidate, leave = np.split(sums, 4, axis=-1)
        carry = self.sigmoid(forget) * carry + self.sigmoid(enter) * np.tanh(candidate)
        return self.sigmoid(leave) * np.tanh(carry), carry

    def sample(self, probabilities: Tensor, seed: int) -> Tensor:
        """Draw by inverting the cumulative sum at a uniform number."""
        ends = np.cumsum(probabilities.astype(np.float64), axis=-1)
        points = np.random.default_rng(seed).random((len(ends), 1)) * ends[:, -1:]
        return np.sum(ends <= points, axis=-1)

    def one_hot(self, labels: Tensor, depth: int) -> Tensor:
        """Compare labels with all classes."""
        return (labels[..., np.newaxis] == np.arange(depth)).astype(np.float32)

    def categorical_crossentropy(self, targets: Tensor, probabilities: Tensor) -> Tensor:
        """Omit the logarithm if the target is 0."""
        return -np.sum(targets * np.log(np.where(targets == 0, np.float32(1), probabilities)), axis=-1)

    def sparse_categorical_crossentropy(self, labels: Tensor, probabilities: Tensor) -> Tensor:
        """Take the logarithm of the label's probability."""
        return -np.log(probabilities[np.arange(len(labels)), labels])

    def crossentropy_of_logits(self, labels: Tensor, logits: Tensor) -> Tensor:
        """Subtract the label's logit from the logarithm of the sum."""
        return np.mean(logsumexp(logits, axis=-1) - logits[np.arange(len(labels)), labels])

    def mean_squared_error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Average the squares."""
        return np.mean((predictions - targets) ** 2)

    def adam_step(
        self, parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: int, learning_rate: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take a step of Adam from these moments."""
        return adam_step(parameter, gradient, first, second, step, learning_rate)

    def make_optimizer(self, kind: Literal["sgd", "adam"], learning_rate: float) -> Any:
        """Create an optimizer."""
        return SGD(learning_rate) if kind == "sgd" else Adam(learning_rate)

    def glorot_uniform(self, shape: tuple[int, ...], seed: int) -> Tensor:
        """Draw Glorot-uniform values (Glorot and Bengio, 2010); fans include the window's area."""
        limit = math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))
        return np.random.default_rng(seed).uniform(-limit, limit, shape).astype(np.float32)

    def orthogonal(self, shape: tuple[int, int], seed: int) -> Tensor:
        """Draw orthonormal rows (Saxe and others, 2014)."""
        q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal(shape[::-1]))
        return (q * np.sign(np.diag(r))).T.astype(np.float32)

    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Create zeros."""
        return np.zeros(shape, np.float32)
