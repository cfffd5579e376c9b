"""Keras itself, and the custom layer, loss and metric."""

from __future__ import annotations

import keras

from assay.alternatives.keras3 import custom
from assay.alternatives.keras3.backend import to_array, to_tensor


class Keras:
    """See `assay.contract.Keras`."""

    namespace = keras
    operations = custom.Operations
    linear_layer = custom.LinearLayer
    mean_squared_error = custom.MeanSquaredError
    sparse_categorical_accuracy = custom.SparseCategoricalAccuracy
    dataset = custom.Batches
    to_tensor = staticmethod(to_tensor)
    to_numpy = staticmethod(to_array)
