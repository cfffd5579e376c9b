"""What the initializers of the document draw from."""

from __future__ import annotations

import math


def glorot_limit(fan_in: int, fan_out: int) -> float:
    """Half the width of the interval around 0 that the Glorot-uniform initializer draws from (lines 93 and 101).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    equation 16: sqrt(6 / (fan_in + fan_out)).
    """
    return math.sqrt(6 / (fan_in + fan_out))
