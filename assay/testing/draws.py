"""How likely correct random draws are to look like given ones: bounds that hold exactly, for any number of draws.

No statistic is compared with its limit for many draws, which says little of probabilities of one in a million. A bound
is the probability of a binomial distribution, or follows from one by adding the probabilities of several events
(Bonferroni) or by Chernoff's inequality. So it may exceed the probability that it bounds, and never falls below it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from statistics import NormalDist

import numpy as np

from assay.contract import Array
from assay.testing.decisions import note_sample
from assay.testing.thresholds import DETECTION, RATE

# Powers beyond these make a distribution that float64 cannot tell from argmax.
_LARGEST_POWER = 200.0


def chance_of_categories(counts: Array, probabilities: Array) -> float:
    """Bound the probability that independent draws give counts as far from their probabilities as these.

    Each class alone, the rarest classes together and the sharpness of the whole are looked at: so a class that is never
    drawn, a tail that is cut off, a mixture with argmax and a wrong temperature are found.

    Args:
        counts: Number of draws of each class, int [classes].
        probabilities: Their probabilities but for a common factor, [classes].

    """
    counts, probabilities = np.asarray(counts), probabilities / probabilities.sum()
    note_sample("categories", int(counts.sum()), len(counts))
    if counts[probabilities == 0].any():
        return 0.0
    order = np.argsort(probabilities)
    seen, expected = (np.concatenate([each, each[order].cumsum()[:-1]]) for each in (counts, probabilities))
    shares = chance_of_shares(seen, int(counts.sum()), expected)
    # Chernoff's inequality, once for each side.
    sharpness = 2 * math.exp(-counts.sum() * _divergence(counts, probabilities))
    return min(1.0, 2 * min(shares, sharpness))


def chance_of_shares(counts: Array, draws: int | Array, probabilities: float | Array) -> float:
    """Bound the probability that any of several counts is as far from its binomial distribution as the furthest is.

    Args:
        counts: How often each event came, int [events].
        draws: How often each could have come, int [events] or one number for all.
        probabilities: Probability of each event in one draw, [events] or one number for all.

    """
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else, and few processes need it

    chances = np.clip(probabilities, 0, 1)
    tails = np.minimum(stats.binom.cdf(counts, draws, chances), stats.binom.sf(counts - 1, draws, chances))
    return min(1.0, 2 * np.size(tails) * float(np.min(tails)))


def _divergence(counts: Array, probabilities: Array) -> float:
    """Return the least Kullback-Leibler divergence from the probabilities to any distribution as sharp as the draws.

    Sharpness is the mean logarithm of the probabilities of what was drawn. The distributions of each sharpness that are
    nearest to the given one are its powers, which are what it becomes at other temperatures.
    """
    from scipy import optimize  # noqa: PLC0415 - as above

    possible = probabilities > 0
    logarithms = np.log(probabilities[possible])
    mean = counts[possible] @ logarithms / counts.sum()

    def gain(power: float) -> float:
        return power * mean - float(np.logaddexp.reduce((1 + power) * logarithms))

    limits = -_LARGEST_POWER, _LARGEST_POWER
    # Any power gives a valid bound, so it does not matter how near the best one is found.
    return max(0.0, -float(optimize.minimize_scalar(lambda power: -gain(power), bounds=limits, method="bounded").fun))


def normal_quantiles(count: int) -> Array:
    """Return numbers that lie as evenly under the normal distribution as so many can."""
    return np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])


def detectable_temperature(draws: int, probabilities: Array) -> float:
    """Return how far a temperature has to be from 1, relatively, to be detected with a chance of `DETECTION`.

    The mean of the logarithms of many probabilities is nearly normal, and moves by their variance per unit.
    """
    probabilities = probabilities / probabilities.sum()
    logarithms = np.log(probabilities)
    deviation = math.sqrt(probabilities @ (logarithms - probabilities @ logarithms) ** 2)
    # Chernoff's bound, twice for two sides and twice for two statistics, is exp(-z^2 / 2) of a normal deviate z.
    critical = math.sqrt(2 * math.log(4 / RATE))
    return (critical + NormalDist().inv_cdf(DETECTION)) / (deviation * math.sqrt(draws))


def chance_of_repeats(*sequences: Array, classes: int, length: int) -> float:
    """Bound the probability that a word of this length occurs twice in sequences of independent, even draws.

    Two words at different places are equal with a probability of classes^-length, even where they overlap.

    Args:
        sequences: Numbers from 0 to below `classes`, int [draws] each.
        classes: How many numbers there are.
        length: Length of a word; as many as 64 bits hold.

    Returns:
        1 where every word occurs once; otherwise the number of pairs of words times that probability.

    """
    digits = np.uint64(classes) ** np.arange(length, dtype=np.uint64)
    views = [np.lib.stride_tricks.sliding_window_view(sequence, length) for sequence in sequences]
    words = np.concatenate([view.astype(np.uint64) @ digits for view in views])
    if len(np.unique(words)) == len(words):
        return 1.0
    return min(1.0, math.comb(len(words), 2) * float(classes) ** -length)


def mirrored_halves(sequence: Array) -> tuple[Array, Array]:
    """Return the first half of a sequence, and as much of its end backwards: no element is in both."""
    half = len(sequence) // 2
    return sequence[:half], sequence[: len(sequence) - half - 1 : -1]


def share_reached(draws: int, false_alarm: float) -> float:
    """Return the share of the way from 0 to both limits that so many even draws between them reach.

    The largest, or the smallest, stays below with a probability of `false_alarm`: half of it for each.
    """
    return 1 - 2 * (1 - (false_alarm / 2) ** (1 / draws))


def chance_of_collisions(draws: Array, values: int) -> float:
    """Bound the probability that independent, even draws from so many values, or more, are equal in as many pairs.

    Whether two draws are equal is independent of whether two others are, or one of these and a third. So the variance
    of the number of equal pairs is known, and Chebyshev's inequality bounds how far that is from its mean.
    """
    _, times = np.unique(draws, return_counts=True)
    pairs = int((times * (times - 1) // 2).sum())
    mean = math.comb(draws.size, 2) / values
    return min(1.0, mean * (1 - 1 / values) / (pairs - mean) ** 2) if pairs > mean else 1.0


def chance_of_lags(draws: Array, classes: int, lags: Iterable[int]) -> float:
    """Bound the probability that independent, even draws depend on those some places before as much as these.

    Of draws so many places apart, the differences modulo `classes` are independent and even, and so are the sums. So
    the number of times that each difference and each sum occurs is binomial.

    Args:
        draws: Numbers from 0 to below `classes`, int [draws].
        classes: How many numbers there are.
        lags: How many places apart.

    """
    pairs = [pair for lag in lags for pair in (draws[lag:] - draws[:-lag], draws[lag:] + draws[:-lag])]
    counts = np.stack([np.bincount(pair % classes, minlength=classes) for pair in pairs])
    totals = np.array([len(pair) for pair in pairs])
    return chance_of_shares(counts, totals[:, None], 1 / classes)


def chance_of_coarseness(draws: Array, classes: int) -> float:
    """Bound the probability that even draws all are where random numbers of 16 bits or fewer point.

    Such numbers are whole numbers from 0 on, or the middles between them, divided by a power of 2 or by one less; or
    those of float16. They point to a part of the classes, and correct draws are there with a probability of that part.

    Args:
        draws: Numbers from 0 to below `classes`, int [draws].
        classes: How many numbers there are, by far more than 2^16.

    """
    # Of each kind, the classes that are pointed to.
    pointed = [np.unique((numbers * classes).astype(np.int64)) for numbers in _coarse_numbers()]
    chances = [(len(some) / classes) ** len(draws) for some in pointed if np.isin(draws, some).all()]
    return min(1.0, len(pointed) * min(chances, default=1.0))


def _coarse_numbers() -> Iterator[Array]:
    for bits in range(8, 17):
        for steps in (2**bits - 1, 2**bits):
            yield np.arange(steps) / steps
            yield (np.arange(steps) + 0.5) / steps
    # The bits of all numbers of float16 from 0 to below 1.
    yield np.arange(np.float16(1).view(np.uint16)).astype(np.uint16).view(np.float16).astype(np.float64)


def chance_of_evenness(counts: Array) -> float:
    """Bound the probability that independent, even draws give counts as nearly equal as these.

    Counts of a fixed number n of draws are Poisson counts, given that these add up to n. So a probability is at most
    that of Poisson counts, divided by the probability of such a sum; and Chernoff's inequality bounds the former.
    """
    from scipy import optimize, stats  # noqa: PLC0415 - as above

    draws, mean = int(counts.sum()), float(np.mean(counts))
    found = float(np.sum((counts - mean) ** 2))
    values = np.arange(int(mean + 40 * math.sqrt(mean) + 40))
    logarithms, squares = stats.poisson.logpmf(values, mean), (values - mean) ** 2

    def bound(rate: float) -> float:
        return rate * found + len(counts) * float(np.logaddexp.reduce(logarithms - rate * squares))

    least = float(optimize.minimize_scalar(bound, bounds=(0, 10), method="bounded").fun)
    return min(1.0, math.exp(min(0.0, least - float(stats.poisson.logpmf(draws, draws)))))
