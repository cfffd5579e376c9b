"""The folder that the processes of a run share, with notes from each to the others."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32


class Note(NamedTuple):
    """State of a worker.

    Attributes:
        worker: Name of the worker, as xdist gives it.
        pid: Process id.
        deadline: Deadline on the monotonic clock; 0 without a deadline.

    """

    worker: str
    pid: int
    deadline: float


class RunFolder:
    """Paths and notes in the folder of a run, which is removed when the run ends."""

    def __init__(self, path: Path) -> None:
        """Store the path of the folder.

        Args:
            path: Path of the folder.

        """
        self._path = path

    @property
    def cases(self) -> Path:
        """File with the number of cases of every test: see `assay.runner.cases`."""
        return self._path / "cases.json"

    @property
    def ended_in_start(self) -> Path:
        """File that exists once `start` has ended a worker."""
        return self._path / "ended-in-start"

    def starting(self, worker: str) -> Path:
        """Return the file that exists while a worker is in `start`."""
        return self._path / f"starting-{worker}"

    def running(self, test: str) -> Path:
        """Return the file that exists while a worker runs a test, with its note."""
        return self._path / f"running-{crc32(test.encode())}"

    def hung_stack(self, test: str) -> Path:
        """Return the file for the stack of a test that hangs until its process is ended."""
        return self._path / f"hung-{crc32(test.encode())}"

    def crash_stack(self, worker: str) -> Path:
        """Return the file for the stack of a worker that a signal ends."""
        return self._path / f"stack-{worker}"

    def note_worker(self, worker: str) -> None:
        """Note that this process is a worker."""
        _write(self._worker(worker), Note(worker, os.getpid(), 0.0))

    def forget_worker(self, worker: str) -> None:
        """Forget a worker that has ended: the system may give its id to another process."""
        self._worker(worker).unlink(missing_ok=True)

    def note_running(self, test: str, worker: str, deadline: float) -> None:
        """Note that this process, a worker, runs a test until a deadline."""
        _write(self.running(test), Note(worker, os.getpid(), deadline))

    def workers(self) -> list[Note]:
        """Return the notes about the workers."""
        return _read(self._path, "worker-*")

    def running_tests(self) -> list[Note]:
        """Return the notes about the tests that workers are running."""
        return _read(self._path, "running-*")

    def _worker(self, worker: str) -> Path:
        return self._path / f"worker-{worker}"


def _write(path: Path, note: Note) -> None:
    path.write_text(" ".join(map(str, note)), encoding="ascii")


def _read(folder: Path, pattern: str) -> list[Note]:
    found = []
    for path in folder.glob(pattern):
        # The note may have been removed, or may be incomplete.
        with suppress(OSError, ValueError):
            worker, pid, deadline = path.read_text(encoding="ascii").split()
            found.append(Note(worker, int(pid), float(deadline)))
    return found
