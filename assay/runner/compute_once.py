"""Expensive work, such as training a model, that is done once per run and shared by its processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from assay.adapters.protocol.errors import PeerLostError
from assay.adapters.proxy import AdapterError, NonConformanceError
from assay.adapters.time_limit import TimeLimitError
from assay.files import lock

Result = TypeVar("Result")

# Failures that are raised again in every process that needs the work.
FAILURES = (AdapterError, NonConformanceError, PeerLostError, TimeLimitError)


def compute_once(folder: Path, name: str, work: Callable[[], Result]) -> Result:
    """Return the result of `work`, which is called once per run, in this process or another.

    Args:
        folder: Folder shared by the processes of the run.
        name: Name of the work, usable as a file name.
        work: The work.

    Raises:
        AdapterError: The work failed the first time, or ended its process.
        NonConformanceError: The work raised it.
        PeerLostError: The work raised it.
        TimeLimitError: The work raised it.

    """
    done, started = folder / f"{name}.done", folder / f"{name}.started"
    with lock.at(folder / f"{name}.lock"):
        if not done.exists():
            if started.exists():
                msg = f"{name} was begun before in this run, and its process did not live to finish it"
                raise AdapterError(msg)
            started.touch()
            done.write_bytes(pickle.dumps(outcome_of(work)))
    outcome: Any = pickle.loads(done.read_bytes())  # noqa: S301 - written by this run in its own folder
    if isinstance(outcome, FAILURES):
        raise outcome
    result: Result = outcome
    return result


def outcome_of(work: Callable[[], Result]) -> Result | BaseException:
    """Do the work, and return its result, or the failure that it raised."""
    try:
        return work()
    except FAILURES as error:
        return error
