"""The group `flowers`: the program that trains a predefined network on photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from assay.contract.arrays import Array, Pair


class FlowersInfo(NamedTuple):
    """Facts about tf_flowers without its images.

    Attributes:
        class_names: Names in the order of their labels.
        num_examples: Number of examples of the only split, `train`; None for the mock.

    """

    class_names: Sequence[str]
    num_examples: int | None


class Flowers(Protocol):
    """The data set tf_flowers of TensorFlow Datasets, and the pipeline from images of any size to batches.

    With `mock` the library makes up images and labels of the correct form, without a network. The code that reads them
    is the same.
    """

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
        """Resize, scale, shuffle and batch.

        Args:
            images: Images of any size, each uint8 [height, width, channels].
            labels: Int32 [examples].
            image_size: Height and width after resizing, which is bilinear between the centres of pixels.
            shuffle_buffer: Size of the buffer from which each next example is drawn; the following example refills it.
            batch_size: Number of examples in a batch; the last batch of an epoch has the remaining ones.
            epochs: Number of passes over the images, each shuffled again.
            seed: Seed of the shuffling.

        Returns:
            Every batch in order: float32 `[batch, *image_size, channels]` between 0 and 1, int32 [batch].

        """

    def info(self, *, mock: bool) -> FlowersInfo:
        """Describe the data set."""

    def examples(self, count: int, *, mock: bool) -> tuple[Sequence[Array], Array]:
        """Return the first images, each uint8 [height, width, 3] in its own size, and their labels, int32 [count]."""

    def batches(
        self, count: int, *, image_size: Pair, shuffle_buffer: int, batch_size: int, seed: int, mock: bool
    ) -> Sequence[tuple[Array, Array]]:
        """Return the first batches of `image_batches` on the whole split."""
