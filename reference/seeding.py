"""Seeds that nothing outlives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed what is drawn inside, and leave TensorFlow without a seed."""
    tf.keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        # With a seed, Keras 3 puts the examples into the same order in every epoch of `fit`.
        tf.random.set_seed(None)
