"""Large and unusual arguments of single operations: sizes that are not multiples of a block, all ranks, extreme values.

Shapes are few and fixed, as some implementations compile once per shape; a seed draws the values.
"""

from __future__ import annotations

import numpy as np

from assay.contract import Array
from assay.spec.semantics import layers

# A prime number: it is not a multiple of any usual block size, and is larger than most of them.
ODD = 1031
# float16 cannot represent all whole numbers up to here. Not a multiple of a usual block size either.
MANY = 5_003
# "Any shape": all ranks, axes of size 1, and sizes larger than a block.
ANY_SHAPE = ((), (1,), (ODD,), (67, ODD), (2, 3, 4), (3, 1, 5, 2), (2, 3, 1, 2, 2))
WITH_AN_AXIS = ANY_SHAPE[1:]

# Values at which exponentials, squares and narrower formats reach their limits. exp overflows float32 above 88.7, and
# its reciprocal underflows above 103.9. 65,504 is the largest number of float16.
_EDGES = (
    *(0.0, 2.0**-126, 1e-30, 1e-20, 1e-10, 1e-7, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.5, 1.0, 1 + 2.0**-23, 2.0, 3.0),
    *(
        5.0,
        6.0,
        7.0,
        8.0,
        9.0,
        10.0,
        12.0,
        15.0,
        16.0,
        17.0,
        18.0,
        20.0,
        30.0,
        40.0,
        50.0,
        60.0,
        80.0,
        87.0,
        88.0,
        88.5,
    ),
    *(89.0, 90.0, 100.0, 103.0, 104.0, 105.0, 128.0, 150.0, 200.0, 255.0, 256.0, 500.0, 1e3, 2049.0, 65504.0, 65536.0),
    *(1e6, 1e10, 1e19, 1e20, 1e30, float(np.finfo(np.float32).max), np.inf),
)
EDGES = np.array([*_EDGES, *(-edge for edge in _EDGES)], np.float32)
# Standard deviation of logits; two of them rarely differ by 80, since some implementations flush exp(-87) to 0.
LOGITS = 7.0


def normal(seed: int, *shapes: tuple[int, ...], scale: float = 1.0) -> list[Array]:
    """Draw float32 arrays from a normal distribution around 0."""
    generator = np.random.default_rng(seed)
    return [(scale * generator.standard_normal(shape)).astype(np.float32) for shape in shapes]


def edges(seed: int, shape: tuple[int, ...]) -> Array:
    """Make an array of extreme float32 numbers, filled up with ordinary ones."""
    generator = np.random.default_rng(seed)
    values = generator.permutation(EDGES)[: int(np.prod(shape))]
    usual = generator.uniform(-110, 110, max(0, int(np.prod(shape)) - len(values)))
    return generator.permutation(np.concatenate([values, usual.astype(np.float32)])).reshape(shape)


def dense(seed: int, leading: tuple[int, ...], input_dim: int, units: int) -> list[Array]:
    """Draw inputs, kernel and bias of a Dense layer."""
    return normal(seed, (*leading, input_dim), (input_dim, units), (units,))


def probabilities(seed: int, batch: int, classes: int) -> Array:
    """Draw distributions over classes, none of them near 0 or 1: float32 [batch, classes]."""
    return layers.softmax(normal(seed, (batch, classes))[0].astype(np.float64)).astype(np.float32)


def labels(seed: int, batch: int, classes: int) -> Array:
    """Draw labels that include the last class: int32 [batch]."""
    drawn = np.random.default_rng(seed).integers(0, classes, batch, np.int32)
    drawn[-1] = classes - 1
    return drawn
