"""Whole training runs."""

from __future__ import annotations

import jax
import numpy as np

from alternatives.jax.losses import number_right
from alternatives.jax.models import MODELS, descend, initial, outputs
from assay.contract import Array, ModelName, Parameters, Trained


class Training:
    """See `assay.contract.Training`."""

    def fit(
        self,
        model: ModelName,
        images: Array,
        labels: Array,
        *,
        num_batches: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Let JAX draw the parameters, and NumPy the places of every batch."""
        places = np.random.default_rng(seed).integers(0, len(images), (num_batches, batch_size))
        batches = ((images[some], labels[some]) for some in places)
        return Trained(
            *descend(model, initial(MODELS[model].initializers, jax.random.key(seed)), batches, learning_rate)
        )

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Count what is right."""
        right = 0
        for start in range(0, len(images), batch_size):
            batch = slice(start, start + batch_size)
            right += int(number_right(labels[batch], outputs(model, parameters, images[batch])["softmax"]))
        return right / len(images)
