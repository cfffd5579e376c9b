"""Error bounds of matrix products at a precision below float32: see `assay.spec.semantics.precision`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.spec.semantics.precision import GRADES, current_precision

Array = NDArray[Any]


def input_rounding_bound(multiply: Callable[..., Any], *factors: Array) -> Any:  # noqa: ANN401 - as `multiply` returns
    """Bound the error of a product due to rounding its factors: 0 in float32.

    However a factor x is rounded, it is off by at most 2^-bits |x|, or by the least number of the format if that is
    flushed to zero. (Rounding to the nearest has half this error, truncation all of it.) With such errors d, a sum of
    products changes by at most the products of |x| + d minus those of |x|.
    """
    if current_precision() == "float32":
        return 0.0
    sizes = [np.abs(factor) for factor in factors]
    return multiply(*(size + _error(size) for size in sizes)) - multiply(*sizes)


def _error(sizes: Array) -> Array:
    grade = GRADES[current_precision()]
    return 2.0**-grade.fraction_bits * sizes + grade.least
