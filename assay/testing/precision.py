"""The precision grade: how many bits of a product an implementation keeps."""

from __future__ import annotations

import numpy as np

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.spec.semantics.precision import GRADES
from assay.testing.assertions import assert_form

# Number of images, and of products in a sum: large enough to use the same kernel as a network. The second width is that
# of the document's images, since an implementation may choose a format by the size.
BATCH = 64
WIDTHS = (64, 28 * 28)


def measure_precision(ops: GroupProxy) -> str:
    """Return the name of the format in which `ops.dense` multiplies.

    1 + 2^-k times 1 is exact only if the fraction has k bits. float16 and TF32 have equally many, but float16
    overflows at 2^16.

    Raises:
        NonConformanceError: The results fit no format.

    """
    for width in WIDTHS:
        if (one := _product(ops, 1.0, width)) != 1.0:
            msg = f"1 times 1 is {one:.9g}, which tells nothing of the format of products"
            raise NonConformanceError(msg)
    finest = {name: _keeps(ops, 1 + 2.0**-known.fraction_bits) for name, known in GRADES.items()}
    if finest["float32"]:
        return "float32"
    if finest["tf32"]:
        return "tf32" if _keeps(ops, 2.0 ** np.ceil(np.log2(GRADES["float16"].largest))) else "float16"
    return "bfloat16" if finest["bfloat16"] else "lower"


def _keeps(ops: GroupProxy, value: float) -> bool:
    return all(_product(ops, value, width) == value for width in WIDTHS)


def _product(ops: GroupProxy, value: float, width: int) -> float:
    inputs, kernel = np.full((BATCH, width), value, np.float32), np.eye(width, BATCH, dtype=np.float32)
    result = ops.dense(inputs, kernel, np.zeros(BATCH, np.float32))
    return float(assert_form("dense", result, (BATCH, BATCH))[0, 0])
