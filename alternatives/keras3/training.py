"""The data loader, and whole training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from assay.alternatives.keras3.backend import to_array, to_tensor
from assay.alternatives.keras3.models import initial_parameters, load_trainer
from assay.contract import Trained

if TYPE_CHECKING:
    from assay.contract import Array, ModelName, Parameters


class Datasets:
    """See `assay.contract.Datasets`."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Scale, add the channel axis, convert the labels."""
        scaled = keras.ops.cast(to_tensor(images), "float32") / 255
        return to_array(keras.ops.expand_dims(scaled, -1)), to_array(keras.ops.cast(to_tensor(labels), "int32"))

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw indices with replacement."""
        index = draw_indices(len(images), (batch_size,), seed)
        return images[index], labels[index]


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
        """Draw the indices of all batches in advance, and take a step with each."""
        trainer = load_trainer(model, initial_parameters(model, seed), learning_rate)
        indices = draw_indices(len(images), (num_batches, batch_size), seed)
        losses = trainer.train((images[index], labels[index]) for index in indices)
        return Trained(losses, trainer.parameters())

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Update one metric with the predictions for every batch."""
        trainer, metric = load_trainer(model, parameters), keras.metrics.SparseCategoricalAccuracy()
        for start in range(0, len(images), batch_size):
            batch = slice(start, start + batch_size)
            metric.update_state(labels[batch], trainer.model.predict_on_batch(images[batch]))
        return float(metric.result())


def draw_indices(count: int, shape: tuple[int, ...], seed: int) -> Array:
    """Draw uniform whole numbers below a count."""
    return to_array(keras.random.randint(shape, 0, count, seed=seed))
