"""An adapter tried in a process of its own, which it may crash, end or hold up: see `assay.smoke.plugin`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ledger.ledger import as_json, read
from assay.runner import launch
from assay.runner.options import RunOptions
from assay.specification import index
from assay.specification.claims import Claim

# As much of what the process wrote as says how it ended.
LAST_LINES = 5
# How long a process may take to end after a request.
END_SECONDS = 0.5
# How often to look whether `start()` has ended.
POLL_SECONDS = 0.1
# The claims of the smoke profile take less than twice as long as Python, Assay and a framework take to load.
START_SHARE = 2


@dataclass(frozen=True)
class Trial:
    """What the process left.

    Attributes:
        status: Its exit status; None where its time was up.
        journal: Steps begun and ended, in order.
        rows: Rows of the ledger.
        last_lines: Last lines of what it wrote.
        stuck_seconds: Seconds spent in the step in flight when the process ended.

    """

    status: int | None
    journal: Sequence[dict[str, Any]]
    rows: Sequence[dict[str, Any]]
    last_lines: Sequence[str]
    stuck_seconds: float

    @property
    def ended(self) -> dict[str, dict[str, Any]]:
        """What was ended, and what came of it."""
        return {entry["ended"]: entry for entry in self.journal if "ended" in entry}

    @property
    def in_flight(self) -> str | None:
        """What was begun and not ended."""
        return self.journal[-1].get("begun") if self.journal else None

    @property
    def cause(self) -> str:
        """How the process ended."""
        if self.status is None:
            return f"not over after {self.stuck_seconds:.1f} s"
        return f"exit status {self.status}" if self.status >= 0 else f"{signal.strsignal(-self.status)}"


@dataclass(frozen=True)
class Limit:
    """How long a process may take.

    Attributes:
        seconds: Time for the whole process, or for `start()` alone where `after_start` is given.
        after_start: Least time after `start()`; None where `seconds` covers everything.

    """

    seconds: float
    after_start: float | None = None

    def extend(self, started: float) -> float:
        """Return until when the process may go on, in seconds since it began, once `start()` has ended.

        A machine that takes long to load a framework takes as much longer for everything else.
        """
        if self.after_start is None:
            return self.seconds
        return started + max(self.after_start, START_SHARE * started)


def run(name: str, device: str, claims: Sequence[Claim], claim_seconds: float, limit: Limit) -> Trial:
    """Start an adapter, look at its groups, and try claims, as far as the time reaches.

    Args:
        name: Name of the implementation.
        device: Device to start it on.
        claims: Claims to try, in this order.
        claim_seconds: The limit of each.
        limit: The limit of it all.

    """
    tests, ids = index.tests_folder(), [claim.id for claim in claims]
    # Reading the tests of all claims takes seconds.
    files = sorted({test.file for test in index.read(tests) if set(ids) & set(test.claims)})
    with tempfile.TemporaryDirectory(prefix="assay-trial-") as folder:
        journal, ledger, output = (Path(folder) / name for name in ("journal", "ledger.json", "output"))
        options = RunOptions(
            name,
            "smoke",
            results=ledger,
            device=device,
            claim=ids,
            no_fetch=True,
            claim_timeout=claim_seconds,
        )
        own = ("-p", "assay.smoke.plugin", f"--journal={journal}", "-n", "0")
        command = launch.command(options, [tests / file for file in files], *own)
        began = time.monotonic()
        status = _run(command, output, journal, limit)
        ended = time.monotonic()
        entries = [json.loads(line) for line in _lines(journal)]
        return Trial(
            status=status,
            journal=entries,
            rows=as_json(read(ledger))["claims"] if ledger.exists() else [],
            last_lines=_lines(output)[-LAST_LINES:],
            stuck_seconds=ended - entries[-1]["at"] if entries else ended - began,
        )


def _run(command: Sequence[str], output: Path, journal: Path, limit: Limit) -> int | None:
    """Run a process, end with it what it has started, and return its exit status, or None where its time is up."""
    with output.open("wb") as file:
        process = launch.start(command, file)
    try:
        return _wait(process, journal, limit)
    except subprocess.TimeoutExpired:
        # As from a keyboard: it may still end what it has started, and remove what it has written.
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        return None
    finally:
        # Where nothing is left of the group, there is nothing to end.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], journal: Path, limit: Limit) -> int:
    """Wait for a process, whose limit may depend on when its journal says that `start()` has ended.

    Raises:
        TimeoutExpired: Its time is up.

    """
    began, seconds, is_started = time.monotonic(), limit.seconds, limit.after_start is None
    while True:
        left = seconds - (time.monotonic() - began)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(max(left if is_started else min(left, POLL_SECONDS), 0))
        if not is_started and any(json.loads(line).get("ended") == "start()" for line in _lines(journal)):
            is_started, seconds = True, limit.extend(time.monotonic() - began)
        elif left <= 0:
            raise subprocess.TimeoutExpired(process.args, seconds)


def _lines(path: Path) -> list[str]:
    """Return the whole lines of a file, which may not be there."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return [line for line in text.rpartition("\n")[0].splitlines() if line.strip()]
