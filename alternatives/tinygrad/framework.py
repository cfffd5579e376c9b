"""The operations of tinygrad, on its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from tinygrad import Tensor as TinyTensor
from tinygrad import dtypes, nn
from tinygrad.helpers import Context

from assay.contract import Array, Padding, Pair
from assay.kit.framework import Framework, ScalarFunction, Tensor, Tensors
from assay.kit.padding import pad_image_widths

# tinygrad's momentum weights the batch, the contract's the past.
MOMENTUM, EPSILON = 1 - 0.99, 0.001
ADAM = {"b1": 0.9, "b2": 0.999, "eps": 1e-7}
# tinygrad stores a convolution's kernel as [filters, channels, height, width], and a cell's as [gates, inputs].
CONVOLUTION, CELL = (3, 2, 0, 1), (1, 0)
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def pad(images: Tensor, window: Pair, strides: Pair, padding: Padding, value: float = 0.0) -> Tensor:
    """Add the padding of `same`, and put the channels first."""
    rows, columns = pad_image_widths(images.shape[1:3], window, strides, padding)
    return images.permute(FIRST).pad((None, None, rows, columns), value=value)


class Optimizer:
    """An optimizer of tinygrad, which updates its own parameters."""

    def __init__(self, make: Any) -> None:
        """Store the function that creates an optimizer of parameters."""
        self.make = make
        self.optimizer: Any = None
        self.variables: dict[str, Tensor] = {}

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Take a step."""
        if self.optimizer is None:
            self.variables = {name: value.detach().clone().realize() for name, value in values.items()}
            self.optimizer = self.make([*self.variables.values()])
        for name, variable in self.variables.items():
            variable.assign(values[name].detach()).realize()
            variable.grad = gradients[name]
        with Context(TRAINING=1):
            self.optimizer.step()
        return {name: variable.detach().clone().realize() for name, variable in self.variables.items()}


class Tinygrad(Framework):
    """See `assay.kit.framework.Framework`."""

    def to_tensor(self, array: Array) -> Tensor:
        """Copy an array."""
        return TinyTensor(np.array(array, order="C")).realize()

    def to_array(self, tensor: Tensor) -> Array:
        """Copy the tensor to an array."""
        return np.array(tensor.numpy())

    def stack(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
        """Apply `stack`."""
        return TinyTensor.stack(*tensors, dim=axis)

    def value_and_gradients(self, function: ScalarFunction, values: Tensors, *batch: Tensor) -> tuple[Tensor, Tensors]:
        """Differentiate with tinygrad, and evaluate everything at once."""
        variables = {name: value.detach() for name, value in values.items()}
        value = function(variables, *batch)
        gradients = value.gradient(*variables.values())
        TinyTensor.realize(value, *gradients)
        return value, dict(zip(variables, gradients, strict=True))

    def relu(self, inputs: Tensor) -> Tensor:
        """Apply `relu`."""
        return inputs.relu()

    def tanh(self, inputs: Tensor) -> Tensor:
        """Apply `tanh`."""
        return inputs.tanh()

    def sigmoid(self, inputs: Tensor) -> Tensor:
        """Apply `sigmoid`."""
        return inputs.sigmoid()

    def softmax(self, logits: Tensor) -> Tensor:
        """Apply `softmax`."""
        return logits.softmax()

    def dense(self, inputs: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Apply `linear`."""
        return inputs.linear(kernel, bias)

    def conv2d(self, images: Tensor, kernel: Tensor, bias: Tensor | None, strides: Pair, padding: Padding) -> Tensor:
        """Apply `conv2d`."""
        padded = pad(images, kernel.shape[:2], strides, padding)
        return padded.conv2d(kernel.permute(CONVOLUTION), bias, stride=strides).permute(LAST)

    def max_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Apply `max_pool2d`."""
        return pad(images, window, strides, padding, -np.inf).max_pool2d(window, strides).permute(LAST)

    def average_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Apply `avg_pool2d`, which includes the zeros."""
        return pad(images, window, strides, padding).avg_pool2d(window, strides).permute(LAST)

    def batch_normalization(
        self, inputs: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Apply `BatchNorm`."""
        layer = nn.BatchNorm(gamma.shape[0], EPSILON, momentum=MOMENTUM)
        layer.weight, layer.bias = gamma, beta
        layer.running_mean, layer.running_var = mean.clone(), variance.clone()
        is_image = inputs.ndim == len(FIRST)
        with Context(TRAINING=int(training)):
            outputs = layer(inputs.permute(FIRST) if is_image else inputs)
        return outputs.permute(LAST) if is_image else outputs, layer.running_mean, layer.running_var

    def dropout(self, inputs: Tensor, rate: float, seed: int) -> Tensor:
        """Apply `dropout`."""
        TinyTensor.manual_seed(seed)
        with Context(TRAINING=1):
            return inputs.dropout(rate).realize()

    def lstm_cell(
        self, inputs: Tensor, hidden: Tensor, carry: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Apply `LSTMCell`, whose gates are in the contract's order, without its second bias."""
        cell = nn.LSTMCell(kernel.shape[0], recurrent_kernel.shape[0], bias=False)
        cell.weight_ih, cell.weight_hh = kernel.permute(CELL), recurrent_kernel.permute(CELL)
        cell.bias_ih = bias
        return cell(inputs, (hidden, carry))

    def sample(self, probabilities: Tensor, seed: int) -> Tensor:
        """Draw by `multinomial`."""
        TinyTensor.manual_seed(seed)
        return probabilities.multinomial()[:, 0]

    def one_hot(self, labels: Tensor, depth: int) -> Tensor:
        """Apply `one_hot`."""
        return labels.one_hot(depth).cast(dtypes.float32)

    def categorical_crossentropy(self, targets: Tensor, probabilities: Tensor) -> Tensor:
        """Compute it explicitly: 0 times the logarithm of 0 is 0."""
        return -(targets * (targets == 0).where(1, probabilities).log()).sum(-1)

    def sparse_categorical_crossentropy(self, labels: Tensor, probabilities: Tensor) -> Tensor:
        """Take the logarithm of the label's probability."""
        return -probabilities.gather(1, labels.unsqueeze(1)).log()[:, 0]

    def crossentropy_of_logits(self, labels: Tensor, logits: Tensor) -> Tensor:
        """Apply `sparse_categorical_crossentropy`, which takes logits."""
        return logits.sparse_categorical_crossentropy(labels)

    def mean_squared_error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Compute it explicitly, as tinygrad has no loss for it."""
        return (predictions - targets).square().mean()

    def make_optimizer(self, kind: Literal["sgd", "adam"], learning_rate: float) -> Optimizer:
        """Create an optimizer of tinygrad."""
        if kind == "sgd":
            return Optimizer(lambda parameters: nn.optim.SGD(parameters, learning_rate))
        return Optimizer(lambda parameters: nn.optim.Adam(parameters, learning_rate, **ADAM))

    def adam_step(
        self, parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: int, learning_rate: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take a step of tinygrad's Adam from these moments."""
        found: list[Any] = []

        def make(parameters: list[Tensor]) -> Any:
            optimizer = nn.optim.Adam(parameters, learning_rate, **ADAM)
            optimizer.m[0].assign(first).realize()
            optimizer.v[0].assign(second).realize()
            for power, beta in ((optimizer.b1_t, ADAM["b1"]), (optimizer.b2_t, ADAM["b2"])):
                power.assign(power * beta ** (step - 1)).realize()
            found.append(optimizer)
            return optimizer

        moved = Optimizer(make).step({"one": parameter}, {"one": gradient})["one"]
        return moved, found[0].m[0], found[0].v[0]

    def glorot_uniform(self, shape: tuple[int, ...], seed: int) -> Tensor:
        """Draw with the initializer; for a convolution explicitly, as the initializer's limit differs."""
        TinyTensor.manual_seed(seed)
        if len(shape) == len(CELL):
            return TinyTensor.glorot_uniform(*shape)
        *window, channels, filters = shape
        limit = (6 / (float(np.prod(window)) * (channels + filters))) ** 0.5
        return TinyTensor.uniform(*shape, low=-limit, high=limit)

    def orthogonal(self, shape: tuple[int, int], seed: int) -> Tensor:
        """Draw orthogonal rows with NumPy, as tinygrad has no such initializer."""
        q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal(shape[::-1]))
        return TinyTensor((q * np.sign(np.diag(r))).T.astype(np.float32))

    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Create zeros."""
        return TinyTensor.zeros(*shape)
