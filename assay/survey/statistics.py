"""Confidence limits of a probability from counts, and tail estimates from a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.testing.thresholds import CONFIDENCE

# Fraction of a sample used to estimate its tail, and the minimum number of values.
TAIL = 0.1
FEWEST_IN_TAIL = 10


@dataclass(frozen=True)
class Rate:
    """Frequency of an event.

    Attributes:
        count: Number of occurrences.
        total: Number of trials.

    """

    count: int
    total: int

    @property
    def upper(self) -> float:
        """The one-sided upper confidence limit of the probability, at `CONFIDENCE`, by Clopper and Pearson (1934)."""
        from scipy import stats  # noqa: PLC0415 - slow to import and rarely needed

        if not self.total:
            return 1.0
        level = 2 * CONFIDENCE - 1
        interval = stats.binomtest(self.count, self.total).proportion_ci(level, method="exact")
        return float(interval.high)

    def __str__(self) -> str:
        """State count and limit in one phrase."""
        return f"{self.count} of {self.total} (at most {self.upper:.2g} with {CONFIDENCE:.0%} confidence)"


@dataclass(frozen=True)
class Tail:
    """Distribution of the ratio of error to bound over all runs of a claim.

    Attributes:
        count: Number of runs.
        median: Median.
        high: 99 % quantile.
        largest: Largest ratio.
        beyond: Estimated probability of a ratio above 1; None for too few runs.

    """

    count: int
    median: float
    high: float
    largest: float
    beyond: float | None


def tail(ratios: Sequence[float]) -> Tail:
    """Summarise ratios, and extrapolate their tail to 1.

    The largest tenth is taken to follow a power law. Its exponent is estimated by Hill's method ("A simple general
    approach to inference about the tail of a distribution", 1975). Rounding errors have lighter tails than that, so the
    estimate tends to be too large.
    """
    values = np.sort(np.asarray(ratios, np.float64))[::-1]
    median, high = (float(value) for value in np.quantile(values, [0.5, 0.99]))
    largest = float(values[0])
    count = int(len(values) * TAIL)
    start = values[count] if count < len(values) else 0.0
    if count < FEWEST_IN_TAIL or not 0 < start < 1:
        beyond = None
    elif largest <= start:
        beyond = 0.0
    else:
        exponent = 1 / float(np.mean(np.log(values[:count] / start)))
        beyond = count / len(values) * float(start) ** exponent
    return Tail(len(values), median, high, largest, beyond)
