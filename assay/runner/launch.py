"""Child processes that run tests of claims, for `assay run`, `assay smoke` and `assay bench`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

import assay
from assay.runner.options import RunOptions

PACKAGE = Path(assay.__file__).parent
# Nothing from the user's setup is loaded: no configuration, no `conftest.py` above the tests, no installed plugin.
# Tests are imported under names that begin with the name of this package.
OWN = (
    *("-c", str(PACKAGE / "runner" / "pytest.ini"), f"--rootdir={PACKAGE.parent}", f"--confcutdir={PACKAGE / 'tests'}"),
    *(
        "-p",
        "no:cacheprovider",
        "-p",
        "xdist.plugin",
        "-p",
        "pytest_benchmark.plugin",
        "-p",
        "_hypothesis_pytestplugin",
    ),
    *("-p", "assay.runner.plugin", "--import-mode=importlib"),
)
# Variables that are removed. Without assertions, tests that assert would always pass. With a fixed hash seed, an
# implementation whose draws depend on hashes of text would draw the same in every process.
WITHOUT = ("PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONWARNINGS")
KEPT = ("PYTEST_XDIST_AUTO_NUM_WORKERS",)
# Time that a run may take to end after a request.
END_SECONDS = 15.0


def command(options: RunOptions, tests: Sequence[Path], *more: str) -> list[str]:
    """Return the command that runs tests of claims.

    Args:
        options: Options of the run.
        tests: Files, or folders of them.
        more: Further arguments for pytest and its plugins.

    """
    return [sys.executable, "-m", "assay.runner", *map(str, tests), *OWN, *options.arguments(), *more]


def environment() -> dict[str, str]:
    """Return the environment of a test process, without settings of pytest."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not (name.startswith("PYTEST_") or name in WITHOUT)
    }
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@contextmanager
def default_signals(*numbers: signal.Signals) -> Iterator[None]:
    """Within the context, start child processes with the default handlers of these signals.

    A shell starts background jobs with SIGINT ignored, and `nohup` does so with SIGHUP; child processes inherit that.
    """
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    try:
        for number in ignored:
            signal.signal(number, signal.SIG_DFL)
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def start(words: Sequence[str], output: int | IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start a test command in a new session. It ends on SIGINT.

    Args:
        words: Words of the command.
        output: File for its output and errors; by default those of this process.

    """
    with default_signals(signal.SIGINT):
        return subprocess.Popen(  # noqa: S603 - our own tests
            words,
            stdin=None if output is None else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
            start_new_session=True,
        )


def run(words: Sequence[str]) -> int:
    """Run a test command, and end all of its processes.

    Args:
        words: Words of the command.

    Returns:
        The exit status of the command; 2 if it was interrupted or this process was asked to end.

    """
    process = start(words)
    try:
        with _forward_signals(process):
            return process.wait()
    finally:
        # The group has already ended.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _forward_signals(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Forward signals to a process in another session: SIGINT first, then SIGKILL to its group."""
    asked = False

    def forward(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        with suppress(ProcessLookupError):
            if asked:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.send_signal(signal.SIGINT)
                signal.setitimer(signal.ITIMER_REAL, END_SECONDS)
        asked = True

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, forward)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
