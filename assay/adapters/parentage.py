"""How processes end: with the one that started them, where the operating system can do that, and by what."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1
# Loaded before there is a copy of this process, which must not load anything.
_c = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Let this process get a signal when its parent ends."""
    parent = os.getppid()
    if _c is not None:
        _c.prctl(_SET_PARENT_DEATH_SIGNAL, int(number), 0, 0, 0)
        # It may have ended in between.
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def ending_with_parent() -> Callable[[], None] | None:
    """Return what `subprocess` is to call in a new process so that it ends with this one; None where that cannot be."""
    if _c is None:
        return None
    c, parent = _c, os.getpid()

    def end_with_this_process() -> None:
        c.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return end_with_this_process


def describe_end(status: int) -> str:
    """Say how a process ended: by itself, or by which signal."""
    if status >= 0:
        return f"exit status {status}"
    return f"signal {-status} ({signal.strsignal(-status)})"
