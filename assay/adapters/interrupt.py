"""Detection of interrupts by the user, since an implementation can raise KeyboardInterrupt too."""

from __future__ import annotations

import signal
from time import monotonic
from types import FrameType

# Some programs signal a process and then its group. Signals within this time count as one.
SAME_SIGNAL_SECONDS = 1.0
_watched = False
_pressed_at: float | None = None


def watch() -> None:
    """Start recording when the user interrupts this process, or ends it with SIGTERM or SIGHUP."""
    global _watched  # noqa: PLW0603 - signal handlers are global
    _watched = True
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Signals ignored by `nohup` stay ignored.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    global _pressed_at  # noqa: PLW0603
    now = monotonic()
    if _pressed_at is not None and now - _pressed_at < SAME_SIGNAL_SECONDS:
        return
    _pressed_at = now
    raise KeyboardInterrupt


def is_from_user() -> bool:
    """Whether a KeyboardInterrupt comes from outside this process, as far as known."""
    return _pressed_at is not None or not _watched
