"""Regenerate the stored runs of a threshold in parallel, storing each run as it finishes."""

from __future__ import annotations

import json
import math
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assay import __version__
from assay.adapters.loading import Description
from assay.adapters.parentage import describe_end
from assay.adapters.plain_text import plain
from assay.errors import ErrorKind, UserError
from assay.files import json_file
from assay.runner import launch
from assay.survey import process
from assay.survey.engine import Engine
from assay.testing import chances, thresholds

REFERENCE = "reference"
HINT = "Remove the file, or choose another folder with --output"


class TrainingError(Exception):
    """Raised when a training gives no results."""


@dataclass(frozen=True)
class Training:
    """A task for one worker.

    Attributes:
        suite: Version of Assay that the worker must have too.
        implementation: Name on the command line.
        recipe: Recipe of the threshold.
        seed: Seed of the training.

    """

    suite: str
    implementation: str
    recipe: dict[str, Any]
    seed: int


def train(task: Training) -> tuple[str, dict[str, float]]:
    """Train once in a separate process, and return the device and the results to store.

    Raises:
        TrainingError: The training gave no results, or this worker has another version of Assay.

    """
    if task.suite != __version__:
        msg = f"the worker has Assay {__version__}, and the calibration was started with {task.suite}"
        raise TrainingError(msg)
    with tempfile.TemporaryDirectory(prefix="assay-calibrate-") as name:
        asked, result, log = (Path(name) / each for each in ("task.json", "result.json", "log"))
        asked.write_text(json.dumps(asdict(task)), encoding="utf-8")
        words = [sys.executable, "-m", "assay.survey.trainings", str(asked), str(result)]
        status = process.run(words, log, launch.environment())
        if not result.exists():
            msg = f"{describe_end(status)}, without a result: {process.last_words(log)}"
            raise TrainingError(msg)
        content = json.loads(result.read_bytes())
    return plain(content["device"]), _numbers(content["numbers"])


def _numbers(content: Any) -> dict[str, float]:  # noqa: ANN401 - what a process wrote
    is_one = isinstance(content, dict) and all(
        isinstance(value, float | int) and math.isfinite(value) for value in content.values()
    )
    if not is_one:
        msg = f"its results are not finite numbers: {plain(content)[:200]}"
        raise TrainingError(msg)
    return {plain(name): float(value) for name, value in content.items()}


@dataclass
class Calibration:
    """Runs of one implementation for one threshold, kept in a file.

    Attributes:
        file: File that keeps the runs during the calibration.
        threshold: Content of the threshold's file.
        implementation: Name on the command line.
        description: Description that the implementation gives of itself.
        device: Device of the runs, as the implementation names it; empty before the first.
        runs: Results by seed.
        failed: Reasons for failures, by seed.

    """

    file: Path
    threshold: dict[str, Any]
    implementation: str
    description: Description
    device: str = ""
    runs: dict[int, dict[str, float]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return the conditions that runs stored together must share."""
        return {
            "recipe": self.threshold["recipe"],
            "implementation": self.implementation,
            "version": self.description.version,
            "frameworks": self.description.frameworks,
            "machine": platform.machine(),
        }

    def take_stored(self) -> None:
        """Reuse the runs in the threshold's own file, if they were made under the same conditions."""
        stored = {what: self.threshold.get(what) for what in ("recipe", "frameworks", "machine")}
        if self.implementation == REFERENCE and stored.items() <= self.identity().items():
            self.device = self.threshold["device"]
            self._take(self.threshold["runs"])

    def resume(self) -> None:
        """Reuse the runs of an interrupted calibration.

        Raises:
            UserError: The file has runs made under other conditions.

        """
        if not self.file.exists():
            return
        content = json_file.load(self.file, "calibration", HINT)
        if not isinstance(content, dict) or {what: content.get(what) for what in self.identity()} != self.identity():
            msg = f"{self.file} has runs of another recipe, implementation or version"
            raise UserError(ErrorKind.CHANGED_CONDITIONS, msg, HINT)
        self.device = plain(content["device"])
        self._take(content["runs"])

    def _take(self, runs: list[dict[str, Any]]) -> None:
        for run in runs:
            self.runs[int(run["seed"])] = {name: value for name, value in run.items() if name != "seed"}

    def add(self, seed: int, device: str, numbers: dict[str, float]) -> None:
        """Store a run atomically."""
        self.device = device
        self.runs[seed] = numbers
        self.failed.pop(seed, None)
        content = self.identity() | {"suite": __version__, "device": device, "runs": self.as_list()}
        json_file.write(self.file, content, "calibration")

    def as_list(self) -> list[dict[str, float]]:
        """Return the runs with their seeds, ordered by seed."""
        return [{"seed": seed} | self.runs[seed] for seed in sorted(self.runs)]

    def run_missing(self, count: int, engine: Engine, on_stored: Callable[[], object]) -> None:
        """Train with the missing seeds, counted from 0.

        Args:
            count: Total number of runs, including stored ones.
            engine: Workers.
            on_stored: Function to call after each run.

        """
        missing = [seed for seed in range(count) if seed not in self.runs]
        tasks = [Training(__version__, self.implementation, self.threshold["recipe"], seed) for seed in missing]
        for done in engine.run(train, tasks):
            if done.result is None:
                self.failed[done.task.seed] = done.error
                continue
            self.add(done.task.seed, *done.result)
            on_stored()

    def limits(self) -> dict[str, Any]:
        """Apply the rule of the threshold to the runs."""
        rule, _ = thresholds.RULES[self.threshold.get("distribution", "normal")]
        first = next(iter(self.runs.values()))
        return {what: asdict(rule([run[what] for run in self.runs.values()])) for what in first}

    def as_threshold(self) -> dict[str, Any]:
        """Return the content of the threshold's file, with these runs and their limits."""
        _, rates = thresholds.RULES[self.threshold.get("distribution", "normal")]
        return self.threshold | {
            "suite": __version__,
            "frameworks": self.description.frameworks,
            "device": self.device,
            "machine": platform.machine(),
            "rule": rates,
            "limits": self.limits(),
            "runs": self.as_list(),
        }

    def compare(self) -> list[str]:
        """Compare the runs of another implementation with the stored limits."""
        return [self._compare(what, limits) for what, limits in self.threshold["limits"].items()]

    def _compare(self, what: str, limits: dict[str, float]) -> str:
        values = [run[what] for run in self.runs.values()]
        stored = [run[what] for run in self.threshold["runs"]]
        low, high = limits["lower"], limits.get("upper", math.inf)
        beyond = sum(not low <= value <= high for value in values)
        import numpy as np  # noqa: PLC0415 - only needed at the end

        chance = chances.chance_of_samples(np.array(values), np.array(stored))
        return (
            f"{what}: {beyond} of {len(values)} runs beyond the limits; the distributions of {len(values)} and"
            f" {len(stored)} runs differ as much with a probability of {chance:.2g}"
        )
