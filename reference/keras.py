"""Keras itself, and the custom layer, loss and metric."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from assay.reference.custom import LinearLayer, MeanSquaredError, SparseCategoricalAccuracy

if TYPE_CHECKING:
    from assay.contract import Array


class Keras:
    """See `assay.contract.Keras`."""

    namespace = tf.keras
    operations = SimpleNamespace(
        argmax=tf.argmax,
        cast=tf.cast,
        equal=tf.equal,
        matmul=tf.matmul,
        reduce_mean=tf.reduce_mean,
        reduce_sum=tf.reduce_sum,
        shape=tf.shape,
        square=tf.square,
        InvalidArgumentError=tf.errors.InvalidArgumentError,
    )

    def to_tensor(self, array: Array) -> tf.Tensor:
        """Create a constant."""
        return tf.constant(array)

    def to_numpy(self, tensor: Any) -> Array:
        """Convert to a NumPy array."""
        return tensor.numpy()

    def linear_layer(self, units: int, **options: Any) -> LinearLayer:
        """Create a layer."""
        return LinearLayer(units, **options)

    def mean_squared_error(self, **options: Any) -> MeanSquaredError:
        """Create a loss."""
        return MeanSquaredError(**options)

    def sparse_categorical_accuracy(self, **options: Any) -> SparseCategoricalAccuracy:
        """Create a metric."""
        return SparseCategoricalAccuracy(**options)

    def dataset(self, inputs: Array, targets: Array, batch_size: int) -> tf.data.Dataset:
        """Slice the arrays into batches."""
        return tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(batch_size)
