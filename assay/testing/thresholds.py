"""Statistical limits: computed from stored runs of the reference by a rule, with both of its error rates.

A correct implementation must hardly ever fail, and it must be known how small a defect is found. Where runs are normal,
the limits are the one-sided tolerance bounds of a normal distribution: with confidence `CONFIDENCE`, which covers that
mean and deviation are estimated from a finite number of runs, a correct run lies beyond a limit with a probability of
at most `FALSE_ALARM`. Where they are anything but normal, the limit is the worst of them, and more than one new run has
to be worse: see `Worst`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import spec
from assay.adapters.proxy import NonConformanceError
from assay.errors import UserError
from assay.testing.decisions import Level, note, note_sample

FOLDER = Path(spec.__file__).parent / "thresholds"

# One run of the suite in 10,000 may fail a correct implementation by chance. The statistical decisions of a run share
# that. Their number is counted, and a test keeps it below this.
RATE = 1e-4 / 400
# Tests compare with this, which counts their decisions.
FALSE_ALARM = Level(RATE)

# The mean loss of each quarter of a training's batches.
QUARTERS = ("loss_1", "loss_2", "loss_3", "loss_4")
CONFIDENCE = 0.95
# The probability with which a defect of the stated size is found.
DETECTION = 0.99
NORMAL = NormalDist()


def quarters(losses: NDArray[Any]) -> list[float]:
    """Return the mean loss of each quarter of a training: [num_batches] to 4 numbers."""
    return [float(quarter.mean(dtype=np.float64)) for quarter in np.array_split(losses, len(QUARTERS))]


@dataclass(frozen=True)
class Limits:
    """What correct runs may give.

    Attributes:
        mean: Mean of the stored runs.
        deviation: Their standard deviation.
        lower: A correct run is below it with a probability of at most `FALSE_ALARM`.
        upper: A correct run is above it with the same probability.
        detectable: An implementation whose mean is this much lower fails with a probability of `DETECTION`.

    """

    mean: float
    deviation: float
    lower: float
    upper: float
    detectable: float


def tolerance_factor(runs: int) -> float:
    """How many standard deviations a limit lies from the mean.

    For a normal sample of size n the factor is t'(CONFIDENCE; n - 1, z sqrt(n)) / sqrt(n), with t' the quantile of
    the noncentral t distribution and z the normal quantile of 1 - FALSE_ALARM (Hahn and Meeker, "Statistical
    intervals", 1991, section 4.6).
    """
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else, and few processes need it

    noncentrality = NORMAL.inv_cdf(1 - RATE) * math.sqrt(runs)
    return float(stats.nct.ppf(CONFIDENCE, runs - 1, noncentrality)) / math.sqrt(runs)


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


def assert_share(what: str, count: int, total: int, probability: float, level: float = FALSE_ALARM) -> None:
    """Check how many of some independent events have happened.

    Args:
        what: The events, for the message.
        count: How many have happened.
        total: How many could have.
        probability: Probability of each.
        level: False-alarm rate.

    Raises:
        NonConformanceError: The count is less probable than that.

    """
    __tracebackhide__ = True
    found = chance_of_share(int(count), total, probability)
    if not found > level:
        msg = f"{count} of {total} {what}: a probability of {found:.3g}, where {probability:.3g} of them are expected"
        raise NonConformanceError(msg)


def assert_no_echo(what: str, draws: NDArray[Any], probability: float) -> None:
    """Check that no draw goes with one before it, from the one just before up to half of all draws back.

    Pairs at a distance that share no draw are independent, so the number of those that are alike is binomial. The
    false-alarm rate is shared by all distances.

    Args:
        what: The draws, for the message.
        draws: Whether each event has happened, bool [n].
        probability: Probability of each event.

    Raises:
        NonConformanceError: Draws at some distance go together.

    """
    __tracebackhide__ = True
    from scipy import stats  # noqa: PLC0415 - as above

    alike, totals = [], []
    distances = np.arange(1, len(draws) // 2)
    for distance in distances:
        # Each draw of every other stretch of this length, with its partner in the next stretch.
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


def limits(values: Sequence[float]) -> Limits:
    """Apply the rule for normal runs to the values of correct ones."""
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    factor = tolerance_factor(len(values))
    return Limits(
        mean=mean,
        deviation=deviation,
        lower=mean - factor * deviation,
        upper=mean + factor * deviation,
        detectable=(factor + NORMAL.inv_cdf(DETECTION)) * deviation,
    )


@dataclass(frozen=True)
class Worst:
    """What correct runs may give, however they are distributed.

    Any order of the stored and the new runs of a correct implementation is as likely as any other. So all of k new ones
    lie below all of n stored ones with a probability of 1 / C(n + k, k), and of less where some are equal.

    Attributes:
        lower: The worst of the stored runs.
        attempts: Number `k` of runs with different seeds that must all lie below `lower` for a failure.
        false_alarm: Probability of that for a correct implementation.
        detectable: An implementation whose runs lie below with this probability fails with one of `DETECTION`.

    """

    lower: float
    attempts: int
    false_alarm: float
    detectable: float


def worst(values: Sequence[float]) -> Worst:
    """Apply the rule for any distribution to the values of correct runs, with as few attempts as it may have."""
    lower = min(values)
    attempts = next(k for k in count(1) if 1 / math.comb(len(values) + k, k) <= RATE)
    return Worst(
        lower=lower,
        attempts=attempts,
        false_alarm=1 / math.comb(len(values) + attempts, attempts),
        detectable=DETECTION ** (1 / attempts),
    )


# By what is known of the distribution of runs: the rule, and the rates that it is made for.
RULES: dict[str, tuple[Callable[[Sequence[float]], Limits | Worst], dict[str, float]]] = {
    "normal": (limits, {"false_alarm": RATE, "confidence": CONFIDENCE, "detection": DETECTION}),
    "any": (worst, {"false_alarm": RATE, "detection": DETECTION}),
}


@dataclass(frozen=True)
class Threshold:
    """Stored runs of the reference, and the limits that follow from them.

    Attributes:
        name: Name of the file.
        recipe: Arguments of `training.fit`, or of `agent.fit`, but for the seed and the data.
        runs: Results of each run, without its seed: for a network `accuracy`, and the names in `QUARTERS`.

    """

    name: str
    recipe: dict[str, Any]
    runs: tuple[dict[str, float], ...]

    def values(self, what: str) -> list[float]:
        """Return what every run gave."""
        return [run[what] for run in self.runs]

    def limits(self, what: str = "accuracy") -> Limits:
        """Apply the rule for normal runs to what the stored ones gave."""
        note(2 * RATE)
        note_sample("threshold", self.name, what)
        return limits(self.values(what))

    def worst(self, what: str) -> Worst:
        """Apply the rule for any runs to what the stored ones gave."""
        found = worst(self.values(what))
        note(found.false_alarm)
        note_sample("threshold", self.name, what)
        return found


def names() -> list[str]:
    """Return the names of all thresholds."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def path(name: str) -> Path:
    """Return the file of a threshold: one of the suite's by its name, or any by a path that ends in `.json`."""
    return Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"


def content(name: str) -> dict[str, Any]:
    """Read the file of a threshold.

    Raises:
        UserError: The name is unknown.

    """
    if not path(name).is_file():
        msg = f"unknown threshold {name!r}"
        raise UserError(msg, f"Thresholds: {', '.join(names())}")
    stored: dict[str, Any] = json.loads(path(name).read_text(encoding="utf-8"))
    return stored


def threshold(name: str) -> Threshold:
    """Read a threshold."""
    stored = content(name)
    return Threshold(name, stored["recipe"], tuple(stored["runs"]))
