"""Layers one after the other: forwards, and with a gradient backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.alternatives.numpy.layers import Backward, Layer
from assay.contract import Array, Parameters

# The last layer's outputs to a loss, and its gradient for them.
Loss = Callable[[Array], tuple[Array, Array]]


def outputs(layers: Mapping[str, Layer], parameters: Parameters, inputs: Array) -> dict[str, Array]:
    """Return what every layer gives, by its name."""
    found = {}
    for name, layer in layers.items():
        inputs, _ = layer.forward(variables_of(parameters, name), inputs)
        found[name] = inputs
    return found


def loss_and_gradients(
    layers: Mapping[str, Layer], parameters: Parameters, inputs: Array, loss: Loss
) -> tuple[Array, dict[str, Array]]:
    """Go forwards to the loss, and backwards to the first layer that has parameters."""
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
    """Return the parameters of a layer, by what they are called in it."""
    start = f"{layer}/"
    return {name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)}
