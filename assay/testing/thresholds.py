"""Statistical limits, computed from stored runs of the reference, with both error rates.

A correct implementation must hardly ever fail, and the size of a detectable defect must be known. For normal results,
the limits are the one-sided tolerance bounds of a normal distribution. With confidence `CONFIDENCE`, which accounts for
the finite number of runs behind the mean and deviation, a correct run exceeds a limit with a probability of at most
`FALSE_ALARM`. For results far from normal, the limit is the worst stored run, and several new runs must be worse: see
`Worst`.
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
from assay.errors import ErrorKind, UserError
from assay.testing.decisions import Level, note, note_sample

FOLDER = Path(spec.__file__).parent / "thresholds"

# At most one run of the suite in 10,000 may fail a correct implementation by chance. The statistical decisions of a run
# share that rate. A test keeps their number below this.
RATE = 1e-4 / 400
# Tests compare with this level, which counts their decisions.
FALSE_ALARM = Level(RATE)

# Keys of the mean loss in each quarter of a training.
QUARTERS = ("loss_1", "loss_2", "loss_3", "loss_4")
CONFIDENCE = 0.95
# Power: the probability that a defect of the stated size is found.
DETECTION = 0.99
NORMAL = NormalDist()


def quarters(losses: NDArray[Any]) -> list[float]:
    """Return the mean loss of each quarter of a training: [num_batches] to 4 numbers."""
    return [float(quarter.mean(dtype=np.float64)) for quarter in np.array_split(losses, len(QUARTERS))]


@dataclass(frozen=True)
class Limits:
    """Limits on the results of correct runs.

    Attributes:
        mean: Mean of the stored runs.
        deviation: Standard deviation of the stored runs.
        lower: Limit that a correct run falls below with a probability of at most `FALSE_ALARM`.
        upper: Limit that a correct run exceeds with the same probability.
        detectable: Decrease of the mean at which an implementation fails with a probability of `DETECTION`.

    """

    mean: float
    deviation: float
    lower: float
    upper: float
    detectable: float


def tolerance_factor(runs: int) -> float:
    """Return the distance of a limit from the mean, in standard deviations.

    For a normal sample of size n the factor is t'(CONFIDENCE; n - 1, z sqrt(n)) / sqrt(n), with t' the quantile of
    the noncentral t distribution and z the normal quantile of 1 - FALSE_ALARM (Hahn and Meeker, "Statistical
    intervals", 1991, section 4.6).
    """
    from scipy import stats  # noqa: PLC0415 - slow to import and rarely needed

    noncentrality = NORMAL.inv_cdf(1 - RATE) * math.sqrt(runs)
    return float(stats.nct.ppf(CONFIDENCE, runs - 1, noncentrality)) / math.sqrt(runs)


def limits(values: Sequence[float]) -> Limits:
    """Compute the limits from normally distributed values of correct runs."""
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
    """Limit on the results of correct runs, whatever their distribution.

    Any order of the stored and the new runs of a correct implementation is equally likely. So all k new runs are below
    all n stored runs with a probability of 1 / C(n + k, k), or less if some are equal.

    Attributes:
        lower: The worst of the stored runs.
        attempts: Number `k` of runs with different seeds that must all lie below `lower` for a failure.
        false_alarm: Probability that a correct implementation fails.
        detectable: Probability of a run below `lower` at which a failure has the probability `DETECTION`.

    """

    lower: float
    attempts: int
    false_alarm: float
    detectable: float


def worst(values: Sequence[float]) -> Worst:
    """Compute the limit from values of correct runs with any distribution, with the fewest possible attempts."""
    lower = min(values)
    attempts = next(k for k in count(1) if 1 / math.comb(len(values) + k, k) <= RATE)
    return Worst(
        lower=lower,
        attempts=attempts,
        false_alarm=1 / math.comb(len(values) + attempts, attempts),
        detectable=DETECTION ** (1 / attempts),
    )


# The rule for each kind of distribution, with the error rates that it is designed for.
RULES: dict[str, tuple[Callable[[Sequence[float]], Limits | Worst], dict[str, float]]] = {
    "normal": (limits, {"false_alarm": RATE, "confidence": CONFIDENCE, "detection": DETECTION}),
    "any": (worst, {"false_alarm": RATE, "detection": DETECTION}),
}


@dataclass(frozen=True)
class Threshold:
    """Stored runs of the reference, and the limits that follow from them.

    Attributes:
        name: Name of the file.
        recipe: Arguments of `training.fit`, or of `agent.fit`, except the seed and the data.
        runs: Results of each run, without its seed: for a network `accuracy`, and the names in `QUARTERS`.

    """

    name: str
    recipe: dict[str, Any]
    runs: tuple[dict[str, float], ...]

    def values(self, what: str) -> list[float]:
        """Return the value of every run."""
        return [run[what] for run in self.runs]

    def limits(self, what: str = "accuracy") -> Limits:
        """Compute the limits from the stored runs, assuming a normal distribution."""
        note(2 * RATE)
        note_sample("threshold", self.name, what)
        return limits(self.values(what))

    def worst(self, what: str) -> Worst:
        """Compute the limit from the stored runs, for any distribution."""
        found = worst(self.values(what))
        note(found.false_alarm)
        note_sample("threshold", self.name, what)
        return found


def names() -> list[str]:
    """Return the names of all thresholds."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def path(name: str) -> Path:
    """Return the file of a threshold, given a name in the suite or a path that ends in `.json`."""
    return Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"


def content(name: str) -> dict[str, Any]:
    """Read the file of a threshold.

    Raises:
        UserError: The name is unknown.

    """
    if not path(name).is_file():
        msg = f"unknown threshold {name!r}"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, f"Thresholds: {', '.join(names())}")
    stored: dict[str, Any] = json.loads(path(name).read_text(encoding="utf-8"))
    return stored


def threshold(name: str) -> Threshold:
    """Read a threshold."""
    stored = content(name)
    return Threshold(name, stored["recipe"], tuple(stored["runs"]))
