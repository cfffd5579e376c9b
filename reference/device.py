"""Selection of TensorFlow's device."""

from __future__ import annotations

import os

# TensorFlow reads this once, on loading. Most of its notices on start-up do not help the user.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Several processes share the GPU. By default, the first reserves nearly all of its memory.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

import tensorflow as tf


def use(device: str) -> str:
    """Restrict TensorFlow to one device and to full float32, and return the device's name.

    Raises:
        RuntimeError: TensorFlow sees no such device.

    """
    gpus = tf.config.list_physical_devices("GPU")
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return "CPU"
    if not gpus:
        msg = "TensorFlow sees no GPU"
        raise RuntimeError(msg)
    tf.config.set_visible_devices(gpus[:1], "GPU")
    tf.config.experimental.enable_tensor_float_32_execution(enabled=False)
    name: str = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return name
