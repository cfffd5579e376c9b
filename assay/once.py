"""Expensive work, such as training a model, is done once in a run, whichever process needs it first."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from assay.guard import AdapterError, NonConformanceError
from assay.watchdog import TimeLimitError

Result = TypeVar("Result")


def once(folder: Path, name: str, work: Callable[[], Result]) -> Result:
    """Return what `work` returned the first time in this run, in this process or another.

    Args:
        folder: shared by the processes of the run.
        name: of the work, fit for a file.
        work: the work.

    Raises:
        AdapterError: the work failed the first time, or ended its process.
        NonConformanceError: likewise.
        TimeLimitError: likewise.

    """
    done, started = folder / f"{name}.done", folder / f"{name}.started"
    with FileLock(folder / f"{name}.lock"):
        if not done.exists():
            if started.exists():
                msg = f"{name} was begun before in this run, and its process did not live to finish it"
                raise AdapterError(msg)
            started.touch()
            done.write_bytes(pickle.dumps(_outcome(work)))
    outcome: Result | AdapterError | NonConformanceError | TimeLimitError
    outcome = pickle.loads(done.read_bytes())  # noqa: S301 - written by this run, in a folder of its own
    if isinstance(outcome, AdapterError | NonConformanceError | TimeLimitError):
        raise outcome
    return outcome


def _outcome(work: Callable[[], Result]) -> Result | AdapterError | NonConformanceError | TimeLimitError:
    try:
        return work()
    except (AdapterError, NonConformanceError, TimeLimitError) as error:
        return error
