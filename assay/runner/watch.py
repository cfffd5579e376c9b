"""The first process of a run watches its workers: one that says nothing any more is ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from assay.adapters.time_limit import GRACE_SECONDS

POLL_SECONDS = 0.5
# A worker receives its next test before it has to wait for it: one that stands still meanwhile has been stopped.
STOPPED_SECONDS = GRACE_SECONDS


class Watch:
    """A thread that looks after the workers.

    Attributes:
        ended: The workers that it has ended, with the reason.

    """

    def __init__(self, folder: Path) -> None:
        """Take the folder of the run, where workers note what they do."""
        self.ended: dict[str, str] = {}
        self._folder = folder
        self._done = Event()
        self._stopped: dict[str, float] = {}
        # As long as this process did not run itself, because the user had stopped all of them, nothing counts.
        self._lost_seconds = 0.0
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Look after nobody any more."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        last = monotonic()
        while not self._done.wait(POLL_SECONDS):
            now = monotonic()
            self._lost_seconds += max(0.0, now - last - 4 * POLL_SECONDS)
            last = now
            self._look(now)

    def _look(self, now: float) -> None:
        workers = dict(_notes(self._folder, "worker-*"))
        for worker, (pid, _) in workers.items():
            if worker not in self.ended and _is_stopped(pid):
                since = self._stopped.setdefault(worker, now + self._lost_seconds)
                if now - since > STOPPED_SECONDS + self._lost_seconds and not self._is_running_a_test(worker):
                    self._end(worker, pid, "its process was stopped, and had to be ended")
            else:
                self._stopped.pop(worker, None)
        for worker, (pid, deadline) in _notes(self._folder, "running-*"):
            if worker in workers and worker not in self.ended and now > deadline + self._lost_seconds:
                self._end(worker, pid, "its process said nothing any more, and had to be ended")

    def _is_running_a_test(self, worker: str) -> bool:
        return any(running == worker for running, _ in _notes(self._folder, "running-*"))

    def _end(self, worker: str, pid: int, why: str) -> None:
        self.ended[worker] = why
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def note_worker(folder: Path, worker: str) -> None:
    """Note the process of a worker, in that process."""
    (folder / f"worker-{worker}").write_text(f"{worker} {os.getpid()} 0", encoding="ascii")


def forget_worker(folder: Path, worker: str) -> None:
    """Forget a worker that has ended: its number may become that of another process."""
    (folder / f"worker-{worker}").unlink(missing_ok=True)


def _notes(folder: Path, pattern: str) -> list[tuple[str, tuple[int, float]]]:
    """Read notes: worker, number of its process, and time by which it has to be done."""
    found = []
    for path in folder.glob(pattern):
        # It may be gone by now, or not be written yet.
        with suppress(OSError, ValueError):
            worker, pid, deadline = path.read_text(encoding="ascii").split()
            found.append((worker, (int(pid), float(deadline))))
    return found


def _is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal, as far as the system says so."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state == "T"
