"""The environment of a run, recorded so that a reader of its ledger can repeat it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

SECONDS = 5


class Environment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The machine and the sources of a run.

    Attributes:
        python: Version of Python.
        system: Operating system and its release.
        processor: Name of the processor.
        cores: Number of cores that the run may use.
        commit: Commit of the repository in the current folder, with `-dirty` if files differ; empty if none.

    """

    python: str
    system: str
    processor: str
    cores: int
    commit: str = ""


def observe() -> Environment:
    """Describe this machine and the current folder."""
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=available_cores(),
        commit=_commit(),
    )


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return _ask("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(named, "") or platform.machine()


def _commit() -> str:
    found = _ask("git", "rev-parse", "HEAD")
    return f"{found}-dirty" if found and _ask("git", "status", "--porcelain", "--untracked-files=no") else found


def _ask(program: str, *arguments: str) -> str:
    """Return the output of a program; empty if it is missing, fails or takes too long."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        ended = subprocess.run(  # noqa: S603 - fixed programs with fixed arguments
            [path, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
