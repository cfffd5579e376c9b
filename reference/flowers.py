"""The data set tf_flowers, real or mocked by TensorFlow Datasets, and the pipeline of its images."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from assay.contract import FlowersInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.contract import Array, Pair

NAME = "tf_flowers"
# Enough for several batches of 50.
MOCK_EXAMPLES = 240


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
        """Run the pipeline on given images, once for each epoch."""
        channels = images[0].shape[-1]
        dataset = tf.data.Dataset.from_generator(
            lambda: zip(images, labels, strict=True),
            output_signature=(tf.TensorSpec([None, None, channels], tf.uint8), tf.TensorSpec([], tf.int32)),
        )
        batches = pipeline(dataset, image_size, shuffle_buffer, batch_size, seed)
        return [batch for _ in range(epochs) for batch in arrays(batches)]

    def info(self, *, mock: bool) -> FlowersInfo:
        """Read the builder's information, which has the number of examples after preparation."""
        import tensorflow_datasets as tfds

        with source(mock=mock):
            load()
            info = tfds.builder(NAME).info
        count = None if mock else info.splits["train"].num_examples
        return FlowersInfo(tuple(info.features["label"].names), count)

    def examples(self, count: int, *, mock: bool) -> tuple[Sequence[Array], Array]:
        """Return the first pairs."""
        with source(mock=mock):
            pairs = list(arrays(load().take(count)))
        return [image for image, _ in pairs], np.array([label for _, label in pairs], np.int32)

    def batches(
        self, count: int, *, image_size: Pair, shuffle_buffer: int, batch_size: int, seed: int, mock: bool
    ) -> Sequence[tuple[Array, Array]]:
        """Run the pipeline on the whole split, and return the requested batches."""
        with source(mock=mock):
            return list(arrays(pipeline(load(), image_size, shuffle_buffer, batch_size, seed).take(count)))


def pipeline(
    dataset: tf.data.Dataset, image_size: Pair, shuffle_buffer: int, batch_size: int, seed: int
) -> tf.data.Dataset:
    """Resize, scale, shuffle and batch pairs of image and label (line 376)."""

    def prepare(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.image.resize(image, image_size) / 255.0, tf.cast(label, tf.int32)

    prepared = dataset.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    return prepared.shuffle(shuffle_buffer, seed=seed).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def arrays(batches: tf.data.Dataset) -> Iterator[tuple[Array, Array]]:
    """Yield batches as NumPy arrays."""
    for images, labels in batches:
        yield images.numpy(), labels.numpy()


def load() -> tf.data.Dataset:
    """Return the pairs of image and label (line 375)."""
    import tensorflow_datasets as tfds

    return tfds.load(NAME, split=tfds.Split.TRAIN, as_supervised=True)


def source(*, mock: bool) -> AbstractContextManager[None]:
    """Return a context in which `load` returns the real data set or a mocked one."""
    import tensorflow_datasets as tfds

    return tfds.testing.mock_data(num_examples=MOCK_EXAMPLES) if mock else nullcontext()
