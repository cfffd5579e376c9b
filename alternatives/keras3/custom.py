"""A custom layer, loss and metric, and a pipeline of data, with Keras alone."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from assay.alternatives.keras3.backend import every_width

if TYPE_CHECKING:
    from assay.contract import Array


class LinearLayer(keras.Layer):
    """A matrix product and a bias: [..., features] to [..., units], like Dense."""

    def __init__(
        self, units: int, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", **options: Any
    ) -> None:
        """Check the arguments; variables are created on the first call.

        Raises:
            ValueError: The number of units is not a positive integer.

        """
        super().__init__(**options)
        if not isinstance(units, int) or units < 1:
            msg = f"a layer cannot have {units!r} units"
            raise ValueError(msg)
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.input_spec = keras.InputSpec(min_ndim=2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the variables, and require this number of features from now on."""
        features = input_shape[-1]
        self.w = self.add_weight((features, self.units), self.kernel_initializer, name="w")
        self.b = self.add_weight((self.units,), self.bias_initializer, name="b")
        self.input_spec = keras.InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        """Return the products, computed in the layer's dtype."""
        return keras.ops.matmul(keras.ops.cast(inputs, self.compute_dtype), self.w) + self.b

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Replace the last axis by units."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of __init__."""
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


class MeanSquaredError(keras.losses.Loss):
    """The mean squared difference of each example, which the base class weights and reduces."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return a value for each example.

        Raises:
            ValueError: Targets and predictions differ in shape by more than a last axis of 1.

        """
        predictions = keras.ops.convert_to_tensor(y_pred)
        targets = keras.ops.cast(y_true, predictions.dtype)
        targets, predictions = (one[:, None] if one.ndim == 1 else one for one in (targets, predictions))
        _same_shape("targets", targets.shape, predictions.shape)
        return keras.ops.mean(keras.ops.square(predictions - targets), axis=-1)


class SparseCategoricalAccuracy(keras.metrics.Metric):
    """The weighted share of the examples whose largest prediction is the label."""

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        """Create the two sums, each with a compensation, as float32 alone cannot count beyond 2**24."""
        super().__init__(name=name, dtype=dtype)
        self.right, self.every = (self.add_weight((2,), "zeros", "float32", name=name) for name in ("right", "every"))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: [...] or [..., 1], whole numbers of any type.
            y_pred: [..., classes].
            sample_weight: Weights in the shape of y_true, or one that broadcasts to it (default: 1 for each).

        Raises:
            ValueError: The shapes do not match.

        """
        largest = keras.ops.argmax(y_pred, axis=-1)
        labels = keras.ops.cast(_without_column(y_true, largest.ndim), largest.dtype)
        _same_shape("labels", labels.shape, largest.shape)
        weights = _without_column(1.0 if sample_weight is None else sample_weight, largest.ndim)
        weights = keras.ops.broadcast_to(keras.ops.cast(weights, "float32"), largest.shape)
        _add(self.every, keras.ops.sum(weights))
        _add(self.right, keras.ops.sum(keras.ops.where(keras.ops.equal(labels, largest), weights, 0.0)))

    def result(self) -> Any:
        """Return the share, or 0 before the first example."""
        return keras.ops.cast(keras.ops.divide_no_nan(self.right[0], self.every[0]), self.dtype)


class Batches(keras.utils.PyDataset):
    """Arrays in batches, in order."""

    def __init__(self, inputs: Array, targets: Array, batch_size: int) -> None:
        """Copy the arrays, which the caller may change."""
        super().__init__()
        self.arrays = inputs.copy(), targets.copy()
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Return the number of batches, including a smaller last one."""
        return math.ceil(len(self.arrays[0]) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Array, ...]:
        """Return a batch."""
        batch = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return tuple(array[batch] for array in self.arrays)


class InvalidArgumentError(ValueError):
    """Raised if the operands of an operation do not match."""


class Operations:
    """The operations of Keras under TensorFlow's names, and as strict: no implicit conversion."""

    InvalidArgumentError = InvalidArgumentError
    cast = staticmethod(keras.ops.cast)
    reduce_mean = staticmethod(keras.ops.mean)
    reduce_sum = staticmethod(keras.ops.sum)
    shape = staticmethod(keras.ops.shape)
    square = staticmethod(keras.ops.square)

    @staticmethod
    def argmax(values: Any, axis: int, output_type: str = "int64") -> Any:
        """Return the indices of the largest values."""
        # Only on request, since JAX creates no 64-bit numbers in a graph.
        with every_width() if output_type == "int64" else nullcontext():
            return keras.ops.cast(keras.ops.argmax(values, axis), output_type)

    @staticmethod
    def equal(x: Any, y: Any) -> Any:
        """Compare element by element.

        Raises:
            InvalidArgumentError: The operands differ in dtype, or their shapes do not broadcast.

        """
        _one_type(x, y)
        try:
            np.broadcast_shapes(tuple(x.shape), tuple(y.shape))
        except ValueError as error:
            raise InvalidArgumentError(*error.args) from None
        return keras.ops.equal(x, y)

    @staticmethod
    def matmul(x: Any, y: Any) -> Any:
        """Multiply matrices.

        Raises:
            InvalidArgumentError: The operands differ in dtype, or their inner dimensions differ.

        """
        _one_type(x, y)
        if x.shape[-1] != y.shape[-2]:
            msg = f"shapes {tuple(x.shape)} and {tuple(y.shape)} cannot be multiplied"
            raise InvalidArgumentError(msg)
        return keras.ops.matmul(x, y)


def _one_type(x: Any, y: Any) -> None:
    types = [keras.backend.standardize_dtype(one.dtype) for one in (x, y)]
    if types[0] != types[1]:
        msg = f"one operand has type {types[0]} and the other {types[1]}"
        raise InvalidArgumentError(msg)


def _same_shape(what: str, found: tuple[int | None, ...], expected: tuple[int | None, ...]) -> None:
    """Check shapes before an operation that would broadcast an axis of 1.

    Raises:
        ValueError: The shapes differ.

    """
    if tuple(found) != tuple(expected):
        msg = f"the {what} have shape {tuple(found)}, expected {tuple(expected)}"
        raise ValueError(msg)


def _without_column(numbers: Any, rank: int) -> Any:
    """Drop a last axis of 1 beyond the rank."""
    numbers = keras.ops.convert_to_tensor(numbers)
    return keras.ops.squeeze(numbers, -1) if numbers.ndim == rank + 1 and numbers.shape[-1] == 1 else numbers


def _add(pair: keras.Variable, number: Any) -> None:
    """Add to a sum, with compensation of the rounding error: Kahan's algorithm (1965)."""
    total, lost = pair[0], pair[1]
    added = number - lost
    after = total + added
    pair.assign(keras.ops.stack([after, (after - total) - added]))
