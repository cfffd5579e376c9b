"""Types of the arguments and results that several groups share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FLOAT = np.dtype(np.float32)
INT = np.dtype(np.int32)
Array = NDArray[Any]
Parameters = Mapping[str, Array]
Activation = Literal["relu", "tanh", "sigmoid"]
Padding = Literal["valid", "same"]
Pair = tuple[int, int]
