"""The operations of MLX, on its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import mlx.core as mx
import numpy as np
from mlx import nn, optimizers

from assay.contract import Array, Padding, Pair
from assay.kit.framework import Framework, ScalarFunction, Tensors
from assay.kit.padding import pad_image_widths

# MLX's momentum weights the batch, the contract's the past.
MOMENTUM, EPSILON = 1 - 0.99, 0.001
adam = partial(optimizers.Adam, betas=[0.9, 0.999], eps=1e-7, bias_correction=True)
# MLX stores a Dense kernel as [units, inputs], and a convolution's as [filters, height, width, channels].
DENSE, CONVOLUTION = (1, 0), (3, 0, 1, 2)


def assign(layer: Any, **values: Any) -> Any:
    """Set the parameters of a layer, and return it."""
    for name, value in values.items():
        if value is not None:
            setattr(layer, name, value)
    return layer


def pad(images: Any, window: Pair, strides: Pair, padding: Padding, value: float = 0.0) -> Any:
    """Add the padding of `same`, as MLX itself pads symmetrically."""
    widths = pad_image_widths(images.shape[1:3], window, strides, padding)
    return mx.pad(images, ((0, 0), *widths, (0, 0)), constant_values=value)


class Optimizer:
    """An optimizer of MLX."""

    def __init__(self, optimizer: optimizers.Optimizer) -> None:
        """Store a new optimizer."""
        self.optimizer = optimizer

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Take a step, and force its evaluation, which MLX defers."""
        moved: dict[str, Any] = self.optimizer.apply_gradients(dict(gradients), dict(values))
        mx.eval(moved, self.optimizer.state)
        return moved


class MLX(Framework):
    """See `assay.kit.framework.Framework`."""

    relu, tanh, sigmoid = map(staticmethod, (nn.relu, mx.tanh, mx.sigmoid))

    def to_tensor(self, array: Array) -> mx.array:
        """Copy an array."""
        return mx.array(np.ascontiguousarray(array).reshape(array.shape))

    def to_array(self, tensor: mx.array) -> Array:
        """Copy the tensor to an array."""
        return np.array(tensor)

    def stack(self, tensors: Sequence[mx.array], axis: int) -> mx.array:
        """Apply `stack`."""
        return mx.stack(list(tensors), axis)

    def value_and_gradients(self, function: ScalarFunction, values: Tensors, *batch: mx.array) -> Any:
        """Differentiate with MLX."""
        return mx.value_and_grad(function)(dict(values), *batch)

    def softmax(self, logits: mx.array) -> mx.array:
        """Apply `softmax`."""
        return mx.softmax(logits, axis=-1)

    def dense(self, inputs: mx.array, kernel: mx.array, bias: mx.array | None) -> mx.array:
        """Apply `Linear`."""
        layer = nn.Linear(*kernel.shape, bias=bias is not None)
        return assign(layer, weight=kernel.transpose(DENSE), bias=bias)(inputs)

    def conv2d(self, images: mx.array, kernel: mx.array, bias: Any, strides: Pair, padding: Padding) -> mx.array:
        """Apply `Conv2d`."""
        *window, channels, filters = kernel.shape
        layer = nn.Conv2d(channels, filters, tuple(window), strides, bias=bias is not None)
        assign(layer, weight=kernel.transpose(CONVOLUTION), bias=bias)
        return layer(pad(images, kernel.shape[:2], strides, padding))

    def max_pool2d(self, images: mx.array, window: Pair, strides: Pair, padding: Padding) -> mx.array:
        """Apply `MaxPool2d`."""
        return nn.MaxPool2d(window, strides)(pad(images, window, strides, padding, -np.inf))

    def average_pool2d(self, images: mx.array, window: Pair, strides: Pair, padding: Padding) -> mx.array:
        """Apply `AvgPool2d`, which includes the zeros."""
        return nn.AvgPool2d(window, strides)(pad(images, window, strides, padding))

    def batch_normalization(
        self, inputs: Any, gamma: Any, beta: Any, mean: Any, variance: Any, *, training: bool
    ) -> Any:
        """Apply `BatchNorm`."""
        layer = nn.BatchNorm(gamma.size, EPSILON, MOMENTUM)
        assign(layer, weight=gamma, bias=beta, running_mean=mean, running_var=variance)
        outputs = layer.train(training)(inputs)
        return outputs, layer.running_mean, layer.running_var

    def dropout(self, inputs: mx.array, rate: float, seed: int) -> mx.array:
        """Apply `Dropout`."""
        mx.random.seed(seed)
        return nn.Dropout(rate)(inputs)

    def lstm_cell(self, inputs: Any, hidden: Any, carry: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        """Run the layer for one step."""
        every, carries = self._lstm(kernel, recurrent_kernel, bias)(inputs[:, None], hidden, carry)
        return every[:, 0], carries[:, 0]

    def lstm(self, inputs: Any, state: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        """Run the layer, which returns every carry."""
        return self._lstm(kernel, recurrent_kernel, bias)(inputs, state, state)

    def _lstm(self, kernel: mx.array, recurrent_kernel: mx.array, bias: mx.array) -> nn.LSTM:
        layer = nn.LSTM(len(kernel), len(recurrent_kernel))
        return assign(layer, Wx=kernel.transpose(DENSE), Wh=recurrent_kernel.transpose(DENSE), bias=bias)

    def sample(self, probabilities: mx.array, seed: int) -> mx.array:
        """Draw given the logarithms of the probabilities."""
        return mx.random.categorical(mx.log(probabilities), key=mx.random.key(seed))

    def one_hot(self, labels: mx.array, depth: int) -> mx.array:
        """Compare: MLX has no function for it."""
        return (labels[..., None] == mx.arange(depth)).astype(mx.float32)

    def categorical_crossentropy(self, targets: mx.array, probabilities: mx.array) -> mx.array:
        """Compute it explicitly, as MLX only takes logits: 0 times the logarithm of 0 is 0."""
        logarithms = mx.log(mx.where(targets == 0, 1, probabilities))
        return -(targets * logarithms).sum(-1)

    def sparse_categorical_crossentropy(self, labels: mx.array, probabilities: mx.array) -> mx.array:
        """Compute it explicitly, as MLX only takes logits."""
        return -mx.log(mx.take_along_axis(probabilities, labels[:, None], 1)[:, 0])

    def crossentropy_of_logits(self, labels: mx.array, logits: mx.array) -> mx.array:
        """Apply `cross_entropy`."""
        return nn.losses.cross_entropy(logits, labels, reduction="mean")

    def mean_squared_error(self, targets: mx.array, predictions: mx.array) -> mx.array:
        """Apply `mse_loss`."""
        return nn.losses.mse_loss(predictions, targets, reduction="mean")

    def make_optimizer(self, kind: Literal["sgd", "adam"], learning_rate: float) -> Optimizer:
        """Create an optimizer of MLX."""
        return Optimizer(optimizers.SGD(learning_rate) if kind == "sgd" else adam(learning_rate))

    def adam_step(self, parameter: Any, gradient: Any, first: Any, second: Any, step: int, learning_rate: float) -> Any:
        """Take a step of MLX's Adam from these moments."""
        optimizer = adam(learning_rate)
        optimizer.init({"one": parameter})
        optimizer.state["one"] = {"m": first, "v": second}
        optimizer.state["step"] = mx.array(step - 1, mx.uint64)
        moved = optimizer.apply_gradients({"one": gradient}, {"one": parameter})["one"]
        gathered = optimizer.state["one"]
        return moved, gathered["m"], gathered["v"]

    def glorot_uniform(self, shape: tuple[int, ...], seed: int) -> mx.array:
        """Draw with the initializer, which expects a convolution's kernel in MLX's layout."""
        mx.random.seed(seed)
        axes = DENSE if len(shape) == len(DENSE) else CONVOLUTION
        drawn = nn.init.glorot_uniform()(mx.zeros([shape[axis] for axis in axes]))
        return drawn.transpose([int(axis) for axis in np.argsort(axes)])

    def orthogonal(self, shape: tuple[int, int], seed: int) -> mx.array:
        """Draw with the initializer."""
        mx.random.seed(seed)
        return nn.init.orthogonal()(mx.zeros(shape))

    def zeros(self, shape: tuple[int, ...]) -> mx.array:
        """Create zeros with the initializer."""
        return nn.init.constant(0.0)(mx.zeros(shape))
