"""Keras itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from assay.contract import Array


class Keras:
    """See `assay.contract.Keras`."""

    namespace = tf.keras

    def to_tensor(self, array: Array) -> tf.Tensor:
        """Make a constant."""
        return tf.constant(array)

    def to_numpy(self, tensor: Any) -> Array:
        """Read the numbers."""
        return tensor.numpy()
