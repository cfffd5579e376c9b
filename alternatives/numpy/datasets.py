"""The data loader."""

from __future__ import annotations

import numpy as np

from assay.contract import Array


class Datasets:
    """See `assay.contract.Datasets`."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Scale, add the channel axis, and convert."""
        return images[..., None].astype(np.float32) / np.float32(255), labels.astype(np.int32)

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw indices with replacement."""
        places = np.random.default_rng(seed).integers(0, len(images), batch_size)
        return images[places], labels[places]
