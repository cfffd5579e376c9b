"""Seeds that nothing outlives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed what is drawn inside, and leave TensorFlow without a seed."""
    # Only Keras 3 has this function, and no `tf.keras` before Keras 3.1 has a `__version__`.
    if not hasattr(tf.keras, "version"):
        with _seeded_with_tensorflow(seed):
            yield
        return
    # Keras 3 takes every seed of its own from here. TensorFlow's, which it does not use, could be set only by throwing
    # away all kernels that were made so far.
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def _seeded_with_tensorflow(seed: int) -> Iterator[None]:
    tf.keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        tf.random.set_seed(None)
