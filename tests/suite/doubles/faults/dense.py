"""Faults of the dense layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array
from doubles.faulty import Fault
from doubles.kept_results import keep_argument
from doubles.lost_remainders import lose_remainder
from doubles.memory_order import ignoring_gaps, read_raw_memory
from doubles.sigmoids import half_beyond_88, limited_sigmoid, sigmoid_of

ROWS = 128
FLOAT = np.float32


def activation_before_bias(dense, inputs, kernel, bias=None, activation=None):
    """Apply the activation to the product and then add the bias."""
    return dense(inputs, kernel, None, activation) + (0 if bias is None else bias)


def bias_lost_after(rows):
    """Return `dense` that adds no bias to more rows."""

    def wrong(dense, inputs, kernel, bias=None, activation=None):
        return dense(inputs, kernel, bias if inputs.size <= rows * inputs.shape[-1] else None, activation)

    return wrong


def dense_activates_whole_blocks_of_rows(dense, inputs, kernel, bias=None, activation=None):
    """Leave out the activation of the rows after the last whole block of 128."""
    outputs = np.array(dense(inputs, kernel, bias, activation))
    rows, linear = (array.reshape(-1, array.shape[-1]) for array in (outputs, dense(inputs, kernel, bias)))
    if whole := len(rows) // ROWS * ROWS:
        rows[whole:] = linear[whole:]
    return outputs


def first_inputs_only(dense, inputs, kernel, bias=None, activation=None):
    """Stop adding after 1,024 products."""
    return dense(inputs[..., :1024].copy(), kernel[:1024].copy(), bias, activation)


def sums_of_16_bits(dense, inputs, kernel, bias=None, activation=None):
    """Round long sums to float16 before the bias is added."""
    sums = dense(inputs, kernel)
    if inputs.shape[-1] > 256:
        sums = sums.astype(np.float16).astype(FLOAT)
    return dense(sums, np.eye(sums.shape[-1], dtype=FLOAT), bias, activation)


def one_bias_per_row_of_three(dense, inputs, kernel, bias=None, activation=None):
    """Add the bias along the middle axis where it fits."""
    if inputs.ndim != 3 or bias is None or inputs.shape[1] != bias.size or activation:
        return dense(inputs, kernel, bias, activation)
    return dense(inputs, kernel) + bias[:, None]


def linear_without_bias(dense, inputs, kernel, bias=None, activation=None):
    """Apply the activation along with the bias, or not at all."""
    return dense(inputs, kernel, bias, None if bias is None else activation)


def inputs_clipped(dense, inputs, kernel, bias=None, activation=None):
    """Keep inputs within a million."""
    return dense(np.clip(inputs, -1e6, 1e6), kernel, bias, activation)


def dense_limits_a_sigmoid(dense, inputs, kernel, bias=None, activation=None):
    """Keep the sums before a sigmoid between -15 and 15."""
    linear = dense(inputs, kernel, bias, None if activation == "sigmoid" else activation)
    return limited_sigmoid(linear) if activation == "sigmoid" else linear


def sigmoid_layer_overflows(dense, inputs, kernel, bias=None, activation=None):
    """Use a sigmoid that gives up beyond 88."""
    if activation != "sigmoid":
        return dense(inputs, kernel, bias, activation)
    return half_beyond_88(sigmoid_of, dense(inputs, kernel, bias))


def reuse_buffer():
    """Return a fault that writes every result of one shape into the same memory."""
    buffers = {}

    def wrong(right, *arguments, **options):
        result = np.asarray(right(*arguments, **options))
        buffer = buffers.setdefault(result.shape, np.empty_like(result))
        buffer[...] = result
        return buffer

    return wrong


def square_kernel_transposed(dense, inputs, kernel, bias=None, activation=None):
    """Read a square kernel that is not contiguous in the order of its memory."""
    by_columns = kernel.shape[0] == kernel.shape[1] and not kernel.flags.c_contiguous
    return dense(inputs, kernel.T if by_columns else kernel, bias, activation)


def float16_inside(dense, inputs, kernel, bias=None, activation=None):
    """Multiply numbers rounded to float16."""
    rounded = [np.clip(array, -6e4, 6e4).astype(np.float16).astype(np.float32) for array in (inputs, kernel)]
    return dense(*rounded, bias, activation)


def half_precision_if_wide(
    dense: Callable[..., Array], inputs: Array, kernel: Array, bias: Array | None = None, activation: Any = None
) -> Array:
    """Multiply wide inputs in half precision."""
    if inputs.shape[-1] > 128:
        inputs, kernel = (each.astype(np.float16).astype(np.float32) for each in (inputs, kernel))
    return dense(inputs, kernel, bias, activation)


def bias_added_to_rows(dense, inputs, kernel, bias=None, activation=None):
    """Add element i of the bias to row i, where the shape lets it."""
    if bias is None or inputs.ndim != 2 or len(inputs) != len(bias):
        return dense(inputs, kernel, bias, activation)
    return dense(inputs, kernel, None) + bias[:, None]


FAULTS = {
    "activation_before_bias": Fault(
        "ops.dense", "dense.activation-after-affine", "actual -2, expected 0", activation_before_bias
    ),
    "bias_lost_after_4096_rows": Fault("ops.dense", "dense.any-size", "[4124, 3]", bias_lost_after(4096)),
    "dense_activates_whole_blocks_of_rows": Fault(
        "ops.dense", "dense.any-size", "[4124, 3]", dense_activates_whole_blocks_of_rows
    ),
    "rows_over_a_block_lost": Fault("ops.dense", "dense.any-size", "actual 0", lose_remainder(0, 1024)),
    "units_over_a_block_lost": Fault("ops.dense", "dense.any-size", "actual 0", lose_remainder(-1, 16)),
    "first_inputs_only": Fault("ops.dense", "dense.any-size", "elements differ", first_inputs_only),
    "sums_of_16_bits": Fault("ops.dense", "dense.any-size", "elements differ", sums_of_16_bits),
    "one_bias_per_row_of_three": Fault("ops.dense", "dense.any-option", "[4, 3, 5]", one_bias_per_row_of_three),
    "linear_without_bias": Fault("ops.dense", "dense.any-option", "None", linear_without_bias),
    "inputs_clipped": Fault("ops.dense", "dense.any-magnitude", "elements differ", inputs_clipped),
    "dense_limits_a_sigmoid": Fault("ops.dense", "dense.saturated", "differ", dense_limits_a_sigmoid),
    "sigmoid_layer_overflows": Fault("ops.dense", "dense.saturated", "actual 0.5", sigmoid_layer_overflows),
    "kernel_of_the_first_call": Fault("ops.dense", "dense.calls-are-independent", "call 3 of", keep_argument(1)),
    "output_reused": Fault("ops.dense", "dense.calls-are-independent", "call 2 of", reuse_buffer()),
    "square_kernel_transposed": Fault("ops.dense", "dense.memory-order", "transposed", square_kernel_transposed),
    "dense_ignores_gaps_in_kernel": Fault(
        "ops.dense", "dense.memory-order", "arrays cropped from larger ones", ignoring_gaps(1)
    ),
    "dense_reads_raw_memory": Fault("ops.dense", "dense.memory-order", "transposed in memory", read_raw_memory),
    "float16_inside": Fault("ops.dense", "dense.full-float32", "computed in float16", float16_inside),
    "half_precision_of_wide_products": Fault(
        "ops.dense", "dense.full-float32", "products are computed in", half_precision_if_wide
    ),
    "bias_added_to_rows": Fault("ops.dense", "dense.bias-broadcasts", "whose rows are the bias", bias_added_to_rows),
}
