"""The document's models in PyTorch, and conversion of layouts that differ from the contract's.

In PyTorch, an image has its channels first, and a kernel its outputs before its inputs.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names of the recurrent layer's parameters for inputs and state, with the number of the layer.
CANONICAL = {
    "weight": "kernel",
    "bias": "bias",
    "weight_ih_l0": "kernel",
    "weight_hh_l0": "recurrent_kernel",
    "bias_ih_l0": "bias",
}
UNITS = 256
IMAGE_RANK = 4


def channels_first(images: torch.Tensor) -> torch.Tensor:
    """View [batch, height, width, channels] as [batch, channels, height, width]."""
    return images.permute(0, 3, 1, 2)


def as_network_takes(inputs: torch.Tensor) -> torch.Tensor:
    """View images with their channels first."""
    return channels_first(inputs) if inputs.ndim == IMAGE_RANK else inputs


def channels_last(images: torch.Tensor) -> torch.Tensor:
    """View [batch, channels, height, width] as [batch, height, width, channels]."""
    return images.permute(0, 2, 3, 1)


def kernel_in(kernel: torch.Tensor) -> torch.Tensor:
    """View [..., inputs, outputs] as PyTorch's [outputs, inputs, ...]; a bias stays as it is."""
    return kernel.movedim((-1, -2), (0, 1)) if kernel.ndim > 1 else kernel


def kernel_out(weight: torch.Tensor) -> torch.Tensor:
    """View PyTorch's [outputs, inputs, ...] as [..., inputs, outputs]; a bias stays as it is."""
    return weight.movedim((0, 1), (-1, -2)) if weight.ndim > 1 else weight


class Dense(nn.Linear):
    """A Dense layer with or without ReLU, initialised as in Keras."""

    def __init__(self, inputs: int, outputs: int, *, relu: bool = False) -> None:
        """Create the parameters."""
        super().__init__(inputs, outputs)
        self.activation = nn.ReLU() if relu else nn.Identity()

    def reset_parameters(self) -> None:
        """Draw the kernel, Glorot-uniform; the constructor calls this."""
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return [batch, outputs]."""
        return self.activation(super().forward(inputs))


class Convolution(nn.Conv2d):
    """A convolution with ReLU, initialised as in Keras."""

    bias: nn.Parameter

    def reset_parameters(self) -> None:
        """Draw the kernel, Glorot-uniform; the constructor calls this."""
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return [batch, filters, rows, columns]."""
        return super().forward(inputs).relu()


class Flatten(nn.Module):
    """Flattens images with the channels varying fastest, as the contract's kernels expect."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return [batch, height * width * channels]."""
        return channels_last(inputs).flatten(1)


class OneHot(nn.Module):
    """Maps numbers to one-hot vectors."""

    def __init__(self, depth: int) -> None:
        """Set the length of the vectors."""
        super().__init__()
        self.depth = depth

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return [..., depth]."""
        return nn.functional.one_hot(inputs.long(), self.depth).float()


class Cell(nn.LSTM):
    """An LSTM that returns its last output. Its gates are in the contract's order; its second bias stays 0."""

    # PyTorch creates these attributes by name, so its types lack them.
    weight_ih_l0: nn.Parameter
    weight_hh_l0: nn.Parameter
    bias_ih_l0: nn.Parameter
    bias_hh_l0: nn.Parameter

    def __init__(self, inputs: int, units: int) -> None:
        """Create the parameters."""
        super().__init__(inputs, units, batch_first=True)
        self.bias_hh_l0.requires_grad = False

    def reset_parameters(self) -> None:
        """Draw the kernels as in Keras, and set the forget gate's bias to 1; the constructor calls this."""
        nn.init.xavier_uniform_(self.weight_ih_l0)
        nn.init.orthogonal_(self.weight_hh_l0)
        for bias in (self.bias_ih_l0, self.bias_hh_l0):
            nn.init.zeros_(bias)
        nn.init.ones_(self.bias_ih_l0[self.hidden_size : 2 * self.hidden_size])

    # PyTorch's own `forward` returns all outputs and the last states.
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:  # type: ignore[override, unused-ignore]
        """Return [batch, units] of [batch, time, inputs]."""
        return super().forward(inputs)[0][:, -1]


def make_sequential(**layers: nn.Module) -> nn.Sequential:
    """Return a sequence of layers under the contract's names."""
    return nn.Sequential(OrderedDict(layers))


def linear(features: int = 3) -> nn.Sequential:
    """Return one layer of one unit, initialised with zeros."""
    dense = Dense(features, 1)
    nn.init.zeros_(dense.weight)
    return make_sequential(dense=dense)


def mlp() -> nn.Sequential:
    """Return two Dense layers."""
    return make_sequential(
        flatten=Flatten(),
        dense1=Dense(28 * 28, 100, relu=True),
        dense2=Dense(100, 10),
        softmax=nn.Softmax(-1),
    )


def cnn() -> nn.Sequential:
    """Return two convolutions with pooling and two Dense layers."""
    return make_sequential(
        conv1=Convolution(1, 32, 5, padding="same"),
        pool1=nn.MaxPool2d(2),
        conv2=Convolution(32, 64, 5, padding="same"),
        pool2=nn.MaxPool2d(2),
        flatten=Flatten(),
        dense1=Dense(7 * 7 * 64, 1024, relu=True),
        dense2=Dense(1024, 10),
        softmax=nn.Softmax(-1),
    )


def rnn(num_chars: int = 57) -> nn.Sequential:
    """Return an LSTM and a Dense layer over characters."""
    return make_sequential(
        one_hot=OneHot(num_chars),
        cell=Cell(num_chars, UNITS),
        dense=Dense(UNITS, num_chars),
        softmax=nn.Softmax(-1),
    )


def q_network() -> nn.Sequential:
    """Return three Dense layers, from a state to the values of two actions."""
    return make_sequential(dense1=Dense(4, 24, relu=True), dense2=Dense(24, 24, relu=True), dense3=Dense(24, 2))


def q_cnn() -> nn.Sequential:
    """Return two convolutions and two Dense layers, from frames to the values of four actions."""
    return make_sequential(
        conv1=Convolution(4, 16, 8, stride=4),
        conv2=Convolution(16, 32, 4, stride=2),
        flatten=Flatten(),
        dense1=Dense(9 * 9 * 32, 256, relu=True),
        dense2=Dense(256, 4),
    )


NETWORKS: dict[str, Any] = {
    "linear": linear,
    "mlp": mlp,
    "cnn": cnn,
    "rnn": rnn,
    "q_network": q_network,
    "q_cnn": q_cnn,
}


def trainable(network: nn.Sequential) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the trainable parameters, each with its canonical name."""
    for name, parameter in network.named_parameters():
        layer, own = name.split(".")
        if parameter.requires_grad:
            yield f"{layer}/{CANONICAL[own]}", parameter
