"""Sound operations that compute otherwise than the NumPy implementation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array

Variant = Callable[..., Any]
f32 = np.float32


def activated(values: Array, activation: str | None) -> Array:
    """Apply an activation."""
    match activation:
        case "relu":
            return np.where(values < 0, f32(0), values)
        case "tanh":
            return tanh_by_expm1(None, values)
        case "sigmoid":
            return sigmoid_plain(None, values)
    return values


def dense_split(right, inputs, kernel, bias=None, activation=None):
    """Sum blocks of the inner axis."""
    total = f32(0)
    for start in range(0, inputs.shape[-1], 16):
        total = total + inputs[..., start : start + 16] @ kernel[start : start + 16]
    return activated(total if bias is None else total + bias, activation)


def dense_double(right, inputs, kernel, bias=None, activation=None):
    """Compute in float64 up to the activation."""
    total = inputs.astype(float) @ kernel.astype(float)
    return activated((total if bias is None else total + bias).astype(f32), activation)


def dense_reversed(right, inputs, kernel, bias=None, activation=None):
    """Sum from the last input."""
    return right(inputs[..., ::-1], kernel[::-1], bias, activation)


def dense_outer(right, inputs, kernel, bias=None, activation=None):
    """Add an outer product for each input in turn, from the bias on."""
    shape = (*inputs.shape[:-1], kernel.shape[1])
    total = np.zeros(shape, f32) if bias is None else np.broadcast_to(bias, shape).astype(f32)
    for column, row in zip(np.moveaxis(inputs, -1, 0), kernel, strict=True):
        total += column[..., None] * row
    return activated(total, activation)


def dense_augmented(right, inputs, kernel, bias=None, activation=None):
    """Make the bias a row of the kernel, and return an array in Fortran order."""
    if bias is not None:
        inputs = np.concatenate([inputs, np.ones((*inputs.shape[:-1], 1), f32)], axis=-1)
        kernel = np.concatenate([kernel, bias[None]])
    return np.asfortranarray(right(inputs, kernel, None, activation))


def dense_einsum(right, inputs, kernel, bias=None, activation=None):
    """Sum by einsum, and apply the activation in place."""
    total = np.einsum("...i,io->...o", inputs, kernel)
    if bias is not None:
        total += bias
    return activated(total, activation)


def relu_where(right, inputs):
    """Choose."""
    return np.where(inputs < 0, f32(0), inputs)


def relu_clip(right, inputs):
    """Clip from below."""
    return np.clip(inputs, 0, None)


def tanh_by_expm1(right, inputs):
    """Use expm1, which is accurate near 0."""
    grown = np.expm1(f32(-2) * np.abs(inputs))
    return np.copysign(-grown / (grown + f32(2)), inputs)


def tanh_rational(right, inputs):
    """Use the rational approximation of Eigen and XLA."""
    numerator = (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08)
    numerator += (1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03)
    denominator = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
    clipped = np.clip(inputs, f32(-7.90531110763549805), f32(7.90531110763549805))
    squares = clipped * clipped
    above, below = np.zeros_like(squares), np.zeros_like(squares)
    for coefficient in numerator:
        above = above * squares + f32(coefficient)
    for coefficient in denominator:
        below = below * squares + f32(coefficient)
    return np.where(np.abs(inputs) < f32(0.0004), inputs, clipped * above / below)


def tanh_double(right, inputs):
    """Compute in float64."""
    return np.tanh(inputs.astype(float)).astype(f32)


def sigmoid_plain(right, inputs):
    """Write the formula as it stands: an infinite exponential gives 0."""
    with np.errstate(over="ignore"):
        return f32(1) / (f32(1) + np.exp(-inputs))


def sigmoid_by_tanh(right, inputs):
    """Use tanh, as XLA did."""
    return f32(0.5) + f32(0.5) * np.tanh(f32(0.5) * inputs)


def sigmoid_double(right, inputs):
    """Compute in float64."""
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-inputs.astype(float)))).astype(f32)


def softmax_of_log(right, logits):
    """Return the exponential of the log-softmax."""
    with np.errstate(over="ignore"):
        shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.exp(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def softmax_exp2(right, logits):
    """Use powers of 2, as kernels for GPUs do."""
    with np.errstate(over="ignore"):
        shifted = (logits - logits.max(axis=-1, keepdims=True)) * f32(math.log2(math.e))
    powers = np.exp2(shifted)
    return powers * (f32(1) / powers.sum(axis=-1, keepdims=True))


def softmax_online(right, logits):
    """Compute maximum and sum in one pass over blocks, rescaling the sum where the maximum grows."""
    top = np.full((*logits.shape[:-1], 1), -np.inf, f32)
    total = np.zeros_like(top)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, logits.shape[-1], 4):
            block = logits[..., start : start + 4]
            new = np.maximum(top, block.max(axis=-1, keepdims=True))
            total = total * np.exp(top - new) + np.exp(block - new).sum(axis=-1, keepdims=True)
            top = new
        return np.exp(logits - top) / total


def softmax_double(right, logits):
    """Compute in float64, and return a read-only array."""
    shifted = logits.astype(float) - logits.max(axis=-1, keepdims=True)
    result = (np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)).astype(f32)
    result.flags.writeable = False
    return result


def flatten_fortran(right, inputs):
    """Return the values in another memory layout."""
    return np.asfortranarray(inputs.reshape(len(inputs), -1))


def flatten_ravel(right, inputs):
    """Flatten example by example."""
    return np.array([np.ravel(example) for example in inputs]).reshape(len(inputs), -1)


def reshape_read_only(right, inputs, target_shape):
    """Return a read-only copy."""
    result = np.array(inputs, order="C").reshape((inputs.shape[0], *map(int, target_shape)))
    result.flags.writeable = False
    return result


VARIANTS: dict[str, dict[str, Variant]] = {
    "dense/split inner axis": {"ops.dense": dense_split},
    "dense/float64": {"ops.dense": dense_double},
    "dense/reversed sum": {"ops.dense": dense_reversed},
    "dense/outer products from the bias": {"ops.dense": dense_outer},
    "dense/bias as a row": {"ops.dense": dense_augmented},
    "dense/einsum": {"ops.dense": dense_einsum},
    "relu/where": {"ops.relu": relu_where},
    "relu/clip": {"ops.relu": relu_clip},
    "tanh/expm1": {"ops.tanh": tanh_by_expm1},
    "tanh/rational of Eigen": {"ops.tanh": tanh_rational},
    "tanh/float64": {"ops.tanh": tanh_double},
    "sigmoid/formula": {"ops.sigmoid": sigmoid_plain},
    "sigmoid/tanh": {"ops.sigmoid": sigmoid_by_tanh},
    "sigmoid/float64": {"ops.sigmoid": sigmoid_double},
    "softmax/exponential of log-softmax": {"ops.softmax": softmax_of_log},
    "softmax/exp2": {"ops.softmax": softmax_exp2},
    "softmax/online": {"ops.softmax": softmax_online},
    "softmax/float64, read-only": {"ops.softmax": softmax_double},
    "flatten/Fortran order": {"ops.flatten": flatten_fortran},
    "flatten/ravel": {"ops.flatten": flatten_ravel},
    "reshape/read-only": {"ops.reshape": reshape_read_only},
}
