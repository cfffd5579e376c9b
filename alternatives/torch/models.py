"""The document's models as pure functions of their parameters."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import torch

from assay.alternatives.torch.device import to_array, to_tensor, use_seed
from assay.alternatives.torch.layers import (
    IMAGE_RANK,
    NETWORKS,
    as_network_takes,
    channels_last,
    kernel_in,
    kernel_out,
    trainable,
)
from assay.alternatives.torch.losses import LOSSES
from assay.alternatives.torch.optimizers import SGD, Adam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assay.contract import Array, ModelName, Parameters


class Trainer:
    """A network with its own optimizer, run eagerly."""

    def __init__(self, model: ModelName, network: torch.nn.Sequential, learning_rate: float = 0.0) -> None:
        """Create a new optimizer for the network."""
        self.network = network
        # Input of the loss: the logits of a classifier, otherwise the last layer's output.
        self.scores = network[:-1] if hasattr(network, "softmax") else network
        self.loss = LOSSES[model]
        self.kind: Callable[..., torch.optim.Optimizer] = SGD if model == "linear" else Adam
        self.learning_rate = learning_rate

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer, created on first use."""
        return self.kind([parameter for _, parameter in trainable(self.network)], self.learning_rate)

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the last layer's output."""
        return self.network(as_network_takes(inputs))

    def gradients(self, *batch: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the mean loss of a batch and its gradient for every parameter."""
        self.network.zero_grad()
        loss = self.loss(self.scores, *batch)
        loss.backward()
        gradients: list[Any] = [parameter.grad for _, parameter in trainable(self.network)]
        return loss.detach(), gradients

    def step(self, *batch: torch.Tensor) -> torch.Tensor:
        """Take one step of the optimizer, and return the loss before it."""
        loss, _ = self.gradients(*batch)
        self.optimizer.step()
        return loss

    def train(self, batches: Iterable[tuple[torch.Tensor, ...]]) -> Array:
        """Take a step with every batch, and return the losses."""
        return to_array(torch.stack([self.step(*batch) for batch in batches]))

    def train_on(self, *batches: torch.Tensor) -> Array:
        """Take a step with every batch along the first axis of the tensors, and return the losses."""
        return self.train(zip(*batches, strict=True))


def parameters_of(network: torch.nn.Sequential) -> Parameters:
    """Return every parameter."""
    return {name: to_array(kernel_out(parameter)) for name, parameter in trainable(network)}


def new(model: ModelName, seed: int, *size: int) -> torch.nn.Sequential:
    """Build a network with parameters drawn from a seed."""
    with use_seed(seed):
        return NETWORKS[model](*size)


# Drawing millions of parameters, only to overwrite them, takes longer than most calls.
reused = cache(new)


def load_network(model: ModelName, parameters: Parameters) -> torch.nn.Sequential:
    """Return a network with these parameters, and no gradients."""
    size = {"linear": "dense/kernel", "rnn": "dense/bias"}.get(model)
    network = reused(model, 0, *([len(parameters[size])] if size else []))
    with torch.no_grad():
        for name, parameter in trainable(network):
            parameter.copy_(kernel_in(to_tensor(parameters[name])))
            parameter.grad = None
    return network


class Models:
    """See `assay.contract.Models`."""

    def __init__(self, trainer: Callable[..., Trainer]) -> None:
        """Store the function that creates a network's trainer."""
        self.trainer = trainer

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Build a new network, and return its parameters."""
        return parameters_of(new(model, seed))

    @torch.no_grad()
    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Apply the layers to the batch in turn."""
        outputs = {}
        output = as_network_takes(to_tensor(inputs))
        for name, layer in load_network(model, parameters).named_children():
            output = layer(output)
            outputs[name] = to_array(channels_last(output) if output.ndim == IMAGE_RANK else output)
        return outputs

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Differentiate the loss."""
        trainer = self.trainer(model, load_network(model, parameters))
        return name_gradients(trainer.network, *trainer.gradients(to_tensor(inputs), to_tensor(targets)))

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        network = load_network(model, parameters)
        losses = self.trainer(model, network, learning_rate).train_on(to_tensor(inputs), to_tensor(targets))
        return losses, parameters_of(network)


def name_gradients(
    network: torch.nn.Sequential, loss: torch.Tensor, gradients: list[torch.Tensor]
) -> tuple[Array, Parameters]:
    """Return a loss, and gradients by the canonical names of their parameters."""
    pairs = zip(trainable(network), gradients, strict=True)
    return to_array(loss), {name: to_array(kernel_out(gradient)) for (name, _), gradient in pairs}
