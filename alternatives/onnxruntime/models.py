"""The document's models, each one graph with the outputs of all its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.alternatives.onnxruntime import layers
from assay.alternatives.onnxruntime.graphs import Graph, Value, run
from assay.kit import metrics
from assay.kit.networks import LSTM_UNITS, Layer, layers_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.contract import Activation, Array, ModelName, Parameters


def network(graph: Graph, value: Value, *weights: Value, description: tuple[Layer, ...]) -> tuple[Value, ...]:
    """Add the layers in turn, each with its weights, and return all of their outputs."""
    remaining, outputs = iter(weights), []
    for layer in description:
        value = add(graph, layer, value, [next(remaining) for _ in layer.shapes])
        outputs.append(value)
    return tuple(outputs)


def add(graph: Graph, layer: Layer, inputs: Value, weights: list[Value]) -> Value:
    """Add one layer."""
    activation: Activation | None = "relu" if layer.relu else None
    window, strides = (layer.window, layer.window), (layer.stride, layer.stride)
    match layer.kind:
        case "dense":
            kernel, bias = weights
            return layers.dense(graph, inputs, kernel, bias, activation=activation)
        case "conv2d":
            kernel, bias = weights
            return layers.conv2d(
                graph, inputs, kernel, bias, strides=strides, padding=layer.padding, activation=activation
            )
        case "max_pool2d":
            return layers.pool(
                graph, inputs, operator="MaxPool", pool_size=window, strides=strides, padding=layer.padding
            )
        case "one_hot":
            return layers.one_hot(graph, inputs, depth=layer.units)
        case "lstm":
            return layers.lstm(graph, inputs, *weights, units=LSTM_UNITS)[0]
    # Layers without options.
    return graph({"flatten": "Flatten", "softmax": "Softmax"}[layer.kind], inputs)


class Models:
    """See `assay.contract.Models`."""

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Run the graph of the model."""
        description = layers_for(model, parameters)
        weights = [parameters[f"{layer.name}/{name}"] for layer in description for name in layer.shapes]
        outputs = run(network, inputs, *weights, description=description)
        return {layer.name: output for layer, output in zip(description, outputs, strict=True)}


class Training:
    """See `assay.contract.Training`."""

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Count the model's correct predictions over all batches."""

        def predict(batch: Array) -> Array:
            return Models().layer_outputs(model, parameters, batch)["softmax"]

        return metrics.evaluate(predict, images, labels, batch_size)
