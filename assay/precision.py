"""The precision grade: how many bits of a product an implementation keeps."""

from __future__ import annotations

import numpy as np

from assay.guard import AdapterError, Group, NonConformanceError

# Bits of the fraction, from IEEE 754 and, for TF32 and bfloat16, the formats' definitions.
FRACTION_BITS = {"float32": 23, "tf32": 10, "float16": 10, "bfloat16": 7}
# The largest float16 is 65504; TF32 has the range of float32.
BEYOND_FLOAT16 = 2.0**16


def grade(ops: Group) -> str | None:
    """Name the format that `ops.dense` multiplies in, or None if it gives no usable answer.

    1 + 2^-k times 1 survives only where the fraction has k bits. float16 and TF32 have as many, but float16 ends
    before 2^16.
    """
    finest = {
        name: _product(ops, 1 + 2.0**-bits) == 1 + 2.0**-bits for name, bits in FRACTION_BITS.items()
    }
    if _product(ops, 1.0) != 1.0:
        return None
    if finest["float32"]:
        return "float32"
    if finest["tf32"]:
        return "tf32" if _product(ops, BEYOND_FLOAT16) == BEYOND_FLOAT16 else "float16"
    return "bfloat16" if finest["bfloat16"] else "lower"


def _product(ops: Group, value: float) -> float | None:
    # A matrix of some size, as small ones may take another way than those that a network multiplies.
    size = 64
    inputs = np.full((size, size), value, np.float32)
    try:
        result = np.asarray(ops.dense(inputs, np.eye(size, dtype=np.float32), np.zeros(size, np.float32)))
    except (AdapterError, NonConformanceError):
        return None
    return float(result.flat[0]) if result.size else None
