"""A custom layer, loss and metric, without the weaknesses of the document's (lines 840 to 914)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class LinearLayer(tf.keras.layers.Layer):
    """A matrix product and a bias: [..., features] to [..., units], like Dense."""

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **options: Any,
    ) -> None:
        """Check the arguments; variables are created on the first call.

        Raises:
            ValueError: The number of units is not a positive integer.

        """
        super().__init__(**options)
        if not isinstance(units, int) or units < 1:
            msg = f"units must be a positive integer, got {units!r}"
            raise ValueError(msg)
        self.units = units
        self.kernel_initializer = tf.keras.initializers.get(kernel_initializer)
        self.bias_initializer = tf.keras.initializers.get(bias_initializer)
        # Keras checks the inputs against this before each call, and raises a ValueError.
        self.input_spec = tf.keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the variables for the number of features of the first inputs."""
        features = input_shape[-1]
        self.w = self.add_weight(name="w", shape=(features, self.units), initializer=self.kernel_initializer)
        self.b = self.add_weight(name="b", shape=(self.units,), initializer=self.bias_initializer)
        self.input_spec = tf.keras.layers.InputSpec(min_ndim=2, axes={-1: features})
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the products, computed in the layer's dtype."""
        return tf.matmul(tf.cast(inputs, self.compute_dtype), self.w) + self.b

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Replace the last axis by units."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of __init__."""
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": tf.keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": tf.keras.initializers.serialize(self.bias_initializer),
        }


class MeanSquaredError(tf.keras.losses.Loss):
    """The mean squared difference of each example, which the base class weights and reduces."""

    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "mean_squared_error") -> None:
        """Set reduction and name of the loss."""
        super().__init__(reduction=reduction, name=name)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return a value for each example: [batch].

        Raises:
            ValueError: Targets and predictions differ in shape by more than a last axis of 1.

        """
        predictions = _columns(tf.convert_to_tensor(y_pred))
        targets = _columns(tf.cast(y_true, predictions.dtype))
        # Checked before the subtraction, which would broadcast an axis of 1.
        predictions.shape.assert_is_compatible_with(targets.shape)
        return tf.reduce_mean(tf.square(predictions - targets), axis=-1)


def _columns(numbers: tf.Tensor) -> tf.Tensor:
    """Reshape [batch] to a column, [batch, 1]."""
    return numbers[:, tf.newaxis] if numbers.shape.rank == 1 else numbers


def _without_column(numbers: Any, rank: int) -> tf.Tensor:
    """Convert to float64, which is exact for every label; drop a last axis of 1 beyond the rank."""
    in_float64 = tf.cast(numbers, tf.float64)
    return tf.squeeze(in_float64, -1) if in_float64.shape.rank == rank + 1 and in_float64.shape[-1] == 1 else in_float64


class SparseCategoricalAccuracy(tf.keras.metrics.Metric):
    """The weighted share of the examples whose largest prediction is the label."""

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        """Create the variables of the two sums."""
        super().__init__(name=name, dtype=dtype or tf.keras.backend.floatx())
        # float64, since float32 cannot count beyond 2**24, fewer examples than some data sets have.
        self.total = self.add_weight(name="total", shape=(), dtype="float64", initializer="zeros")
        self.count = self.add_weight(name="count", shape=(), dtype="float64", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: [...], or [..., 1]: whole numbers of any type.
            y_pred: [..., classes].
            sample_weight: Weights in the shape of y_true, or one that broadcasts to it; default: 1 for each.

        Raises:
            ValueError: The shapes do not match.

        """
        scores = tf.convert_to_tensor(y_pred)
        rank = scores.shape.rank - 1
        labels = _without_column(y_true, rank)
        # Checked before the comparison, which would broadcast an axis of 1.
        labels.shape.assert_is_compatible_with(scores.shape[:-1])
        right = tf.cast(tf.equal(labels, tf.cast(tf.argmax(scores, axis=-1), tf.float64)), tf.float64)
        weights = tf.broadcast_to(_without_column(1 if sample_weight is None else sample_weight, rank), tf.shape(right))
        self.total.assign_add(tf.reduce_sum(weights))
        self.count.assign_add(tf.reduce_sum(weights * right))

    def result(self) -> tf.Tensor:
        """Return the share, or 0 before the first example."""
        return tf.cast(tf.math.divide_no_nan(self.count, self.total), self.dtype)
