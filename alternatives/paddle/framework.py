"""The operations of PaddlePaddle, on its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional

from assay.contract import Activation, Array, Padding, Pair
from assay.kit.framework import Framework, ScalarFunction, Tensor, Tensors
from assay.kit.padding import pad_image_widths

MOMENTUM, EPSILON = 0.99, 0.001
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}
# PaddlePaddle stores a convolution's kernel as [filters, channels, height, width], and a cell's as [gates, inputs].
CONVOLUTION, CELL = (3, 2, 0, 1), (1, 0)
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def pad(images: Tensor, window: Pair, strides: Pair, padding: Padding, value: float = 0.0) -> Tensor:
    """Add the padding of `same`, and put the channels first."""
    (top, bottom), (left, right) = pad_image_widths(images.shape[1:3], window, strides, padding)
    images = images.transpose(FIRST)
    if not any((top, bottom, left, right)):
        return images
    return functional.pad(images, [left, right, top, bottom], value=value)


def make_variable(tensor: Tensor) -> Tensor:
    """Return a tensor that requires a gradient."""
    variable = tensor.detach()
    variable.stop_gradient = False
    return variable


class Optimizer:
    """An optimizer of PaddlePaddle, which updates its own parameters."""

    def __init__(self, make: Any) -> None:
        """Store the function that creates an optimizer of parameters."""
        self.make = make
        self.optimizer: Any = None
        self.variables: dict[str, Tensor] = {}

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Take a step."""
        if self.optimizer is None:
            self.variables = {name: paddle.create_parameter(one.shape, "float32") for name, one in values.items()}
            self.optimizer = self.make(parameters=[*self.variables.values()])
        for name, variable in self.variables.items():
            variable.set_value(values[name].detach())
            variable.grad = gradients[name]
        self.optimizer.step()
        return {name: variable.detach().clone() for name, variable in self.variables.items()}


class Paddle(Framework):
    """See `assay.kit.framework.Framework`."""

    relu, tanh, sigmoid, softmax = map(
        staticmethod, (functional.relu, paddle.tanh, functional.sigmoid, functional.softmax)
    )

    def to_tensor(self, array: Array) -> Tensor:
        """Copy an array."""
        return paddle.to_tensor(np.array(array, order="C"))

    def to_array(self, tensor: Tensor) -> Array:
        """Copy the tensor to an array."""
        return np.array(tensor.detach().numpy())

    def stack(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
        """Apply `stack`."""
        return paddle.stack(list(tensors), axis)

    def value_and_gradients(self, function: ScalarFunction, values: Tensors, *batch: Tensor) -> tuple[Tensor, Tensors]:
        """Differentiate with PaddlePaddle."""
        variables = {name: make_variable(value) for name, value in values.items()}
        value = function(variables, *batch)
        gradients = paddle.grad(value, [*variables.values()])
        return value.detach(), dict(zip(variables, gradients, strict=True))

    def dense(self, inputs: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Apply `linear`."""
        return functional.linear(inputs, kernel, bias)

    def conv2d(self, images: Tensor, kernel: Tensor, bias: Tensor | None, strides: Pair, padding: Padding) -> Tensor:
        """Apply `conv2d`."""
        padded = pad(images, kernel.shape[:2], strides, padding)
        return functional.conv2d(padded, kernel.transpose(CONVOLUTION), bias, strides).transpose(LAST)

    def max_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Apply `max_pool2d`."""
        return functional.max_pool2d(pad(images, window, strides, padding, -np.inf), window, strides).transpose(LAST)

    def average_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Apply `avg_pool2d`, which includes the zeros."""
        return functional.avg_pool2d(pad(images, window, strides, padding), window, strides).transpose(LAST)

    def batch_normalization(
        self, inputs: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Apply `batch_norm`, which updates the moving statistics in place."""
        moving = mean.clone(), variance.clone()
        layout = "NC" if inputs.ndim == len(CELL) else "NHWC"
        outputs = functional.batch_norm(
            inputs, *moving, gamma, beta, training=training, momentum=MOMENTUM, epsilon=EPSILON, data_format=layout
        )
        return outputs, *moving

    def dropout(self, inputs: Tensor, rate: float, seed: int) -> Tensor:
        """Apply `dropout`."""
        paddle.seed(seed)
        return functional.dropout(inputs, rate)

    def simple_rnn_cell(
        self, inputs: Tensor, state: Tensor, kernel: Tensor, recurrent_kernel: Tensor, activation: Activation | None
    ) -> Tensor:
        """Compute the step explicitly, as PaddlePaddle's cell has only two activations."""
        return self.activate(paddle.matmul(inputs, kernel) + paddle.matmul(state, recurrent_kernel), activation)

    def lstm_cell(
        self, inputs: Tensor, hidden: Tensor, carry: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Apply `LSTMCell` without its second bias."""
        cell = nn.LSTMCell(kernel.shape[0], recurrent_kernel.shape[0], bias_hh_attr=False)
        for name, value in (
            ("weight_ih", kernel.transpose(CELL)),
            ("weight_hh", recurrent_kernel.transpose(CELL)),
            ("bias_ih", bias),
        ):
            # Replaces the cell's own parameter, so that gradients pass through.
            cell._parameters.pop(name)  # noqa: SLF001 - there is no public way
            object.__setattr__(cell, name, value)
        _, after = cell(inputs, (hidden, carry))
        return after[0], after[1]

    def sample(self, probabilities: Tensor, seed: int) -> Tensor:
        """Draw by `multinomial`."""
        paddle.seed(seed)
        return paddle.multinomial(probabilities, 1)[:, 0]

    def one_hot(self, labels: Tensor, depth: int) -> Tensor:
        """Apply `one_hot`."""
        return functional.one_hot(labels.astype("int64"), depth)

    def categorical_crossentropy(self, targets: Tensor, probabilities: Tensor) -> Tensor:
        """Compute it explicitly: 0 times the logarithm of 0 is 0."""
        logarithms = paddle.log(paddle.where(targets == 0, paddle.ones_like(probabilities), probabilities))
        return -(targets * logarithms).sum(-1)

    def sparse_categorical_crossentropy(self, labels: Tensor, probabilities: Tensor) -> Tensor:
        """Apply `nll_loss` to logarithms."""
        return functional.nll_loss(paddle.log(probabilities), labels.astype("int64"), reduction="none")

    def crossentropy_of_logits(self, labels: Tensor, logits: Tensor) -> Tensor:
        """Apply `cross_entropy`."""
        return functional.cross_entropy(logits, labels.astype("int64"))

    def mean_squared_error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Apply `mse_loss`."""
        return functional.mse_loss(predictions, targets)

    def make_optimizer(self, kind: Literal["sgd", "adam"], learning_rate: float) -> Optimizer:
        """Create an optimizer of PaddlePaddle."""
        if kind == "sgd":
            return Optimizer(lambda **parameters: paddle.optimizer.SGD(learning_rate, **parameters))
        return Optimizer(lambda **parameters: paddle.optimizer.Adam(learning_rate, **ADAM, **parameters))

    def adam_step(
        self, parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: int, learning_rate: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Apply the operation that Adam takes its steps by, from these moments."""
        optimizer = self.make_optimizer("adam", learning_rate)
        # The first step creates the state, into which these moments are written.
        optimizer.step({"one": parameter}, {"one": paddle.zeros_like(gradient)})
        state = optimizer.optimizer.state_dict()
        powers = {"beta1_pow": ADAM["beta1"], "beta2_pow": ADAM["beta2"]}
        for name, value in state.items():
            for kind, moment in (("moment1", first), ("moment2", second)):
                if kind in name:
                    value.set_value(moment)
            for kind, beta in powers.items():
                if kind in name:
                    value.set_value(paddle.full(value.shape, beta**step, "float32"))
        moved = optimizer.step({"one": parameter}, {"one": gradient})["one"]
        gathered = {name.split("_moment")[-1][0]: value for name, value in state.items() if "_moment" in name}
        return moved, gathered["1"], gathered["2"]

    def glorot_uniform(self, shape: tuple[int, ...], seed: int) -> Tensor:
        """Draw with the initializer, which expects a convolution's kernel in PaddlePaddle's layout."""
        paddle.seed(seed)
        initializer = nn.initializer.XavierUniform()
        if len(shape) == len(CELL):
            return paddle.create_parameter(list(shape), "float32", default_initializer=initializer)
        kept = [shape[axis] for axis in CONVOLUTION]
        drawn = paddle.create_parameter(kept, "float32", default_initializer=initializer)
        return drawn.transpose([int(axis) for axis in np.argsort(CONVOLUTION)])

    def orthogonal(self, shape: tuple[int, int], seed: int) -> Tensor:
        """Draw with the initializer."""
        paddle.seed(seed)
        return paddle.create_parameter(list(shape), "float32", default_initializer=nn.initializer.Orthogonal())

    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Create zeros."""
        return paddle.zeros(list(shape))
