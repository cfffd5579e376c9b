"""Progress of a long command: a bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from assay.runner.lines import QUIET_SECONDS

NAME_WIDTH, BAR_WIDTH = 34, 14


class ProgressDisplay:
    """Shows how many parts of a command are done, within a context."""

    def __init__(self, name: str, total: int | None = None, done: int = 0) -> None:
        """Initialise the display, without showing it.

        Args:
            name: Name of the work.
            total: Number of parts; None if it is unknown.
            done: Number of parts done by an earlier call.

        """
        self._name, self._total, self._done, self._earlier = name, total, done, done
        self._started = self._last = time.monotonic()
        columns = (
            TextColumn(f"{{task.description:{NAME_WIDTH}.{NAME_WIDTH}}}"),
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        shown = console.is_terminal and not console.is_dumb_terminal
        self._bar = Progress(*columns, console=console, transient=True) if shown else None
        self._task = self._bar.add_task(name, total=total, completed=done) if self._bar else None

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()

    def advance(self, name: str | None = None) -> None:
        """Count one part as done.

        Args:
            name: Name of the current part (default: unchanged).

        """
        self._name, self._done = name or self._name, self._done + 1
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=self._name, completed=self._done)
            return
        now = time.monotonic()
        if now - self._last >= QUIET_SECONDS:
            self._last = now
            print(self._line(now - self._started), file=sys.stderr, flush=True)

    def _line(self, seconds: float) -> str:
        if self._total is None:
            return f"{self._name}: {self._done} done after {seconds:.0f} s"
        left = (self._total - self._done) * seconds / (self._done - self._earlier)
        return f"{self._name}: {self._done} of {self._total} after {seconds:.0f} s, {left:.0f} s left"
