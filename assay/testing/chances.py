"""Standard statistical tests of random draws: p-values, and the smallest deviations that they detect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.testing.decisions import note_sample
from assay.testing.thresholds import DETECTION, RATE


def chance_of_draws(draws: NDArray[Any], low: float, high: float) -> float:
    """Return the p-value of the Kolmogorov-Smirnov test that draws are uniform on an interval."""
    from scipy import stats  # noqa: PLC0415

    note_sample("even draws", len(draws))
    return float(stats.kstest(draws, stats.uniform(low, high - low).cdf).pvalue)


def chance_of_samples(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the p-value of the two-sample Kolmogorov-Smirnov test that both samples have one distribution.

    With repeated values, such as numbers of steps, the test is conservative.
    """
    from scipy import stats  # noqa: PLC0415

    note_sample("two samples", len(one), len(other))
    return float(stats.ks_2samp(one, other).pvalue)


def chance_of_counts(counts: Sequence[int], probabilities: NDArray[Any] | None = None) -> float:
    """Return the p-value of the chi-square test that counts follow these probabilities (default: uniform)."""
    from scipy import stats  # noqa: PLC0415

    note_sample("counts", int(sum(counts)), len(counts))
    expected = None if probabilities is None else probabilities * (sum(counts) / probabilities.sum())
    return float(stats.chisquare(counts, expected).pvalue)


def detectable_divergence(draws: int, classes: int) -> float:
    """Return the smallest divergence of probabilities q from p that `chance_of_counts` detects with power `DETECTION`.

    It is sum (q - p)^2 / p. Times the number of draws, it is the noncentrality of the statistic's distribution (Cohen,
    "Statistical power analysis for the behavioral sciences", 1988, section 7.2).
    """
    from scipy import optimize, stats  # noqa: PLC0415

    freedom = classes - 1
    critical = stats.chi2.isf(RATE, freedom)
    missed = optimize.brentq(lambda shift: stats.ncx2.cdf(critical, freedom, shift) - (1 - DETECTION), 1, 10 * critical)
    return float(missed) / draws


def detectable_gap(draws: int, tests: int = 1) -> float:
    """Return the smallest error of a distribution function that `chance_of_draws` detects with power `DETECTION`.

    Args:
        draws: Number of draws.
        tests: Number of tests that share the false-alarm rate.

    By the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990), which bounds both errors.
    """
    return sum(math.sqrt(math.log(2 / chance) / (2 * draws)) for chance in (RATE / tests, 1 - DETECTION))


def chance_of_share(count: int, total: int, probability: float) -> float:
    """Return the p-value of the exact binomial test for a count of `total` draws."""
    from scipy import stats  # noqa: PLC0415

    note_sample("share", int(total), float(probability))
    return float(stats.binomtest(count, total, probability).pvalue)


def chance_of_order(draws: NDArray[Any]) -> float:
    """Return the probability that independent draws of these values come out sorted, or 1 if these are not sorted.

    All n! orders are equally likely; those that only exchange equal values count as one.
    """
    from scipy import special  # noqa: PLC0415

    _, counts = np.unique(draws, return_counts=True)
    rises = np.diff(draws)
    if len(counts) == 1 or not ((rises >= 0).all() or (rises <= 0).all()):
        return 1.0
    return float(2 * np.exp(special.gammaln(counts + 1).sum() - special.gammaln(len(draws) + 1)))


def chance_of_each_count(counts: Sequence[int], probabilities: NDArray[Any]) -> float:
    """Bound the probability that draws give a count as unlikely as the least likely of these.

    Each count has an exact binomial test, and Bonferroni's inequality combines them. Unlike `chance_of_counts`, this
    holds however rare a class is.
    """
    from scipy import stats  # noqa: PLC0415

    found, draws = np.asarray(counts), sum(counts)
    note_sample("counts", int(draws), len(found))
    chances = probabilities / probabilities.sum()
    fewer, more = stats.binom.cdf(found, draws, chances), stats.binom.sf(found - 1, draws, chances)
    return float(min(1.0, 2 * len(found) * np.minimum(fewer, more).min()))


# Up to this lag every value of the difference is tested; up to three quarters of all draws, only whether it is 0.
NEIGHBOURS = 5


def chance_of_sequence(draws: NDArray[Any], classes: int) -> float:
    """Bound the probability that uniform, independent draws of whole numbers depend on each other as much as these.

    The differences of draws at a fixed lag, modulo the number of classes, are then uniform and independent too. So the
    number of times that a difference occurs is exactly binomial. All are tested together (Bonferroni). That finds draws
    that repeat, follow an order or are spread too evenly, and a buffer of draws that is reused.

    Args:
        draws: Whole numbers from 0 on, [n].
        classes: Number of classes.

    """
    from scipy import stats  # noqa: PLC0415

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
