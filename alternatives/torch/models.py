"""The document's models without state: parameters in, parameters out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from alternatives.torch.device import seeded, to_array, to_tensor
from alternatives.torch.layers import NETWORKS, channels_first, channels_last, kernel_in, kernel_out, trainable
from alternatives.torch.optimizers import SGD, Adam

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assay.contract import Array, ModelName, Parameters

IMAGE_RANK = 4


class Trainer:
    """A network with an optimizer of its own."""

    def __init__(self, model: ModelName, network: torch.nn.Sequential, learning_rate: float = 0.0) -> None:
        """Make a new optimizer for the network."""
        self.network = network
        kind = SGD if model == "linear" else Adam
        self.optimizer = kind([parameter for _, parameter in trainable(network)], learning_rate)
        # The loss of a classifier takes what its softmax does: taken together they lose nothing of a small probability.
        self.classifies = hasattr(network, "softmax")

    def loss(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of a batch."""
        inputs = as_network_takes(inputs)
        if self.classifies:
            return functional.cross_entropy(self.network[:-1](inputs), targets.long())
        return functional.mse_loss(self.network(inputs), targets)

    def step(self, loss: torch.Tensor) -> torch.Tensor:
        """Take one step of the optimizer, and return the loss, which nothing hangs on any more."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def train(self, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> Array:
        """Take a step with every batch, and return the losses."""
        return to_array(torch.stack([self.step(self.loss(*batch)) for batch in batches]))

    def gradients(self, loss: torch.Tensor) -> tuple[Array, Parameters]:
        """Return the loss and its gradient for every parameter."""
        loss.backward()
        return to_array(loss), {name: to_array(kernel_out(one.grad)) for name, one in trainable(self.network)}


def as_network_takes(inputs: torch.Tensor) -> torch.Tensor:
    """View images with their channels first."""
    return channels_first(inputs) if inputs.ndim == IMAGE_RANK else inputs


def parameters_of(network: torch.nn.Sequential) -> Parameters:
    """Read every parameter."""
    return {name: to_array(kernel_out(parameter)) for name, parameter in trainable(network)}


def new(model: ModelName, seed: int, *size: int) -> torch.nn.Sequential:
    """Build a network with parameters drawn by a seed."""
    with seeded(seed):
        return NETWORKS[model](*size)


# Drawing millions of parameters, to write others over them, takes longer than most calls.
reused = cache(new)


def loaded(model: ModelName, parameters: Parameters) -> torch.nn.Sequential:
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

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Build a new network and read what it starts from."""
        return parameters_of(new(model, seed))

    @torch.no_grad
    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Put the batch through one layer after the other."""
        outputs = {}
        output = as_network_takes(to_tensor(inputs))
        for name, layer in loaded(model, parameters).named_children():
            output = layer(output)
            outputs[name] = to_array(channels_last(output) if output.ndim == IMAGE_RANK else output)
        return outputs

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Ask the loss for its gradients."""
        trainer = Trainer(model, loaded(model, parameters))
        return trainer.gradients(trainer.loss(to_tensor(inputs), to_tensor(targets)))

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take one step after the other."""
        network = loaded(model, parameters)
        losses = Trainer(model, network, learning_rate).train(zip(to_tensor(inputs), to_tensor(targets), strict=True))
        return losses, parameters_of(network)
