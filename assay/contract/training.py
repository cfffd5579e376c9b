"""The group `training`: whole trainings of networks on images."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from assay.contract.arrays import Array, Parameters
from assay.contract.models import ModelName


class Trained(NamedTuple):
    """A model after training.

    Attributes:
        losses: [num_batches], the loss of each batch before its step.
        parameters: Parameters after the last step.

    """

    losses: Array
    parameters: Parameters


class Training(Protocol):
    """Whole training runs on real data."""

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
        """Build a model and train it on batches drawn with replacement, with the steps of `models.train`.

        Args:
            model: `mlp` or `cnn`.
            images: [examples, 28, 28, 1].
            labels: Int32 [examples].
            num_batches: Number of steps.
            batch_size: Number of examples in a step.
            learning_rate: Learning rate of the optimizer.
            seed: Seed of the initial parameters, which depend on nothing else, and of the batches.

        """

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Return the accuracy over all examples, accumulated batch by batch."""
