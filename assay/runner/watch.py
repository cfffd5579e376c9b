"""Supervision of workers by the main process, which ends those that hang."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from assay.adapters.time_limit import GRACE_SECONDS
from assay.runner.run_folder import RunFolder

POLL_SECONDS = 0.5
# A worker always has its next test at hand, so a worker that is idle for this long has been stopped.
STOPPED_SECONDS = GRACE_SECONDS


class Watch:
    """A thread that ends workers that hang.

    Attributes:
        ended: Why each worker was ended, by its name.

    """

    def __init__(self, shared: RunFolder) -> None:
        """Prepare to watch.

        Args:
            shared: Folder of the run, with the notes of workers.

        """
        self.ended: dict[str, str] = {}
        self._shared = shared
        self._done = Event()
        self._stopped: dict[str, float] = {}
        # Time during which the user had stopped all processes, including this one, does not count.
        self._lost_seconds = 0.0
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start watching. Without workers, the implementation shares the process, so no thread is started there."""
        self._thread.start()

    def finish(self) -> None:
        """Stop watching."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        last = monotonic()
        while not self._done.wait(POLL_SECONDS):
            now = monotonic()
            self._lost_seconds += max(0.0, now - last - 4 * POLL_SECONDS)
            last = now
            # The folder may be unreadable for a moment. The thread must survive that.
            with suppress(OSError):
                self._look(now)

    def _look(self, now: float) -> None:
        workers, running = self._shared.workers(), self._shared.running_tests()
        busy = {note.worker for note in running}
        for worker, pid, _ in workers:
            if worker not in self.ended and _is_stopped(pid):
                since = self._stopped.setdefault(worker, now + self._lost_seconds)
                if now - since > STOPPED_SECONDS + self._lost_seconds and worker not in busy:
                    self._end(worker, pid, "its process was stopped, and had to be ended")
            else:
                self._stopped.pop(worker, None)
        known = {note.worker for note in workers}
        for worker, pid, deadline in running:
            if worker in known and worker not in self.ended and now > deadline + self._lost_seconds:
                self._end(worker, pid, "its process said nothing any more, and had to be ended")

    def _end(self, worker: str, pid: int, why: str) -> None:
        self.ended[worker] = why
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal, as far as the system says so."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state == "T"
