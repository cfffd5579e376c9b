"""Whether what is dropped was drawn element by element, each with the same probability and by itself.

Each function returns how likely such draws are to be as unusual as those that are looked at. These probabilities are
exact, or larger than the exact ones where several looks are taken at once (Bonferroni's inequality), so a test of them
fails a correct implementation no more often than it says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

# As many masks in a row make a word.
WORD = 64


def chance_of_all(*chances: float) -> float:
    """Return how likely the least of several chances is to come out as low, however they depend on each other."""
    return min(1.0, len(chances) * min(chances))


def chance_of_spread(counts: NDArray[Any], size: int, rate: float) -> float:
    """Return how likely parts of a mask are to vary as little, or as much, in how many elements of them are dropped.

    Counts of separate parts are independent and binomial. So is how many of them are among the middle quarter of that
    distribution, and how many among its outer quarter: an exact number in each part puts all of them in the middle, and
    parts that are dropped as a whole lie outside.

    Args:
        counts: Counts of dropped elements in each part, [parts].
        size: Size of a part.
        rate: The probability that an element is dropped.

    """
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else, and few processes need it

    distribution = stats.binom(size, rate)
    mass, distance = distribution.pmf(np.arange(size + 1)), np.abs(np.arange(size + 1) - size * rate)
    # The distances at which the middle and the outer quarter end, in steps as fine as the distribution has.
    order = np.argsort(distance, kind="stable")
    within = np.cumsum(mass[order])
    middle = distance[order[np.searchsorted(within, 1 / 4)]]
    outer = distance[order[min(int(np.searchsorted(within, 3 / 4)), size)]]
    off = np.abs(counts - size * rate)

    def chance(inside: NDArray[np.bool_], which: NDArray[np.bool_]) -> float:
        return float(stats.binom.sf(inside.sum() - 1, len(counts), mass[which].sum()))

    return chance_of_all(chance(off <= middle, distance <= middle), chance(off > outer, distance > outer))


def chance_of_agreement(one: Mask, other: Mask) -> float:
    """Return how likely two masks of rate 1/2 are to agree in as many elements, or as few.

    Whether two independent elements agree is a fair coin, and so is each of the pairs along a chain of them.
    """
    from scipy import stats  # noqa: PLC0415 - as above

    return float(stats.binomtest(int((one == other).sum()), one.size, 1 / 2).pvalue)


def chance_of_neighbours(mask: Mask) -> float:
    """Return how likely elements of a mask of rate 1/2 are to go with, or against, those at some distance from them.

    Distances are those to the next along each axis, powers of two, and half of the mask; and it is laid on its mirror
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
    """Count the words of elements in a row that are masked like an earlier word.

    Of n elements dropped at rate 1/2, any two words are alike with a probability below n^2 / 2^65, also where they
    overlap: 1e-9 for 190,000 elements. A buffer of random numbers that is used again repeats nearly all of them.
    """
    words = mask.ravel().astype(np.uint64)
    length = 1
    while length < WORD:
        words = (words[:-length] << np.uint64(length)) | words[length:]
        length *= 2
    return words.size - np.unique(words).size
