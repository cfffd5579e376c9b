"""What the document's data loader does."""

from __future__ import annotations

import numpy as np

from spec.semantics.layers import Array


def preprocess(images: Array, labels: Array) -> tuple[Array, Array]:
    """Scale to [0, 1], append the channel axis, make the labels int32 (lines 139 to 143).

    Args:
        images: uint8 [examples, height, width].
        labels: uint8 [examples].

    Returns:
        float64 [examples, height, width, 1] and int32 [examples].

    """
    return np.expand_dims(images.astype(np.float64) / 255.0, axis=-1), labels.astype(np.int32)
