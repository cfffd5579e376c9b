"""Containment of a test: its time limit, the state of the process, and the attribution of its errors."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest

from assay.adapters.process_state import ProcessState, RandomState, Surroundings, end_copy
from assay.adapters.time_limit import WALL_FACTOR, limit
from assay.runner import failure
from assay.runner.stash import claims_of, run_key

_random = RandomState()
_streams: dict[int, TextIO] = {}


def contain(item: pytest.Item, *, draws: bool = True) -> Generator[None, object, object]:
    """Run a phase of a test, and undo the implementation's changes to the process.

    Args:
        item: The test.
        draws: Whether the implementation may draw random numbers in this phase. Isolating its generators takes time.

    """
    if not claims_of(item):
        return (yield)
    run = item.config.stash[run_key]
    is_worker = hasattr(item.config, "workerinput")
    try:
        # A clean-up of temporary files may have removed the folder.
        Path(run.folder).mkdir(parents=True, exist_ok=True)
        # Only a worker may be ended: ending the main process would lose the other tests.
        hung_stack = run.shared.hung_stack(item.nodeid) if is_worker else None
        if is_worker:
            run.note_running(item.nodeid, item.config.workerinput["workerid"])  # type: ignore[attr-defined]  # xdist sets it
        state, surroundings = ProcessState(), Surroundings()
        try:
            with (
                _own_streams(),
                _random.activate() if draws else nullcontext(),
                np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
                limit(run.claim_seconds, hung_stack, factor=WALL_FACTOR),
            ):
                return (yield)
        finally:
            end_copy()
            state.restore()
            surroundings.restore()
    except BaseException as error:
        failure.number_lines(error)
        if (attributed := failure.attribute(error)) is error:
            raise
        raise attributed.with_traceback(attributed.__traceback__ or error.__traceback__) from None


@contextmanager
def _own_streams() -> Iterator[None]:
    """Give a test its own streams, so that closing them does not affect other tests."""
    before = {name: getattr(sys, name) for name in ("stdout", "stderr", "__stdout__", "__stderr__")}
    for name, stream in before.items():
        # There may be no stream if pytest captures nothing or does not capture file descriptors.
        with suppress(AttributeError, OSError, ValueError):
            setattr(sys, name, _stream(stream.fileno()))
    try:
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


def _stream(number: int) -> TextIO:
    if number not in _streams or _streams[number].closed or not _is_open(_streams[number]):
        _streams[number] = io.TextIOWrapper(
            io.FileIO(os.dup(number), "w"), encoding="utf-8", errors="backslashreplace", write_through=True
        )
    return _streams[number]


def close_streams() -> None:
    """Close the streams of the tests, at the end of a run."""
    for stream in _streams.values():
        # An implementation may have closed the file below the stream.
        with suppress(OSError, ValueError):
            stream.close()
    _streams.clear()


def _is_open(stream: TextIO) -> bool:
    try:
        os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return True
