"""What the initializers of the document draw from."""

from __future__ import annotations

import math


def glorot_limit(fan_in: int, fan_out: int) -> float:
    """Half the width of the interval around 0 that the Glorot-uniform initializer draws from (lines 93 and 101).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    equation 16: sqrt(6 / (fan_in + fan_out)).
    """
    return math.sqrt(6 / (fan_in + fan_out))


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs a kernel connects: [..., in, out], with a window before them for a convolution."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]
