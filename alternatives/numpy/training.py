"""Whole training runs."""

from __future__ import annotations

import numpy as np

from assay.alternatives.numpy.models import MODELS, descend
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
        """Draw new parameters, then the indices of every batch."""
        generator = np.random.default_rng(seed)
        initial = MODELS[model].initial(generator)
        places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
        batches = ((images[some], labels[some]) for some in places)
        return Trained(*descend(MODELS[model], initial, batches, learning_rate))

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Count correct predictions over all batches."""
        right = 0
        for start in range(0, len(images), batch_size):
            batch = slice(start, start + batch_size)
            probabilities = MODELS[model].outputs(parameters, images[batch])["softmax"]
            right += int((probabilities.argmax(axis=-1) == labels[batch]).sum())
        return right / len(images)
