"""Time limits that hold for code of any kind.

Limits count processor time, since wall-clock time says little on a busy machine. As code may also wait forever without
using any, a second and larger limit holds for the wall clock.
"""

from __future__ import annotations

import faulthandler
import os
import signal

# The private function, because `signal.getsignal` converts results to enumerations and is ten times slower.
from _signal import getsignal  # type: ignore[import-not-found]
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, process_time
from types import FrameType
from typing import TextIO

# pytest only exports its subclasses.
from _pytest.outcomes import OutcomeException

# A hung test is interrupted at its limit. If it cannot be interrupted, as it never returns to Python, its process is
# ended after this many more seconds. Loading the slowest framework takes about as long.
GRACE_SECONDS = 10.0
# Attempts to open a file in a folder that may be removed at the same time.
TRIES = 5
# Limit of the wall-clock time of a test, as a multiple of its limit of processor time.
WALL_FACTOR = 4
# Interval of repeated interruptions, as an implementation may swallow the first.
AGAIN_SECONDS = 5.0
SHORTEST_TIMER = 1e-3
CORES = os.cpu_count() or 1


class TimeLimitError(OutcomeException):
    """A test took too long.

    Not an `Exception`, so that it is not delayed by an implementation's `except Exception` or by Hypothesis, which
    would repeat the test to shrink its input. An `OutcomeException`, so that pytest remembers a fixture that timed out
    like one that failed, and does not try it again.
    """


class _Limit:
    """A time limit in force."""

    def __init__(self, seconds: float, factor: int) -> None:
        self._seconds = seconds
        self._factor = factor
        self._delay = 0.0
        self._began, self._began_processor = monotonic(), process_time()

    def check(self) -> None:
        """Raise `TimeLimitError` if the time is over."""
        wall = monotonic() - self._began
        if wall >= self._seconds and (why := self._overrun(wall)):
            raise TimeLimitError(why)

    def _overrun(self, wall: float) -> str:
        if self._factor == 1:
            return f"not finished after {self._seconds:g} s"
        source = f"{self._seconds:g} s (see --claim-timeout)"
        if wall >= self._seconds * self._factor:
            return f"not finished after {self._seconds * self._factor:g} s, {self._factor} times its limit of {source}"
        if process_time() - self._began_processor >= self._seconds:
            return f"not finished within its limit of {source}, of processor time"
        return ""

    def is_armed(self) -> bool:
        """Whether the alarm is as it was set."""
        remaining = signal.getitimer(signal.ITIMER_REAL)[0]
        return 0 < remaining <= self._delay and getsignal(signal.SIGALRM) == self._interrupt

    def arm(self) -> None:
        """Set the alarm for the earliest time at which the limit may be reached, replacing any other alarm."""
        wall, processor = monotonic() - self._began, process_time() - self._began_processor
        left = self._seconds - wall
        if self._factor > 1:
            left = min(max(left, (self._seconds - processor) / CORES), self._seconds * self._factor - wall)
        if getsignal(signal.SIGALRM) != self._interrupt:
            signal.signal(signal.SIGALRM, self._interrupt)
        # A timer of 0 would be off.
        self._delay = max(left, SHORTEST_TIMER, AGAIN_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, max(left, SHORTEST_TIMER), AGAIN_SECONDS)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self.check()
        self.arm()


_current: _Limit | None = None


def check() -> None:
    """Raise `TimeLimitError` if the time limit in force is over, and set its alarm again if it is not.

    Called after each call of an implementation, which may have swallowed the interruption, or stopped the alarm.
    """
    if _current is not None:
        _current.check()
        if not _current.is_armed():
            _current.arm()


def longest(seconds: float) -> float:
    """Return the wall-clock seconds after which the process of a test with this limit must be ended."""
    return seconds * WALL_FACTOR + GRACE_SECONDS


@contextmanager
def limit(seconds: float, stack_file: Path | None, *, factor: int = 1) -> Iterator[None]:
    """Raise `TimeLimitError` in the main thread when the time is over. If that has no effect, end the process.

    An earlier alarm continues afterwards.

    Args:
        seconds: Time until the exception.
        stack_file: File that gets the stack if the process has to end; None if it must not end.
        factor: Wall-clock seconds allowed per second. Unless it is 1, `seconds` count processor time.

    """
    global _current  # noqa: PLW0603 - the alarm is global
    handler, (remaining, interval), outer = signal.getsignal(signal.SIGALRM), _stop_timer(), _current
    began = monotonic()
    _current = _Limit(seconds, factor)
    try:
        _current.arm()
        if stack_file is None:
            yield
        else:
            with _open(stack_file) as file:
                faulthandler.dump_traceback_later(seconds * factor + GRACE_SECONDS, exit=True, file=file)
                try:
                    yield
                finally:
                    faulthandler.cancel_dump_traceback_later()
            stack_file.unlink(missing_ok=True)
        _current.check()
    finally:
        _current = outer
        signal.setitimer(signal.ITIMER_REAL, 0)
        # None means a handler not installed from Python, which Python cannot restore.
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if remaining:
            left = remaining - (monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(left, SHORTEST_TIMER), interval)


def _open(path: Path) -> TextIO:
    """Open a file for writing, although another process may remove its folder at any moment."""
    for _ in range(TRIES):
        with suppress(FileNotFoundError):
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("w")
    return path.open("w")


def _stop_timer() -> tuple[float, float]:
    """Stop the alarm of the process, and return what it was set to."""
    return signal.setitimer(signal.ITIMER_REAL, 0)
