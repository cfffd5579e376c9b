"""Comparisons of counts with the binomial distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.adapters.proxy import NonConformanceError
from assay.testing.chances import chance_of_share
from assay.testing.decisions import note_sample
from assay.testing.thresholds import FALSE_ALARM


def assert_share(
    what: str, count: int, total: int, probability: float, level: float = FALSE_ALARM, *, decisions: int = 1
) -> None:
    """Check a count by the exact binomial test.

    Args:
        what: Events that are counted, for the message.
        count: Number of events that happened.
        total: Number of independent trials.
        probability: Probability of the event in each trial.
        level: False-alarm rate.
        decisions: Number of such comparisons that share the level.

    Raises:
        NonConformanceError: The count is less probable than the level permits.

    """
    __tracebackhide__ = True
    chance = chance_of_share(int(count), total, probability)
    if not chance > level / decisions:
        msg = (
            f"{what}: {count} of {total}, expected {total * probability:.1f}; by chance, a count is this far off with a"
            f" probability of {chance:.3g}"
        )
        raise NonConformanceError(msg)


def assert_sum(what: str, count: int, probabilities: NDArray[Any]) -> None:
    """Check how many of several independent events happened, each of which has a probability of its own.

    The distribution is exact (Poisson's binomial distribution).

    Args:
        what: Events that are counted, for the message.
        count: Number of events that happened.
        probabilities: Probability of each event, [events].

    Raises:
        NonConformanceError: The count is less probable than `FALSE_ALARM`.

    """
    __tracebackhide__ = True
    distribution = np.ones(1)
    for probability in probabilities:
        distribution = np.convolve(distribution, [1 - probability, probability])
    note_sample("share", len(probabilities), float(np.mean(probabilities)))
    chance = 2 * min(distribution[: int(count) + 1].sum(), distribution[int(count) :].sum())
    if not chance > FALSE_ALARM:
        msg = (
            f"{what}: {count} of {len(probabilities)}, expected {np.sum(probabilities):.1f}; chance is this far off"
            f" with a probability of {chance:.3g}"
        )
        raise NonConformanceError(msg)


def assert_no_echo(what: str, draws: NDArray[Any], probability: float) -> None:
    """Check that no draw is correlated with an earlier one, at any distance up to half the number of draws.

    Pairs at a distance that have no draw in common are independent, so the number of equal pairs is binomial. All
    distances share the false-alarm rate.

    Args:
        what: Description of the draws, for the message.
        draws: Whether each event has happened, bool [n].
        probability: Probability of each event.

    Raises:
        NonConformanceError: Draws at some distance are correlated.

    """
    __tracebackhide__ = True
    from scipy import stats  # noqa: PLC0415 - as above

    alike, totals = [], []
    distances = np.arange(1, len(draws) // 2)
    for distance in distances:
        # Pairs each draw of every other block of this length with the draw at the same position in the next block.
        starts = np.arange(len(draws) - distance)
        starts = starts[starts // distance % 2 == 0]
        alike.append(int((draws[starts] == draws[starts + distance]).sum()))
        totals.append(len(starts))
    by_chance = stats.binom(np.array(totals), probability**2 + (1 - probability) ** 2)
    chances = 2 * np.minimum(by_chance.cdf(alike), by_chance.sf(np.array(alike) - 1))
    worst = int(chances.argmin())
    if not chances[worst] > FALSE_ALARM / len(distances):
        msg = (
            f"{alike[worst]} of {totals[worst]} {what} are as the one {distances[worst]} before: a probability of"
            f" {chances[worst]:.3g}"
        )
        raise NonConformanceError(msg)


def assert_few_in_common(what: str, one: NDArray[Any], other: NDArray[Any], kinds: int) -> None:
    """Check that uniform draws by two seeds, in any order, have no more values in common than by chance.

    Given the first draws, each of the others is among them with the same probability, independently.

    Args:
        what: Things that are drawn, for the message.
        one: Draws by a seed, [draws].
        other: Draws by the next seed, [draws].
        kinds: Number of things to draw from.

    Raises:
        NonConformanceError: Correct draws have so many values in common with a probability of at most `FALSE_ALARM`.

    """
    __tracebackhide__ = True
    common = int(np.isin(other, one).sum())
    share = len(np.unique(one)) / kinds
    assert_share(f"{what} by the next seed that this one draws, too", common, len(other), share)
