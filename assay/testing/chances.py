"""Standard statistical tests of random draws: p-values, and the smallest deviations that they detect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.testing.decisions import note_sample
from assay.testing.draws import chance_of_evenness
from assay.testing.thresholds import DETECTION, RATE

# Mean number of draws in an interval, when their evenness is tested.
DRAWS_PER_INTERVAL = 8
# Number of draws that the slower test examines, spread over all of them.
EXAMINED = 100_000


def chance_of_draws(draws: NDArray[Any], low: float, high: float, tests: int = 1) -> float:
    """Return the p-value of the Kolmogorov-Smirnov test that draws are uniform on an interval.

    Args:
        draws: Draws, float [draws].
        low: Lower end of the interval.
        high: Upper end of the interval.
        tests: Number of tests that share the false-alarm rate (Bonferroni).

    """
    from scipy import stats  # noqa: PLC0415

    note_sample("even draws", len(draws), *([tests] if tests > 1 else []))
    return min(1.0, tests * float(stats.kstest(draws, stats.uniform(low, high - low).cdf).pvalue))


def chance_of_independent_draws(draws: NDArray[Any], low: float, high: float) -> float:
    """Bound the p-value of two tests that draws are independent and uniform on an interval.

    The first finds draws that are not uniform, and the second draws that are too even: a shuffled grid, for example.

    Args:
        draws: Draws, float [draws].
        low: Lower end of the interval.
        high: Upper end of the interval.

    """
    intervals = max(1, len(draws) // DRAWS_PER_INTERVAL)
    places = np.clip((draws.astype(np.float64) - low) / (high - low) * intervals, 0, intervals - 1).astype(int)
    evenness = chance_of_evenness(np.bincount(places, minlength=intervals))
    examined = draws[:: -(-len(draws) // EXAMINED)]
    return min(chance_of_draws(examined, low, high, tests=2), 2 * evenness)


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


def chance_at_least(count: int, total: int, probability: float) -> float:
    """Return the probability that `total` draws, each with at most this probability, have so many successes or more."""
    from scipy import stats  # noqa: PLC0415

    note_sample("at least", int(total), float(probability))
    return float(stats.binom.sf(count - 1, total, probability))


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
