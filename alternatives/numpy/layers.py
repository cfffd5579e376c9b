"""Layers with their forward and backward passes.

A layer has no state. `forward` takes its variables and its inputs, and returns the outputs and a function. This takes
the gradient of the outputs, and returns a function for the gradient of the inputs, and the gradients of the variables.
The former is computed on demand only, as the first layer of a network does not need it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np

from assay.alternatives.numpy.activations import ACTIVATIONS
from assay.alternatives.numpy.windows import Window
from assay.contract import Activation, Array, Padding, Pair

Variables = Mapping[str, Array]
Backward = Callable[[Array], tuple[Callable[[], Array], Variables]]

# Number of elements of unfolded windows that fit into the cache of a core.
CACHED = 2**20
MOMENTUM = 0.99
EPSILON = 0.001


class Layer(Protocol):
    """A layer of a network."""

    def forward(self, variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Return the outputs, and the function for the backward pass."""


@dataclass(frozen=True)
class Dense:
    """f(inputs @ kernel + bias).

    Attributes:
        activation: Name of the activation; None for the identity.

    """

    activation: Activation | None = None

    def forward(self, variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Multiply and add."""
        kernel, activation = variables["kernel"], ACTIVATIONS[self.activation]
        outputs = activation.function(inputs @ kernel + variables.get("bias", np.float32(0)))

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            sums = upstream * activation.slope(outputs)
            gradients = {"kernel": matrix(inputs).T @ matrix(sums), "bias": matrix(sums).sum(axis=0)}
            return lambda: sums @ kernel.T, gradients

        return outputs, backward


@dataclass(frozen=True)
class Conv2D:
    """A convolution as products of matrices: each window is a row, each filter a column.

    Attributes:
        strides: Strides of the window.
        padding: `valid` or `same`.
        activation: Activation, applied last.

    """

    strides: Pair = (1, 1)
    padding: Padding = "valid"
    activation: Activation | None = None

    def forward(self, variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Unfold the windows to rows, and multiply."""
        kernel, activation = variables["kernel"], ACTIVATIONS[self.activation]
        window = Window(kernel.shape[:2], self.strides, self.padding)
        views = window.cut(window.pad(inputs))
        outputs = activation.function(multiply_windows(views, kernel) + variables.get("bias", np.float32(0)))

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            sums = upstream * activation.slope(outputs)
            # Unfolding the windows again is faster than storing them.
            products = (rows(views[images]).T @ matrix(sums[images]) for images in parts(views))
            to_weights = sum(products, start=np.zeros((), np.float32))

            def to_inputs() -> Array:
                # The gradient of an element sums over the windows with it: a convolution with the flipped kernel.
                around = Window(window.size, strides=(1, 1), padding="valid")
                turned = kernel[::-1, ::-1].swapaxes(2, 3)
                return multiply_windows(around.cut(window.scatter(sums, inputs.shape)), turned)

            return to_inputs, {"kernel": to_weights.reshape(kernel.shape), "bias": matrix(sums).sum(axis=0)}

        return outputs, backward


def multiply_windows(views: Array, kernel: Array) -> Array:
    """Multiply windows [batch, rows, columns, height, width, channels] by a kernel: [batch, rows, columns, filters]."""
    weights = kernel.reshape(-1, kernel.shape[-1])
    products = [rows(views[images]) @ weights for images in parts(views)]
    return np.concatenate(products).reshape(*views.shape[:3], -1)


def rows(views: Array) -> Array:
    """Unfold windows to the rows of a matrix."""
    return views.reshape(-1, math.prod(views.shape[3:]))


def parts(views: Array) -> list[slice]:
    """Split a batch so that the unfolded windows of each part fit into the cache."""
    step = max(1, CACHED // math.prod(views.shape[1:]))
    return [slice(start, start + step) for start in range(0, len(views), step)]


@dataclass(frozen=True)
class MaxPool2D:
    """The largest element of each window.

    Attributes:
        window: Geometry of the window.

    """

    window: Window

    def forward(self, _variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Compare the positions in the window in turn."""
        padded = self.window.pad(inputs, -np.inf)
        outputs = reduce(np.maximum, self.window.shifts(padded))

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            def to_inputs() -> Array:
                result, left = np.zeros_like(padded), np.ones(outputs.shape, bool)
                for to_place, values in zip(self.window.shifts(result), self.window.shifts(padded), strict=True):
                    # If several elements are equally large, the first gets the gradient.
                    chosen = left & (values == outputs)
                    left &= ~chosen
                    np.add(to_place, upstream * chosen, out=to_place)
                return self.window.crop(result, inputs.shape)

            return to_inputs, {}

        return outputs.copy(), backward


@dataclass(frozen=True)
class AveragePool2D:
    """The mean of the image elements in each window.

    Attributes:
        window: Geometry of the window.

    """

    window: Window

    def forward(self, _variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Sum over the positions in the window, and divide by the number of those in the image."""
        padded = self.window.pad(inputs)
        counts = reduce(np.add, self.window.shifts(self.window.pad(np.ones_like(inputs))))
        outputs = reduce(np.add, self.window.shifts(padded)) / counts

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            def to_inputs() -> Array:
                result = np.zeros_like(padded)
                for to_place in self.window.shifts(result):
                    np.add(to_place, upstream / counts, out=to_place)
                return self.window.crop(result, inputs.shape)

            return to_inputs, {}

        return outputs, backward


@dataclass(frozen=True)
class BatchNormalization:
    """gamma (inputs - mean) / sqrt(variance + epsilon) + beta, channel by channel.

    Attributes:
        training: Whether to use mean and variance of the batch instead of the moving ones.

    """

    training: bool

    def forward(self, variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Normalise, scale and shift."""
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = self.statistics(variables, inputs)
        inverse = 1 / np.sqrt(variance + np.float32(EPSILON))
        normal = (inputs - mean) * inverse

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            to_normal = upstream * variables["gamma"]

            def to_inputs() -> Array:
                if not self.training:
                    return to_normal * inverse
                # The batch's mean and variance depend on the inputs too.
                along = normal * (to_normal * normal).mean(axis=axes)
                return (to_normal - to_normal.mean(axis=axes) - along) * inverse

            return to_inputs, {"gamma": (upstream * normal).sum(axis=axes), "beta": upstream.sum(axis=axes)}

        return variables["gamma"] * normal + variables["beta"], backward

    def statistics(self, variables: Variables, inputs: Array) -> tuple[Array, Array]:
        """Return mean and variance of every channel."""
        if not self.training:
            return variables["moving_mean"], variables["moving_variance"]
        axes = tuple(range(inputs.ndim - 1))
        return inputs.mean(axis=axes), inputs.var(axis=axes)

    def update_moving_statistics(self, variables: Variables, inputs: Array) -> tuple[Array, Array]:
        """Return the moving mean and variance after a batch."""
        moving = variables["moving_mean"], variables["moving_variance"]
        pairs = zip(moving, self.statistics(variables, inputs), strict=True)
        mean, variance = (MOMENTUM * old + (1 - MOMENTUM) * new if self.training else old for old, new in pairs)
        return mean, variance


class Flatten:
    """[batch, ...] to [batch, product of the rest]."""

    def forward(self, _variables: Variables, inputs: Array) -> tuple[Array, Backward]:
        """Flatten every example in C order."""

        def backward(upstream: Array) -> tuple[Callable[[], Array], Variables]:
            return lambda: upstream.reshape(inputs.shape), {}

        return inputs.reshape(len(inputs), -1), backward


@dataclass(frozen=True)
class OneHot:
    """Maps numbers to one-hot vectors of the length that the next layer takes."""

    depth: int

    def forward(self, _variables: Variables, inputs: Array) -> tuple[Array, Any]:
        """Compare each number with all classes. The result has no gradient."""
        return (inputs[..., None] == np.arange(self.depth)).astype(np.float32), None


def matrix(values: Array) -> Array:
    """Flatten all axes but the last to rows."""
    return values.reshape(-1, values.shape[-1])
