"""Statistical tests of random draws whose p-values are rigorous bounds for any number of draws.

Asymptotic distributions of a statistic are not used: they are inaccurate at probabilities of one in a million. Each
bound is a binomial probability, or follows from binomial probabilities by Bonferroni's or Chernoff's inequality. So it
may exceed the probability that it bounds, but is never below it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from statistics import NormalDist

import numpy as np

from assay.contract import Array
from assay.testing.decisions import note_sample
from assay.testing.thresholds import DETECTION, RATE

# With larger powers, float64 cannot distinguish the distribution from argmax.
_LARGEST_POWER = 200.0
# Up to this lag every value of the difference is tested; up to three quarters of all draws, only whether it is 0.
NEIGHBOURS = 5


def chance_of_categories(counts: Array, probabilities: Array) -> float:
    """Bound the probability that independent draws give counts as far from their probabilities as these.

    It tests each class alone, the rarest classes together, and the sharpness of the whole. So it finds a class that is
    never drawn, a truncated tail, a mixture with argmax and a wrong temperature.

    Args:
        counts: Number of draws of each class, int [classes].
        probabilities: Probabilities of the classes up to a common factor, [classes].

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
    """Bound the probability that any of several binomial counts is as unlikely as the least likely of these.

    Args:
        counts: Number of times each event occurred, int [events].
        draws: Number of trials of each event, int [events] or one number for all.
        probabilities: Probability of each event in one draw, [events] or one number for all.

    """
    from scipy import stats  # noqa: PLC0415 - slow to import and rarely needed

    chances = np.clip(probabilities, 0, 1)
    tails = np.minimum(stats.binom.cdf(counts, draws, chances), stats.binom.sf(counts - 1, draws, chances))
    return min(1.0, 2 * np.size(tails) * float(np.min(tails)))


def chance_of_each_count(counts: Array, probabilities: Array) -> float:
    """Bound the probability that draws give a count as unlikely as the least likely of these.

    Each count has an exact binomial test, and Bonferroni's inequality combines them. So it holds however rare a class
    is, unlike the chi-square test.

    Args:
        counts: Number of draws of each class, int [classes].
        probabilities: Probabilities of the classes up to a common factor, [classes].

    """
    counts = np.asarray(counts)
    draws = int(counts.sum())
    note_sample("counts", draws, len(counts))
    return chance_of_shares(counts, draws, probabilities / probabilities.sum())


def _divergence(counts: Array, probabilities: Array) -> float:
    """Return the least Kullback-Leibler divergence from the probabilities to any distribution as sharp as the draws.

    Sharpness is the mean log-probability of the drawn classes. Among distributions of a given sharpness, a power of the
    given distribution is the nearest. Temperatures other than 1 give such powers.
    """
    from scipy import optimize  # noqa: PLC0415

    possible = probabilities > 0
    logarithms = np.log(probabilities[possible])
    mean = counts[possible] @ logarithms / counts.sum()

    def gain(power: float) -> float:
        return power * mean - float(np.logaddexp.reduce((1 + power) * logarithms))

    limits = -_LARGEST_POWER, _LARGEST_POWER
    # Any power gives a valid bound, so the optimum need not be exact.
    return max(0.0, -float(optimize.minimize_scalar(lambda power: -gain(power), bounds=limits, method="bounded").fun))


def normal_quantiles(count: int) -> Array:
    """Return `count` quantiles of the normal distribution, evenly spaced in probability."""
    return np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])


def detectable_temperature(draws: int, probabilities: Array) -> float:
    """Return the smallest relative deviation of a temperature from 1 that is detected with power `DETECTION`.

    The mean log-probability of many draws is nearly normal, and shifts by its variance per unit of deviation.
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
        sequences: Numbers from 0 to `classes` - 1, each int [draws].
        classes: Number of classes.
        length: Length of a word, which must fit into 64 bits.

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
    """Return the first half of a sequence, and its second half reversed; a middle element is in neither."""
    half = len(sequence) // 2
    return sequence[:half], sequence[: len(sequence) - half - 1 : -1]


def share_reached(draws: int, false_alarm: float) -> float:
    """Return the fraction of a symmetric interval around 0 that uniform draws from it reach on both sides.

    The probability that either extreme falls short of it is `false_alarm`, half for each side.
    """
    return 1 - 2 * (1 - (false_alarm / 2) ** (1 / draws))


def chance_of_collisions(draws: Array, values: int) -> float:
    """Bound the probability that uniform, independent draws from at least `values` values have as many equal pairs.

    Whether two draws are equal is independent of whether another pair is, even if the pairs share a draw. So the
    variance of the number of equal pairs is known, and Chebyshev's inequality bounds its distance from the mean.
    """
    _, times = np.unique(draws, return_counts=True)
    pairs = int((times * (times - 1) // 2).sum())
    mean = math.comb(draws.size, 2) / values
    return min(1.0, mean * (1 - 1 / values) / (pairs - mean) ** 2) if pairs > mean else 1.0


def chance_of_lags(draws: Array, classes: int, lags: Iterable[int]) -> float:
    """Bound the probability that uniform, independent draws depend on earlier ones at these lags as much as these.

    The differences at a lag, modulo `classes`, are independent and uniform, and so are the sums. So the number of times
    that each difference and each sum occurs is binomial.

    Args:
        draws: Numbers from 0 to `classes` - 1, int [draws].
        classes: Number of classes.
        lags: Distances between the draws that are compared.

    """
    pairs = [pair for lag in lags for pair in (draws[lag:] - draws[:-lag], draws[lag:] + draws[:-lag])]
    counts = np.stack([np.bincount(pair % classes, minlength=classes) for pair in pairs])
    totals = np.array([len(pair) for pair in pairs])
    return chance_of_shares(counts, totals[:, None], 1 / classes)


def chance_of_sequence(draws: Array, classes: int) -> float:
    """Bound the probability that uniform, independent draws of whole numbers depend on each other as much as these.

    The differences of draws at a fixed lag, modulo the number of classes, are then uniform and independent too, and so
    are their sums. So the number of times that one occurs is exactly binomial. All are tested together (Bonferroni).
    That finds draws that repeat, follow an order or are spread too evenly, a buffer of draws that is reused, and draws
    that are the opposites of earlier ones.

    Args:
        draws: Numbers from 0 to `classes` - 1, int [draws].
        classes: Number of classes.

    """
    tests = []
    for lag in range(1, 3 * len(draws) // 4):
        differences = (draws[lag:] - draws[:-lag]) % classes
        counts = np.bincount(differences, minlength=classes)
        opposites = int((draws[lag:] + draws[:-lag] == classes - 1).sum())
        tests += [(int(count), len(differences)) for count in (counts if lag <= NEIGHBOURS else counts[:1])]
        tests.append((opposites, len(differences)))
    first, last = mirrored_halves(draws)
    tests += [(int(same.sum()), len(first)) for same in (first == last, first + last == classes - 1)]
    found, totals = np.array(tests).T
    return chance_of_shares(found, totals, 1 / classes)


def chance_of_coarseness(draws: Array, classes: int) -> float:
    """Bound the probability that all uniform draws are ones that coarse random numbers can produce.

    Such numbers have 16 bits or fewer, or up to four decimal digits. They are whole numbers k or k + 1/2, divided by
    2^n, 2^n - 1 or 10^n, or the numbers of float16. They reach only a fraction of the classes, and a correct draw is
    among these with a probability equal to that fraction.

    Args:
        draws: Numbers from 0 to `classes` - 1, int [draws].
        classes: Number of classes, far more than 2^16.

    """
    reachable = _reachable_classes(classes)
    chances = [(len(some) / classes) ** len(draws) for some in reachable if np.isin(draws, some).all()]
    return min(1.0, len(reachable) * min(chances, default=1.0))


@cache
def _reachable_classes(classes: int) -> list[Array]:
    """Return the classes that each kind of coarse number reaches."""
    return [np.unique(np.minimum(numbers * classes, classes - 1).astype(np.int64)) for numbers in _coarse_numbers()]


def _coarse_numbers() -> Iterator[Array]:
    binary = [steps for bits in range(8, 17) for steps in (2**bits - 1, 2**bits)]
    for steps in (*binary, 10**2, 10**3, 10**4):
        yield np.arange(steps + 1) / steps
        yield (np.arange(steps) + 0.5) / steps
    # Bit patterns of all float16 numbers in [0, 1).
    yield np.arange(np.float16(1).view(np.uint16)).astype(np.uint16).view(np.float16).astype(np.float64)


def disjoint_pairs(count: int, lag: int) -> Array:
    """Return the first places of pairs that share no place, so that independent draws make the pairs independent.

    Args:
        count: Number of places.
        lag: Distance of the two places of a pair.

    """
    return np.flatnonzero(np.arange(count - lag) % (2 * lag) < lag)


def chance_of_evenness(counts: Array) -> float:
    """Bound the probability that independent, even draws give counts as nearly equal as these.

    Counts of a fixed number n of draws are Poisson counts, conditioned on their sum being n. So a probability is at
    most that of Poisson counts, divided by the probability of that sum. Chernoff's inequality bounds the former.
    """
    from scipy import optimize, stats  # noqa: PLC0415

    draws, mean = int(counts.sum()), float(np.mean(counts))
    found = float(np.sum((counts - mean) ** 2))
    values = np.arange(int(mean + 40 * math.sqrt(mean) + 40))
    logarithms, squares = stats.poisson.logpmf(values, mean), (values - mean) ** 2

    def bound(rate: float) -> float:
        return rate * found + len(counts) * float(np.logaddexp.reduce(logarithms - rate * squares))

    least = float(optimize.minimize_scalar(bound, bounds=(0, 10), method="bounded").fun)
    return min(1.0, math.exp(min(0.0, least - float(stats.poisson.logpmf(draws, draws)))))


def chance_of_mirrored_counts(counts: Array) -> float:
    """Bound the probability that independent draws give as many pairs of opposite classes with equal counts.

    Both classes of a pair are equally probable. Given how often either is drawn, each count is binomial, and the pairs
    are independent. If every second draw is the opposite of another one, all pairs have equal counts, whatever the
    order of the draws.

    Args:
        counts: Number of draws of each class, int [classes]; the opposite of a class is as far from the other end.

    """
    from scipy import stats  # noqa: PLC0415

    first, last = mirrored_halves(counts)
    totals = first + last
    note_sample("mirrored counts", int(totals.sum()), len(first))
    # The probability of equal counts is largest for the smallest even total.
    largest = max((math.comb(int(one), int(one) // 2) / 2.0 ** int(one) for one in totals if one % 2 == 0), default=0.0)
    return float(stats.binom.sf(int((first == last).sum()) - 1, len(first), largest))
