"""Run a survey: run what is not stored yet, and summarise everything stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from assay import __version__
from assay.survey.engine import Done, Engine
from assay.survey.plan import Plan, Trial, batches, tests_of
from assay.survey.store import RejectedError, Store
from assay.survey.summary import Survey, summarise
from assay.survey.task import Task, run_task

# Number of attempts at a run that leaves no ledger.
ATTEMPTS = 2


@dataclass
class Progress:
    """Progress of a survey.

    Attributes:
        trials: All runs.
        stored: Runs that were stored before.
        failed: Reasons why runs left no ledger.

    """

    trials: list[Trial]
    stored: set[Trial]
    failed: dict[Trial, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[Trial]:
        """The runs that are not stored."""
        return [trial for trial in self.trials if trial not in self.stored]


def begin(plan: Plan, store: Store) -> Progress:
    """Determine which runs are already stored."""
    return Progress(plan.trials, {trial for trial in plan.trials if store.read(trial) is not None})


def run_missing(
    plan: Plan, store: Store, progress: Progress, engine: Engine, on_stored: Callable[[Trial], object]
) -> None:
    """Run what is missing, and store each ledger when it arrives.

    Args:
        plan: Plan of the survey.
        store: Store of the results.
        progress: Progress so far.
        engine: Workers.
        on_stored: Function to call after each run is stored.

    """
    tests = tests_of(plan.options.claim) if plan.options.claim else ()
    attempts: dict[Trial, int] = {}

    def follow_up(done: Done[Task, dict[Trial, bytes]]) -> Task | None:
        for trial, content in (done.result or {}).items():
            if trouble := _add(store, trial, content):
                progress.failed[trial] = trouble
                continue
            progress.failed.pop(trial, None)
            progress.stored.add(trial)
            on_stored(trial)
        if done.error:
            progress.failed[done.task.trials[0]] = done.error
        first = done.task.trials[0]
        attempts[first] = attempts.get(first, 0) + 1
        left = [trial for trial in done.task.trials if trial not in progress.stored]
        # A run that keeps failing must not delay the others.
        left = [trial for trial in left if attempts.get(trial, 0) < ATTEMPTS]
        return Task(__version__, plan.options, tuple(left), tests) if left else None

    tasks = [Task(__version__, plan.options, group, tests) for group in _groups(plan, progress.missing, engine)]
    for _ in engine.run(run_task, tasks, follow_up):
        pass


def _add(store: Store, trial: Trial, content: bytes) -> str:
    """Store a ledger, and return the reason if it is rejected, otherwise an empty string."""
    try:
        store.add(trial, content)
    except RejectedError as error:
        return str(error)
    return ""


def _groups(plan: Plan, trials: list[Trial], engine: Engine) -> Iterator[tuple[Trial, ...]]:
    """Yield the runs of one process: many seeds if claims are selected, a single complete run otherwise."""
    if plan.options.claim:
        yield from batches(trials, engine.workers)
    else:
        yield from ((trial,) for trial in trials)


def conclude(plan: Plan, store: Store, progress: Progress) -> Survey:
    """Summarise the stored runs."""
    ledgers = ((trial, found) for trial in progress.trials if (found := store.read(trial)) is not None)
    missing = [
        f"{trial.implementation}, seed {trial.seed}{f', shard {trial.shard}' if trial.shard else ''}"
        f": {progress.failed.get(trial, 'not run')}"
        for trial in progress.missing
    ]
    return summarise(plan, ledgers, missing)
