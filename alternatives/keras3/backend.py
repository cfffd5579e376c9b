"""The backend of Keras, and conversion of arrays."""

from __future__ import annotations

from importlib import import_module

import keras

from assay.contract import Array

_chosen = import_module(f"assay.alternatives.keras3.on_{keras.config.backend()}")
compile_function, record = _chosen.compile_function, _chosen.record
every_width, value_and_gradients = _chosen.every_width, _chosen.value_and_gradients


def to_tensor(array: Array) -> keras.KerasTensor:
    """Copy an array to a tensor of its dtype: on PyTorch and JAX the tensor would share the array's memory."""
    with every_width():
        return keras.ops.convert_to_tensor(array.copy())


def to_array(tensor: keras.KerasTensor) -> Array:
    """Copy a tensor or a variable to NumPy."""
    return keras.ops.convert_to_numpy(tensor).copy()
