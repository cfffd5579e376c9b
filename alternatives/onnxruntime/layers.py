"""Layers as nodes of a graph, with values by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from assay.alternatives.onnxruntime.graphs import Graph, Value
from assay.contract import Activation, Padding, Pair
from assay.kit.layouts import GATES

AUTO_PAD = {"same": "SAME_UPPER", "valid": "VALID"}
ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softmax": "Softmax"}
# Permutations of axes to ONNX's order, and back.
TO_NCHW, TO_NHWC, TO_OIHW = (0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 0, 1)
# Order of the gates of ONNX.
ONNX_GATES = "iofg"
INT64 = int(TensorProto.INT64)
EPSILON, MOMENTUM = 0.001, 0.99


def activate(graph: Graph, sums: Value, activation: Activation | None) -> Value:
    """Apply an activation."""
    return sums if activation is None else graph(ACTIVATIONS[activation], sums)


def dense(graph: Graph, inputs: Value, kernel: Value, bias: Value = "", activation: Activation | None = None) -> Value:
    """Multiply over the last axis."""
    sums = graph("MatMul", inputs, kernel)
    return activate(graph, graph("Add", sums, bias) if bias else sums, activation)


def conv2d(
    graph: Graph,
    inputs: Value,
    kernel: Value,
    bias: Value = "",
    *,
    strides: Pair,
    padding: Padding,
    activation: Activation | None,
) -> Value:
    """Convolve images whose channels are the last axis."""
    images, filters = graph("Transpose", inputs, perm=TO_NCHW), graph("Transpose", kernel, perm=TO_OIHW)
    sums = graph("Conv", images, filters, *[bias] * bool(bias), strides=strides, auto_pad=AUTO_PAD[padding])
    return activate(graph, graph("Transpose", sums, perm=TO_NHWC), activation)


def pool(graph: Graph, inputs: Value, *, operator: str, pool_size: Pair, strides: Pair, padding: Padding) -> Value:
    """Apply `MaxPool` or `AveragePool` to images whose channels are the last axis."""
    images = graph("Transpose", inputs, perm=TO_NCHW)
    pooled = graph(operator, images, kernel_shape=pool_size, strides=strides, auto_pad=AUTO_PAD[padding])
    return graph("Transpose", pooled, perm=TO_NHWC)


def batch_normalization(
    graph: Graph, inputs: Value, *parameters: Value, rank: int, training: bool
) -> tuple[Value, Value, Value]:
    """Normalise images or vectors whose channels are the last axis."""
    gamma, beta, mean, variance = parameters
    options: dict[str, Any] = {"epsilon": EPSILON, "momentum": MOMENTUM, "training_mode": int(training)}
    channels = graph("Transpose", inputs, perm=TO_NCHW) if rank == len(TO_NCHW) else inputs
    found = graph.add(
        "BatchNormalization", channels, gamma, beta, mean, variance, outputs=3 if training else 1, **options
    )
    outputs = graph("Transpose", found[0], perm=TO_NHWC) if rank == len(TO_NCHW) else found[0]
    return (outputs, found[1], found[2]) if training else (outputs, mean, variance)


def lstm(
    graph: Graph, inputs: Value, kernel: Value, recurrent_kernel: Value, bias: Value, *state: Value, units: int
) -> tuple[Value, Value]:
    """Return hidden and carry after the last step, [batch, units] each.

    Args:
        graph: Graph to which nodes are added.
        inputs: [batch, time, input_dim].
        kernel: [input_dim, 4 units].
        recurrent_kernel: [units, 4 units].
        bias: [4 units].
        state: Hidden and carry before the first step, [batch, units] each; zeros if None.
        units: Number of units.

    """
    direction = graph.constant([0], np.int64)

    def reorder(gates: Value, axis: int) -> Value:
        """Reorder the gates to ONNX's order."""
        parts = graph.add("Split", gates, outputs=len(GATES), axis=axis, num_outputs=len(GATES))
        return graph("Concat", *(parts[GATES.index(gate)] for gate in ONNX_GATES), axis=axis)

    weights, recurrent_weights = (
        graph("Unsqueeze", graph("Transpose", reorder(one, 1), perm=(1, 0)), direction)
        for one in (kernel, recurrent_kernel)
    )
    first = reorder(bias, 0)
    # ONNX adds two biases.
    biases = graph("Unsqueeze", graph("Concat", first, graph("Sub", first, first), axis=0), direction)
    before = [graph("Unsqueeze", one, direction) for one in state]
    steps = graph("Transpose", inputs, perm=(1, 0, 2))
    _, hidden, carry = graph.add(
        *("LSTM", steps, weights, recurrent_weights, biases, "", *before), outputs=3, hidden_size=units
    )
    return graph("Squeeze", hidden, direction), graph("Squeeze", carry, direction)


def one_hot(graph: Graph, labels: Value, *, depth: int) -> Value:
    """Convert each label to a one-hot row."""
    numbers = graph("Cast", labels, to=INT64)
    return graph("OneHot", numbers, graph.constant(depth, np.int64), graph.constant([0, 1]))
