"""The group `datasets`: images and batches of them."""

from __future__ import annotations

from typing import Protocol

from assay.contract.arrays import Array


class Datasets(Protocol):
    """The document's data loader."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Convert raw images and labels to the inputs and targets of a model.

        Args:
            images: Uint8 [examples, height, width].
            labels: Uint8 [examples].

        Returns:
            float32 [examples, height, width, 1] between 0 and 1, int32 [examples].

        """

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw `batch_size` examples with replacement: [batch_size, ...] and [batch_size]."""
