"""The precision grade: how many bits of a product an implementation keeps."""

from __future__ import annotations

import numpy as np

from assay.guard import Group, NonConformanceError
from assay.testing import assert_form

# Bits of the fraction, from IEEE 754 and, for TF32 and bfloat16, the formats' definitions.
FRACTION_BITS = {"float32": 23, "tf32": 10, "float16": 10, "bfloat16": 7}
# The largest float16 is 65504; TF32 has the range of float32.
BEYOND_FLOAT16 = 2.0**16


def grade(ops: Group) -> str:
    """Name the format that `ops.dense` multiplies in.

    1 + 2^-k times 1 survives only where the fraction has k bits. float16 and TF32 have as many, but float16 ends
    before 2^16.

    Raises:
        NonConformanceError: its answers tell nothing.

    """
    if (one := _product(ops, 1.0)) != 1.0:
        msg = f"1 times 1 is {one:.9g}, which tells nothing of the format of products"
        raise NonConformanceError(msg)
    finest = {name: _product(ops, 1 + 2.0**-bits) == 1 + 2.0**-bits for name, bits in FRACTION_BITS.items()}
    if finest["float32"]:
        return "float32"
    if finest["tf32"]:
        return "tf32" if _product(ops, BEYOND_FLOAT16) == BEYOND_FLOAT16 else "float16"
    return "bfloat16" if finest["bfloat16"] else "lower"


def _product(ops: Group, value: float) -> float:
    # A matrix of some size, as small ones may take another way than those that a network multiplies.
    size = 64
    inputs = np.full((size, size), value, np.float32)
    result = ops.dense(inputs, np.eye(size, dtype=np.float32), np.zeros(size, np.float32))
    return float(assert_form("dense", result, (size, size))[0, 0])
