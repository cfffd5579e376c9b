"""The end of processes: ending with the parent, if the operating system supports it, and exit statuses in words."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1
# Loaded before a fork, after which the child must not load anything.
_c = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Make the system send this process a signal when its parent ends."""
    parent = os.getppid()
    if _c is not None:
        _c.prctl(_SET_PARENT_DEATH_SIGNAL, int(number), 0, 0, 0)
        # The parent may have ended in the meantime.
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def ending_with_parent() -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes a new process end with this one; None if unsupported."""
    if _c is None:
        return None
    c, parent = _c, os.getpid()

    def end_with_this_process() -> None:
        c.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return end_with_this_process


def describe_end(status: int) -> str:
    """Describe how a process ended: its exit status, or the signal."""
    if status >= 0:
        return f"exit status {status}"
    return f"signal {-status} ({signal.strsignal(-status)})"
