"""Types of the arguments and results that several groups share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

FLOAT = np.dtype(np.float32)
INT = np.dtype(np.int32)
# Not `NDArray[Any]`: since NumPy 2.5 that is an alias, whose type checks of results would not see.
Array = np.ndarray[Any, np.dtype[Any]]
Parameters = Mapping[str, Array]
Activation = Literal["relu", "tanh", "sigmoid"]
Padding = Literal["valid", "same"]
Pair = tuple[int, int]
