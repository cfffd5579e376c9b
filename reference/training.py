"""Whole training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from assay.contract import Trained
from reference.models import Models, trainer

if TYPE_CHECKING:
    from assay.contract import Array, ModelName, Parameters


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
        one = trainer(model, images.shape[1:])
        one.load(Models().initial_parameters(model, seed))
        one.optimizer.learning_rate.assign(learning_rate)
        indices = np.random.default_rng(seed).integers(0, len(images), (num_batches, batch_size), np.int32)
        losses = one.train_from(tf.constant(images), tf.constant(labels), tf.constant(indices))
        return Trained(losses.numpy(), one.parameters())

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Update one metric with the predictions of every batch, the last one whatever its size."""
        one = trainer(model, images.shape[1:])
        one.load(parameters)
        metric = tf.keras.metrics.SparseCategoricalAccuracy()
        for start in range(0, len(images), batch_size):
            batch = slice(start, start + batch_size)
            metric.update_state(y_true=labels[batch], y_pred=one.predict(tf.constant(images[batch])))
        return float(metric.result())
