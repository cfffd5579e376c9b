"""Statistical tests that a dropout mask is drawn independently for each element, with one probability.

Each function returns the probability that such a mask looks as unusual as the given one. These probabilities are
exact, or upper bounds where several tests are combined (Bonferroni's inequality). So a correct implementation fails no
more often than the stated rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

# Number of consecutive elements in a word.
WORD = 64


def chance_of_all(*chances: float) -> float:
    """Bound the probability that the smallest of several p-values is this low, however they depend on each other."""
    return min(1.0, len(chances) * min(chances))


def chance_of_spread(counts: NDArray[Any], size: int, rate: float) -> float:
    """Return the probability that counts of dropped elements vary as little, or as much, between parts of a mask.

    Counts of separate parts are independent and binomial. So the number of parts in the middle quarter of that
    distribution, and the number in its outer quarter, are binomial too. If every part has the same number of dropped
    elements, all are in the middle; if parts are dropped as a whole, all are outside.

    Args:
        counts: Counts of dropped elements in each part, [parts].
        size: Size of a part.
        rate: The probability that an element is dropped.

    """
    from scipy import stats  # noqa: PLC0415 - slow to import and rarely needed

    distribution = stats.binom(size, rate)
    mass, distance = distribution.pmf(np.arange(size + 1)), np.abs(np.arange(size + 1) - size * rate)
    # Distances from the mean at which the two regions end, as the distribution is discrete.
    order = np.argsort(distance, kind="stable")
    within = np.cumsum(mass[order])
    middle = distance[order[np.searchsorted(within, 1 / 4)]]
    outer = distance[order[min(int(np.searchsorted(within, 3 / 4)), size)]]
    off = np.abs(counts - size * rate)

    def chance(inside: NDArray[np.bool_], which: NDArray[np.bool_]) -> float:
        return float(stats.binom.sf(inside.sum() - 1, len(counts), mass[which].sum()))

    return chance_of_all(chance(off <= middle, distance <= middle), chance(off > outer, distance > outer))


def chance_of_agreement(one: Mask, other: Mask) -> float:
    """Return the probability that two masks of rate 1/2 agree in as many elements, or as few.

    The agreement of two independent elements is a fair coin toss, and those of successive pairs are independent.
    """
    from scipy import stats  # noqa: PLC0415

    return float(stats.binomtest(int((one == other).sum()), one.size, 1 / 2).pvalue)


def chance_of_neighbours(mask: Mask) -> float:
    """Return the probability that elements of a mask of rate 1/2 agree, or disagree, as much with those at a distance.

    The distances along each axis are 1, powers of two, and half of the mask. The mask is also compared with its mirror
    image.
    """
    flat = mask.ravel()
    axes = np.cumprod(mask.shape[:0:-1]).tolist()
    powers = [2**k for k in range(flat.size.bit_length() - 1)]
    half = flat.size // 2
    distances = {1, *axes, *powers, half, flat.size - half}
    mirrored = chance_of_agreement(flat[:half], flat[: -half - 1 : -1])
    return chance_of_all(mirrored, *(chance_of_agreement(flat[n:], flat[:-n]) for n in distances if n < flat.size))


def count_repetitions(mask: Mask) -> int:
    """Count the words of consecutive elements that repeat an earlier word.

    In n elements dropped at rate 1/2, two equal words exist with a probability below n^2 / 2^65, overlapping ones
    included: 1e-9 for 190,000 elements. A buffer of random numbers that is reused repeats nearly all words.
    """
    words = mask.ravel().astype(np.uint64)
    length = 1
    while length < WORD:
        words = (words[:-length] << np.uint64(length)) | words[length:]
        length *= 2
    return words.size - np.unique(words).size
