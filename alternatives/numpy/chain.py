"""Layers in sequence: forward and backward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.alternatives.numpy.layers import Backward, Layer
from assay.contract import Array, Parameters

# Function from the last layer's outputs to the loss and its gradient.
Loss = Callable[[Array], tuple[Array, Array]]


def outputs(layers: Mapping[str, Layer], parameters: Parameters, inputs: Array) -> dict[str, Array]:
    """Return the output of every layer by its name."""
    found = {}
    for name, layer in layers.items():
        inputs, _ = layer.forward(variables_of(parameters, name), inputs)
        found[name] = inputs
    return found


def loss_and_gradients(
    layers: Mapping[str, Layer], parameters: Parameters, inputs: Array, loss: Loss
) -> tuple[Array, dict[str, Array]]:
    """Run the forward pass to the loss, and the backward pass to the first layer with parameters."""
    ways: dict[str, Backward] = {}
    for name, layer in layers.items():
        inputs, ways[name] = layer.forward(variables_of(parameters, name), inputs)
    value, upstream = loss(inputs)
    first = next(name for name in layers if variables_of(parameters, name))
    gradients: dict[str, Array] = {}
    for name, backward in reversed(ways.items()):
        to_inputs, found = backward(upstream)
        gradients |= {f"{name}/{variable}": gradient for variable, gradient in found.items()}
        if name == first:
            break
        upstream = to_inputs()
    return value, gradients


def variables_of(parameters: Parameters, layer: str) -> dict[str, Array]:
    """Return the parameters of a layer, by their short names."""
    start = f"{layer}/"
    return {name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)}
