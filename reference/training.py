"""Whole training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from assay.contract import Trained
from assay.reference.models import get_trainer, start_training

if TYPE_CHECKING:
    from assay.contract import Array, ModelName, Parameters
    from assay.reference.models import Trainer


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
        """Draw the indices of all batches in advance, and run the whole training as one compiled loop."""
        trainer = start_training(model, images.shape[1:], learning_rate, seed)
        indices = np.random.default_rng(seed).integers(0, len(images), (num_batches, batch_size), np.int32)
        losses = trainer.train_from(tf.constant(images), tf.constant(labels), tf.constant(indices))
        return Trained(losses.numpy(), trainer.parameters())

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Load the parameters into the model, and evaluate every batch."""
        trainer = get_trainer(model, images.shape[1:])
        trainer.assign(parameters)
        return predict_and_score(trainer, images, labels, batch_size)[1]


def predict_and_score(trainer: Trainer, images: Array, labels: Array, batch_size: int) -> tuple[Array, float]:
    """Return the probabilities of every image, and the accuracy: one metric over all batches (lines 253 to 259)."""
    metric = tf.keras.metrics.SparseCategoricalAccuracy()
    probabilities = trainer.predict_in_batches(tf.constant(images), tf.constant(batch_size))
    metric.update_state(y_true=labels, y_pred=probabilities)
    return probabilities.numpy(), float(metric.result())
