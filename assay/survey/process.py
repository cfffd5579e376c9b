"""A command in a process of its own, run from any thread: workers of Dask have their tasks in threads."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from assay.adapters import parentage
from assay.adapters.plain_text import plain

POLL_SECONDS = 0.2
LAST_LINES = 3


def run(
    words: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    is_stuck: Callable[[], bool] = lambda: False,
) -> int:
    """Run a command to its end, and leave none of its processes behind. It ends with this process, too.

    Args:
        words: Command.
        log: File for its output.
        environment: Environment; None for that of this process.
        is_stuck: Function that says whether to end it by force.

    Returns:
        Its exit status; below 0 for a signal.

    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            words,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=parentage.ending_with_parent(),  # noqa: PLW1509 - it makes one system call
        )
    try:
        while (status := process.poll()) is None:
            if is_stuck():
                break
            time.sleep(POLL_SECONDS)
    finally:
        # Where nothing is left of the group, there is nothing to end.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode if status is None else status


def last_words(log: Path) -> str:
    """Return the last lines of a log, fit for a message."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return plain(" | ".join(lines[-LAST_LINES:]))
