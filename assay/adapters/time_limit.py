"""Time limits that hold for code of any kind."""

from __future__ import annotations

import faulthandler
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

# pytest publishes its subclasses only.
from _pytest.outcomes import OutcomeException

# A hung test is interrupted at its limit; one that cannot be, as it never comes back to Python, ends its process
# after this much more. Loading the slowest framework takes about as long.
GRACE_SECONDS = 10.0


class TimeLimitError(OutcomeException):
    """A test took too long.

    Not an `Exception`, so that neither an implementation's `except Exception` nor Hypothesis, which would run the
    test again to shrink its input, holds it up. An `OutcomeException`, so that pytest remembers a fixture that took
    too long as it remembers one that failed, and does not try it again.
    """


@contextmanager
def limit(seconds: float, last_words: Path | None) -> Iterator[None]:
    """Raise `TimeLimitError` in the main thread after `seconds`, and if that does not help, end the process.

    Args:
        seconds: until the exception.
        last_words: file that gets the stack if the process has to end; None if it must not end.

    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        msg = f"not finished after {seconds:g} s"
        raise TimeLimitError(msg)

    before = signal.signal(signal.SIGALRM, interrupt)
    # A timer of 0 is none.
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
    try:
        if last_words is None:
            yield
        else:
            with last_words.open("w") as file:
                faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=file)
                try:
                    yield
                finally:
                    faulthandler.cancel_dump_traceback_later()
            last_words.unlink()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
