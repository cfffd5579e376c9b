"""How likely correct random draws are to look like given ones, by standard tests, and what these detect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.testing.decisions import note_sample
from assay.testing.thresholds import DETECTION, RATE


def chance_of_draws(draws: NDArray[Any], low: float, high: float) -> float:
    """Return how likely even draws from an interval are to look as uneven as these, by Kolmogorov and Smirnov."""
    from scipy import stats  # noqa: PLC0415 - as above

    note_sample("even draws", len(draws))
    return float(stats.kstest(draws, stats.uniform(low, high - low).cdf).pvalue)


def chance_of_samples(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return how likely draws of one distribution are to differ as much as these, by Kolmogorov and Smirnov's test.

    Where values repeat, as numbers of steps do, they are less likely to.
    """
    from scipy import stats  # noqa: PLC0415 - as above

    note_sample("two samples", len(one), len(other))
    return float(stats.ks_2samp(one, other).pvalue)


def chance_of_counts(counts: Sequence[int], probabilities: NDArray[Any] | None = None) -> float:
    """Return how likely draws by these probabilities, or even ones, are to give counts as far off, by chi-square."""
    from scipy import stats  # noqa: PLC0415 - as above

    note_sample("counts", int(sum(counts)), len(counts))
    expected = None if probabilities is None else probabilities * (sum(counts) / probabilities.sum())
    return float(stats.chisquare(counts, expected).pvalue)


def detectable_divergence(draws: int, classes: int) -> float:
    """Return how far probabilities q have to be from p for `chance_of_counts` to tell, with a chance of `DETECTION`.

    As sum (q - p)^2 / p: times the number of draws, that is the noncentrality of the statistic's distribution (Cohen,
    "Statistical power analysis for the behavioral sciences", 1988, section 7.2).
    """
    from scipy import optimize, stats  # noqa: PLC0415 - as above

    freedom = classes - 1
    critical = stats.chi2.isf(RATE, freedom)
    missed = optimize.brentq(lambda shift: stats.ncx2.cdf(critical, freedom, shift) - (1 - DETECTION), 1, 10 * critical)
    return float(missed) / draws


def detectable_gap(draws: int, tests: int = 1) -> float:
    """Return how far a distribution function has to be off somewhere for `chance_of_draws` to tell, with that chance.

    Args:
        draws: Number of draws.
        tests: Number of tests that share the false-alarm rate.

    By the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990), which bounds both errors.
    """
    return sum(math.sqrt(math.log(2 / chance) / (2 * draws)) for chance in (RATE / tests, 1 - DETECTION))


def chance_of_share(count: int, total: int, probability: float) -> float:
    """Return how likely `total` draws are to give a count as unlikely as this, by the exact binomial test."""
    from scipy import stats  # noqa: PLC0415 - as above

    note_sample("share", int(total), float(probability))
    return float(stats.binomtest(count, total, probability).pvalue)


def chance_of_order(draws: NDArray[Any]) -> float:
    """Return how likely independent draws with these values are to come in ascending or descending order, if they do.

    All their orders are equally likely: of n! orders, those count as one that exchange equal values.
    """
    from scipy import special  # noqa: PLC0415 - as above

    _, counts = np.unique(draws, return_counts=True)
    rises = np.diff(draws)
    if len(counts) == 1 or not ((rises >= 0).all() or (rises <= 0).all()):
        return 1.0
    return float(2 * np.exp(special.gammaln(counts + 1).sum() - special.gammaln(len(draws) + 1)))


def chance_of_each_count(counts: Sequence[int], probabilities: NDArray[Any]) -> float:
    """Return how likely draws are to give a count as unlikely as the most unlikely of these, at most.

    By the exact binomial test of each count, for all of them together (Bonferroni): unlike `chance_of_counts`, this
    holds however rare a class is.
    """
    from scipy import stats  # noqa: PLC0415 - as above

    found, draws = np.asarray(counts), sum(counts)
    note_sample("counts", int(draws), len(found))
    chances = probabilities / probabilities.sum()
    fewer, more = stats.binom.cdf(found, draws, chances), stats.binom.sf(found - 1, draws, chances)
    return float(min(1.0, 2 * len(found) * np.minimum(fewer, more).min()))


# Over so many draws the difference of two is tested for each value, and whether it is 0 over three quarters of all.
NEIGHBOURS = 5


def chance_of_sequence(draws: NDArray[Any], classes: int) -> float:
    """Return how likely even and independent draws of whole numbers are to depend on each other as these, at most.

    The differences of draws some places apart, modulo the number of classes, are then even and independent, too. So how
    often a difference occurs is binomial, exactly; all of them are tested together (Bonferroni). That finds draws that
    repeat, that follow an order, that are shared out evenly, and any buffer of draws that is used again.

    Args:
        draws: Whole numbers from 0 on, [n].
        classes: How many of them there are.

    """
    from scipy import stats  # noqa: PLC0415 - as above

    tests = []
    for lag in range(1, 3 * len(draws) // 4):
        differences = (draws[lag:] - draws[:-lag]) % classes
        counts = np.bincount(differences, minlength=classes)
        tests += [(int(count), len(differences)) for count in (counts if lag <= NEIGHBOURS else counts[:1])]
    found, totals = np.array(tests).T
    fewer, more = (
        stats.binom.cdf(found, totals, 1 / classes),
        stats.binom.sf(found - 1, totals, 1 / classes),
    )
    return float(min(1.0, 2 * len(tests) * np.minimum(fewer, more).min()))
