"""Work of a worker: one complete run in a separate process, or many seeds of a few claims in one process."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from assay import __version__
from assay.adapters.parentage import describe_end
from assay.adapters.time_limit import longest
from assay.runner import launch
from assay.runner.options import RunOptions
from assay.specification import index
from assay.specification.profiles import CLAIM_SECONDS
from assay.survey import process
from assay.survey.plan import Trial

# Seconds until a process with many seeds returns its ledgers, long compared to the loading of a framework.
BATCH_SECONDS = 120.0
# Seconds for loading a framework, in addition to the tests.
START_SECONDS = 120.0


class RunError(Exception):
    """Raised when a run leaves no ledger."""


@dataclass(frozen=True)
class Task:
    """A task for one worker.

    Attributes:
        suite: Version of Assay that the worker must have too.
        options: Options that the runs share.
        trials: Runs, of one implementation.
        tests: Pytest ids of the tests to run; empty for a whole profile.

    """

    suite: str
    options: RunOptions
    trials: tuple[Trial, ...]
    tests: tuple[str, ...] = ()


def run_task(task: Task) -> dict[Trial, bytes]:
    """Run one or more of the trials, as time permits, and return the contents of their ledgers.

    Raises:
        RunError: The first trial left no ledger, or this worker has another version of Assay.

    """
    if task.suite != __version__:
        msg = f"the worker has Assay {__version__}, and the survey was started with {task.suite}"
        raise RunError(msg)
    with tempfile.TemporaryDirectory(prefix="assay-survey-") as name:
        folder = Path(name)
        found = _run_together(task, folder) if len(task.trials) > 1 else {}
        # A trial that ended or blocked the shared process is run alone, so it costs only its own run.
        return found or {task.trials[0]: _run_alone(task, folder)}


def _tests(task: Task) -> list[Path]:
    return [index.tests_folder() / test for test in task.tests] or [index.tests_folder()]


def _run_alone(task: Task, folder: Path) -> bytes:
    """Run the first trial with the recorder in a separate process, as the implementation may crash."""
    results, log = folder / "ledger.json", folder / "log"
    options = replace(task.trials[0].apply_to(task.options), results=results)
    words = launch.command(options, _tests(task), "-n", "1")
    status = process.run(words, log, launch.environment())
    if status < 0 or not results.exists():
        msg = f"{describe_end(status)}, without a ledger: {process.last_words(log)}"
        raise RunError(msg)
    return results.read_bytes()


def _run_together(task: Task, folder: Path) -> dict[Trial, bytes]:
    """Run trials one after the other in one process, so that a framework is loaded once."""
    options = replace(task.options, implementation=task.trials[0].implementation)
    of_pytest = launch.command(options, _tests(task), "-n", "0")[3:]
    seeds = ",".join(str(trial.seed) for trial in task.trials)
    words = [sys.executable, "-m", "assay.runner.repeat", seeds, str(folder), str(BATCH_SECONDS), *of_pytest]
    patience = START_SECONDS + len(task.tests) * longest(task.options.claim_timeout or CLAIM_SECONDS[options.profile])
    progress = _Progress(folder, patience)
    process.run(words, folder / "log", launch.environment(), progress.is_stuck)
    ledgers = {trial: folder / f"{trial.seed}.json" for trial in task.trials}
    return {trial: path.read_bytes() for trial, path in ledgers.items() if path.exists()}


class _Progress:
    """Checks whether ledgers still arrive in a folder."""

    def __init__(self, folder: Path, patience: float) -> None:
        self._folder, self._patience = folder, patience
        self._count, self._since = 0, time.monotonic()

    def is_stuck(self) -> bool:
        """Whether no ledger has arrived for longer than a run may take."""
        count, now = len([*self._folder.glob("*.json")]), time.monotonic()
        if count > self._count:
            self._count, self._since = count, now
        return now - self._since > self._patience
