"""The data loader, and whole training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from assay.alternatives.torch.device import to_array, to_tensor, use_seed
from assay.alternatives.torch.models import load_network, new, parameters_of
from assay.alternatives.torch.ops import number_correct
from assay.contract import Trained

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.alternatives.torch.models import Trainer
    from assay.contract import Array, ModelName, Parameters


class Datasets:
    """See `assay.contract.Datasets`."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Scale, add the channel axis, convert the labels."""
        return to_array((to_tensor(images).float() / 255).unsqueeze(-1)), to_array(to_tensor(labels).int())

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw indices with replacement."""
        with use_seed(seed):
            index = torch.randint(len(images), (batch_size,))
        return to_array(to_tensor(images)[index]), to_array(to_tensor(labels)[index])


class Training:
    """See `assay.contract.Training`."""

    def __init__(self, trainer: Callable[..., Trainer]) -> None:
        """Store the function that creates a network's trainer."""
        self.trainer = trainer

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
        network = new(model, seed)
        with use_seed(seed):
            indices = torch.randint(len(images), (num_batches, batch_size))
        inputs, targets = to_tensor(images), to_tensor(labels)
        batches = ((inputs[index], targets[index]) for index in indices)
        losses = self.trainer(model, network, learning_rate).train(batches)
        return Trained(losses, parameters_of(network))

    @torch.no_grad()
    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Count the network's correct predictions over all batches."""
        outputs = self.trainer(model, load_network(model, parameters)).outputs
        batches = zip(to_tensor(images).split(batch_size), to_tensor(labels).split(batch_size), strict=True)
        return sum(number_correct(targets, outputs(inputs)) for inputs, targets in batches) / len(images)
