"""Layers of the document. Every function keeps the floating-point type of its inputs."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from numpy.typing import NDArray

from assay.spec.semantics.products import product

Array = NDArray[Any]


def identity(inputs: Array) -> Array:
    """a(x) = x, the default activation of a layer (line 89)."""
    return inputs


def relu(inputs: Array) -> Array:
    """max(x, 0) of every element (line 161)."""
    return np.maximum(inputs, 0)


def tanh(inputs: Array) -> Array:
    """Hyperbolic tangent of every element (line 89)."""
    return np.tanh(inputs)


@primitive  # type: ignore[untyped-decorator]  # autograd has no types
def sigmoid(inputs: Array) -> Array:
    """1 / (1 + exp(-x)) of every element (line 89), computed without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * inputs))


# Derivative in one step; autograd would take four and keep each intermediate result.
defvjp(sigmoid, lambda outputs, _inputs: lambda gradient: gradient * outputs * (1 - outputs))


ACTIVATIONS = {None: identity, "relu": relu, "tanh": tanh, "sigmoid": sigmoid}


def dense(inputs: Array, kernel: Array, bias: Array | None = None, activation: str | None = None) -> Array:
    """f(AW + b) over the last axis (line 81).

    Args:
        inputs: Matrix `A`, [..., input_dim].
        kernel: Matrix `W`, [input_dim, units].
        bias: Vector `b`, [units], added to every row (line 105); None for a layer without one.
        activation: Name of `f`, a key of `ACTIVATIONS`; None for the identity.

    Returns:
        [..., units].

    """
    linear = product(np.matmul, inputs, kernel)
    return ACTIVATIONS[activation](linear if bias is None else linear + bias)


def flatten(inputs: Array) -> Array:
    """Join all axes but the first, the last one varying fastest (line 166): [batch, ...] to [batch, features]."""
    return np.reshape(inputs, (inputs.shape[0], -1))


def softmax(logits: Array) -> Array:
    """exp(z_j) / sum_k exp(z_k) over the last axis (line 185), shifted by the maximum for stability."""
    exponentials = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)


def softmax_with_temperature(logits: Array, temperature: float) -> Array:
    """Softmax of the logits divided by a temperature above 0, over the last axis (line 587)."""
    return softmax(logits / logits.dtype.type(temperature))


def one_hot(labels: Array, depth: int) -> Array:
    """[...] to [..., depth]: 1 at the label and 0 elsewhere (lines 241 and 538)."""
    return np.eye(depth)[labels]
