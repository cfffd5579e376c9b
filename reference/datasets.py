"""The data loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from assay.contract import Array


class Datasets:
    """See `assay.contract.Datasets`."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Scale, add the channel axis, convert the labels."""
        return np.expand_dims(images.astype(np.float32) / 255.0, axis=-1), labels.astype(np.int32)

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw indices with replacement."""
        index = np.random.default_rng(seed).integers(0, len(images), batch_size)
        return images[index], labels[index]
