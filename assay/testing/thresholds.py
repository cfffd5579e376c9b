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
