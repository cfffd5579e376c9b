"""Processes, started as a user starts them, and what they leave behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from assay.ledger import ledger
from assay.runner.launch import default_signals
from assay.specification.index import tests_folder

HERE = Path(__file__).parent
# The settings of pytest and Python in the environment are not for the processes started here.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
ENVIRONMENT["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))

# What starts a command with these signals ignored.
IGNORING = ("sh", "-c", 'trap "" INT HUP; exec "$@"', "sh")


def read_kind(output: str) -> str:
    """Return the kind of an error: the last line of what a command printed ends with it, in brackets."""
    return output.rstrip().rpartition("\n")[2].rpartition(" [")[2].removesuffix("]")


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: Its exit status.
        output: Output, errors last.
        folder: Working directory.

    """

    code: int
    output: str
    folder: Path

    @cached_property
    def ledger(self) -> dict[str, Any]:
        """The ledger that it wrote, read as a ledger and laid out as JSON."""
        return ledger.as_json(ledger.read(self.folder / "ledger.json"))

    @property
    def rows(self) -> dict[str, tuple[str, str]]:
        """Outcome and first line of the reason by claim."""
        return {row["id"]: (row["outcome"], row.get("reason", "").partition("\n")[0]) for row in self.ledger["claims"]}


@dataclass(frozen=True)
class Running:
    """A process.

    Attributes:
        process: Process of Python.
        folder: Working directory.

    """

    process: subprocess.Popen[str]
    folder: Path

    def wait(self) -> Ended:
        """Let it come to its end."""
        output, errors = self.process.communicate()
        return Ended(self.process.returncode, output + errors, self.folder)

    def kill_once(self, event: Callable[[], bool]) -> Ended:
        """Kill it as soon as something is so."""
        while self.process.poll() is None and not event():
            time.sleep(0.05)
        self.process.kill()
        return self.wait()


class Shell:
    """Starts Python in a folder of its own.

    Attributes:
        folder: where.

    """

    def __init__(self, folder: Path) -> None:
        """Take a folder."""
        self.folder = folder

    def start(self, *arguments: object, background: bool = False) -> Running:
        """Start Python with these arguments, and with a folder for temporary files that no other run shares.

        Args:
            arguments: Arguments of Python.
            background: Whether to ignore SIGINT and SIGHUP, as a shell does with `nohup` and `&`.

        """
        temporary = self.folder.with_name(f"{self.folder.name}-tmp")
        temporary.mkdir(exist_ok=True)
        # The tests may run in the background, where these are ignored.
        with default_signals(signal.SIGINT, signal.SIGHUP):
            process = subprocess.Popen(
                [*(IGNORING if background else ()), sys.executable, *map(str, arguments)],
                cwd=self.folder,
                env=ENVIRONMENT | {"TMPDIR": str(temporary)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        return Running(process, self.folder)

    def python(self, *arguments: object) -> Ended:
        """Run Python to its end."""
        return self.start(*arguments).wait()

    def assay(self, *arguments: object) -> Ended:
        """Run `assay`."""
        return self.python("-m", "assay", *arguments)

    def dense(self, toy: str | Path, *arguments: object, processes: int = 0) -> Ended:
        """Put an implementation of `badly_behaved`, or a peer, to the claims of the Dense layer."""
        return self.start_dense(toy, "--results", "ledger.json", *arguments, processes=processes).wait()

    def start_dense(self, toy: str | Path, *arguments: object, processes: int = 0) -> Running:
        """Begin to do that."""
        name = toy if isinstance(toy, Path) else f"doubles.badly_behaved:{toy}"
        tests = tests_folder() / "test_dense.py"
        options = ["-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", processes]
        return self.start("-m", "pytest", tests, *options, "--implementation", name, *arguments)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return what starts Python in an empty folder."""
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def shell_in() -> Callable[[Path], Shell]:
    """Return what starts Python in a folder."""
    return Shell


@pytest.fixture
def seconds_of() -> Callable[[Callable[[], object]], float]:
    """Return a function that says how long the processor worked for the processes that a call starts and ends."""

    def measure(call: Callable[[], object]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        call()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return measure
