"""Seeding of TensorFlow within a context."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def use_seed(seed: int) -> Iterator[None]:
    """Seed the draws within the context, and leave TensorFlow without a seed afterwards."""
    # Only Keras 3 has this function, and no `tf.keras` before Keras 3.1 has a `__version__`.
    if not hasattr(tf.keras, "version"):
        with _use_tensorflow_seed(seed):
            yield
        return
    # Keras 3 derives all of its own seeds from this one. It does not use TensorFlow's seed, and setting that would
    # discard all cached kernels.
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def _use_tensorflow_seed(seed: int) -> Iterator[None]:
    tf.keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        tf.random.set_seed(None)
