"""The pipeline of images. The data set itself is left out, as only TensorFlow's packages read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from assay.alternatives.keras3.backend import to_array, to_tensor
from assay.kit.metrics import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.contract import Array, Pair


class Flowers:
    """See `assay.contract.Flowers`."""

    def image_batches(
        self,
        images: Sequence[Array],
        labels: Array,
        *,
        image_size: Pair,
        shuffle_buffer: int,
        batch_size: int,
        epochs: int,
        seed: int,
    ) -> Sequence[tuple[Array, Array]]:
        """Resize with Keras, and shuffle with NumPy."""
        generator = np.random.default_rng(seed)
        resized = np.stack([_resize(image, image_size) for image in images])
        orders = [np.array([*shuffle(len(labels), shuffle_buffer, generator)]) for _ in range(epochs)]
        batches = [order[part] for order in orders for part in split(len(order), batch_size)]
        return [(resized[batch], labels[batch].astype(np.int32)) for batch in batches]


def shuffle(count: int, buffer_size: int, generator: np.random.Generator) -> Iterator[int]:
    """Yield the numbers below `count`: each is drawn from a buffer, and the following number takes its place."""
    buffer = [*range(min(buffer_size, count))]
    for following in range(len(buffer), count):
        place = generator.integers(len(buffer))
        yield buffer[place]
        buffer[place] = following
    yield from generator.permutation(buffer)


def _resize(image: Array, image_size: Pair) -> Array:
    pixels = to_tensor(image.astype(np.float32))
    return to_array(keras.ops.image.resize(pixels, tuple(image_size), data_format="channels_last")) / np.float32(255)
