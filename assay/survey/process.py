"""Running a command in a separate process from any thread, as Dask workers run their tasks in threads."""

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
    """Run a command and end all of its child processes. The command also ends when this process ends.

    Args:
        words: Command.
        log: File for its output.
        environment: Environment; None for that of this process.
        is_stuck: Function that returns whether to kill the command.

    Returns:
        The exit status of the command; negative for a signal.

    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            words,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=parentage.ending_with_parent(),  # noqa: PLW1509 - makes a single system call
        )
    try:
        while (status := process.poll()) is None:
            if is_stuck():
                break
            time.sleep(POLL_SECONDS)
    finally:
        # The group has already ended.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode if status is None else status


def last_words(log: Path) -> str:
    """Return the last lines of a log, cleaned for a message."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return plain(" | ".join(lines[-LAST_LINES:]))
