"""Single operations, each with PyTorch's own function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from assay.alternatives.torch.device import to_array, to_tensor, use_seed
from assay.alternatives.torch.layers import channels_first, channels_last, kernel_in
from assay.alternatives.torch.optimizers import SGD, Adam

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.contract import Activation, Array, Padding, Pair

ACTIVATIONS = {None: lambda sums: sums, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
# PyTorch's momentum weights the batch, the contract's the past.
MOMENTUM, EPSILON = 1 - 0.99, 0.001


class Ops:
    """See `assay.contract.Ops`."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """Apply `linear`."""
        offsets = None if bias is None else to_tensor(bias)
        return to_array(
            ACTIVATIONS[activation](functional.linear(to_tensor(inputs), kernel_in(to_tensor(kernel)), offsets))
        )

    def relu(self, inputs: Array) -> Array:
        """Apply `relu`."""
        return to_array(torch.relu(to_tensor(inputs)))

    def tanh(self, inputs: Array) -> Array:
        """Apply `tanh`."""
        return to_array(torch.tanh(to_tensor(inputs)))

    def sigmoid(self, inputs: Array) -> Array:
        """Apply `sigmoid`."""
        return to_array(torch.sigmoid(to_tensor(inputs)))

    def softmax(self, logits: Array) -> Array:
        """Apply `softmax`."""
        return to_array(torch.softmax(to_tensor(logits), -1))

    def flatten(self, inputs: Array) -> Array:
        """Apply `flatten`, from the second axis on, of which there is one at least then."""
        return to_array(to_tensor(inputs)[..., None].flatten(1))

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Apply `reshape`."""
        return to_array(to_tensor(inputs).reshape(len(inputs), *target_shape))

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
        """Apply `conv2d`."""
        offsets = None if bias is None else to_tensor(bias)
        sums = _convolve(to_tensor(inputs), to_tensor(kernel), offsets, strides, padding)
        return to_array(ACTIVATIONS[activation](sums))

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Differentiate `conv2d`."""
        return _gradients(
            lambda images, weights, offsets: _convolve(images, weights, offsets, strides, padding),
            upstream,
            inputs,
            kernel,
            bias,
        )

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Apply `max_pool2d`."""
        return to_array(_max_pool(to_tensor(inputs), pool_size, strides, padding))

    def max_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Differentiate `max_pool2d`."""
        return _gradients(lambda images: _max_pool(images, pool_size, strides, padding), upstream, inputs)[0]

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Apply `avg_pool2d`."""
        return to_array(_average_pool(to_tensor(inputs), pool_size, strides, padding))

    def average_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Differentiate `avg_pool2d`."""
        return _gradients(lambda images: _average_pool(images, pool_size, strides, padding), upstream, inputs)[0]

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
        """Apply `batch_norm`, which updates the moving statistics in place."""
        moving = to_tensor(moving_mean), to_tensor(moving_variance)
        outputs = _normalize(to_tensor(inputs), to_tensor(gamma), to_tensor(beta), *moving, training=training)
        return to_array(outputs), to_array(moving[0]), to_array(moving[1])

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
        """Differentiate `batch_norm`."""
        moving = to_tensor(moving_mean), to_tensor(moving_variance)
        return _gradients(
            lambda images, scale, shift: _normalize(images, scale, shift, *moving, training=training),
            upstream,
            inputs,
            gamma,
            beta,
        )

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """Apply `dropout`."""
        with use_seed(seed):
            return to_array(functional.dropout(to_tensor(inputs), rate, training))

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """Compute the step explicitly, as PyTorch's cell has only two activations."""
        weights = to_tensor(kernel), to_tensor(recurrent_kernel)
        return to_array(_simple_rnn_step(to_tensor(inputs), to_tensor(state), *weights, activation))

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Repeat the step over time."""
        weights = to_tensor(kernel), to_tensor(recurrent_kernel)
        state = torch.zeros(len(inputs), len(recurrent_kernel))
        states = []
        for step in to_tensor(inputs).unbind(1):
            state = _simple_rnn_step(step, state, *weights, activation)
            states.append(state)
        return to_array(torch.stack(states, 1))

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """Run an LSTMCell with these parameters."""
        cell = _lstm_cell(kernel, recurrent_kernel, bias)
        hidden, carry = map(to_array, cell(to_tensor(inputs), (to_tensor(hidden), to_tensor(carry))))
        return hidden, carry

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Run an LSTMCell over time, since the layer returns only the last carry."""
        cell = _lstm_cell(kernel, recurrent_kernel, bias)
        states, steps = None, []
        for step in to_tensor(inputs).unbind(1):
            states = cell(step, states)
            steps.append(states)
        hidden, carry = (to_array(torch.stack(kind, 1)) for kind in zip(*steps, strict=True))
        return hidden, carry

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """Divide by the temperature and apply `softmax`."""
        return to_array(torch.softmax(to_tensor(logits) / check_temperature(temperature), -1))

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw with `multinomial`, which takes unnormalised weights."""
        if np.isnan(probabilities).any():
            msg = "there is a NaN among the probabilities"
            raise ValueError(msg)
        with use_seed(seed):
            return to_array(torch.multinomial(to_tensor(probabilities), 1)[:, 0].int())

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Apply `one_hot`."""
        return to_array(functional.one_hot(to_tensor(labels).long(), depth).float())

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """Apply `xlogy`, for which 0 times the logarithm of 0 is 0."""
        return to_array(-torch.special.xlogy(to_tensor(targets), to_tensor(probabilities)).sum(-1))

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """Apply `nll_loss` to logarithms."""
        logarithms = torch.log(to_tensor(probabilities))
        return to_array(functional.nll_loss(logarithms, to_tensor(labels).long(), reduction="none"))

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Apply `mse_loss`."""
        return to_array(functional.mse_loss(to_tensor(predictions), to_tensor(targets)))

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Take a step of the optimizer."""
        variable = _with_gradient(parameter, gradient)
        SGD([variable], learning_rate).step()
        return to_array(variable)

    def adam_step(
        self,
        parameter: Array,
        gradient: Array,
        first_moment: Array,
        second_moment: Array,
        step: int,
        learning_rate: float,
    ) -> tuple[Array, Array, Array]:
        """Take a step of the optimizer from the given moments."""
        variable = _with_gradient(parameter, gradient)
        moments = to_tensor(first_moment), to_tensor(second_moment)
        optimizer = Adam([variable], learning_rate)
        optimizer.state[variable] = {
            "step": torch.tensor(step - 1.0),
            "exp_avg": moments[0],
            "exp_avg_sq": moments[1],
        }
        optimizer.step()
        return to_array(variable), to_array(moments[0]), to_array(moments[1])

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Count correct predictions, as PyTorch has no metrics."""
        correct, count, results = 0, 0, []
        for labels, predictions in batches:
            correct += number_correct(to_tensor(labels), to_tensor(predictions))
            count += len(labels)
            results.append(correct / count)
        return np.array(results, np.float32)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw with `xavier_uniform_`."""
        with use_seed(seed):
            return to_array(nn.init.xavier_uniform_(torch.empty(shape)))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Create zeros."""
        return to_array(torch.zeros(shape))


def check_temperature(temperature: float) -> float:
    """Check a temperature, and return it as float32.

    Raises:
        ValueError: The temperature is not a number above 0 as a float32.

    """
    divisor = float(np.float32(temperature))
    if not 0 < divisor < float("inf"):
        msg = f"the temperature must be a number above 0, got {temperature}"
        raise ValueError(msg)
    return divisor


def number_correct(labels: torch.Tensor, predictions: torch.Tensor) -> int:
    """Count the examples whose largest prediction is at the label."""
    return int((predictions.argmax(-1) == labels).sum())


def _pad(
    images: torch.Tensor, window: Sequence[int], strides: Pair, padding: Padding, value: float = 0.0
) -> torch.Tensor:
    """Return [batch, channels, height, width], padded; PyTorch's `same` supports no strides and pads evenly."""
    images = channels_first(images)
    if padding == "valid":
        return images
    ends = []
    # `pad` takes the last axis first.
    for size, extent, stride in reversed([*zip(images.shape[2:], window, strides, strict=True)]):
        missing = max((-(-size // stride) - 1) * stride + extent - size, 0)
        ends += [missing // 2, missing - missing // 2]
    return functional.pad(images, ends, value=value)


def _convolve(
    images: torch.Tensor,
    kernel: torch.Tensor,
    bias: torch.Tensor | None,
    strides: Pair,
    padding: Padding,
) -> torch.Tensor:
    padded = _pad(images, kernel.shape[:2], strides, padding)
    # One of PyTorch's kernels has no gradient for a view.
    return channels_last(functional.conv2d(padded, kernel_in(kernel).contiguous(), bias, strides))


def _max_pool(images: torch.Tensor, pool_size: Pair, strides: Pair, padding: Padding) -> torch.Tensor:
    padded = _pad(images, pool_size, strides, padding, -torch.inf)
    return channels_last(functional.max_pool2d(padded, pool_size, strides))


def _average_pool(images: torch.Tensor, pool_size: Pair, strides: Pair, padding: Padding) -> torch.Tensor:
    sums, counts = (
        functional.avg_pool2d(_pad(one, pool_size, strides, padding), pool_size, strides, divisor_override=1)
        for one in (images, torch.ones_like(images))
    )
    return channels_last(sums / counts)


def _normalize(
    inputs: torch.Tensor,
    gamma: torch.Tensor,
    beta: torch.Tensor,
    moving_mean: torch.Tensor,
    moving_variance: torch.Tensor,
    *,
    training: bool,
) -> torch.Tensor:
    outputs = functional.batch_norm(
        inputs.movedim(-1, 1), moving_mean, moving_variance, gamma, beta, training, MOMENTUM, EPSILON
    )
    return outputs.movedim(1, -1)


def _simple_rnn_step(
    inputs: torch.Tensor,
    state: torch.Tensor,
    kernel: torch.Tensor,
    recurrent_kernel: torch.Tensor,
    activation: Activation | None,
) -> torch.Tensor:
    return ACTIVATIONS[activation](inputs @ kernel + state @ recurrent_kernel)


def _lstm_cell(kernel: Array, recurrent_kernel: Array, bias: Array) -> nn.LSTMCell:
    """Create a cell with gates in the contract's order and a second bias of 0."""
    cell = nn.LSTMCell(len(kernel), len(recurrent_kernel))
    cell.load_state_dict(
        {
            "weight_ih": kernel_in(to_tensor(kernel)),
            "weight_hh": kernel_in(to_tensor(recurrent_kernel)),
            "bias_ih": to_tensor(bias),
            "bias_hh": torch.zeros(len(bias)),
        }
    )
    return cell


def _with_gradient(parameter: Array, gradient: Array) -> nn.Parameter:
    variable = nn.Parameter(to_tensor(parameter))
    variable.grad = to_tensor(gradient)
    return variable


def _gradients(function: Callable[..., torch.Tensor], upstream: Array, *arguments: Array) -> Any:
    tensors = [to_tensor(argument).requires_grad_() for argument in arguments]
    function(*tensors).backward(to_tensor(upstream))
    gradients: list[Any] = [tensor.grad for tensor in tensors]
    return tuple(map(to_array, gradients))
