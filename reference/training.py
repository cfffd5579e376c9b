"""Whole training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from assay.contract import Trained
from assay.reference.models import begun, trainer

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
        """Draw the indices of all batches ahead, and run the whole training as one compiled loop."""
        one = begun(model, images.shape[1:], learning_rate, seed)
        indices = np.random.default_rng(seed).integers(0, len(images), (num_batches, batch_size), np.int32)
        losses = one.train_from(tf.constant(images), tf.constant(labels), tf.constant(indices))
        return Trained(losses.numpy(), one.parameters())

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Put the parameters into the model, and look at what it says of every batch."""
        one = trainer(model, images.shape[1:])
        one.assign(parameters)
        return evaluated(one, images, labels, batch_size)[1]


def evaluated(one: Trainer, images: Array, labels: Array, batch_size: int) -> tuple[Array, float]:
    """Return the probabilities of every image, and the accuracy: one metric over all batches (lines 253 to 259)."""
    metric = tf.keras.metrics.SparseCategoricalAccuracy()
    probabilities = one.predict_in_batches(tf.constant(images), tf.constant(batch_size))
    metric.update_state(y_true=labels, y_pred=probabilities)
    return probabilities.numpy(), float(metric.result())
