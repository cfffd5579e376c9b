"""Benchmark results, in memory and in a file with one or more runs."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from assay import __version__
from assay.files import json_file, output_file
from assay.ledger.environment import available_cores
from assay.ledger.outcomes import Outcome

if TYPE_CHECKING:
    from assay.adapters.loading import Description
    from assay.bench.scheduler import Event, Plan

FORMAT: Literal[1] = 1
WHAT = "file of benchmarks"
HINT = "`assay bench NAME -o FILE` makes one"


@dataclass
class Start:
    """Measurements of one work in one process of an implementation.

    Attributes:
        first: Seconds of the first call of one step, which includes most compilation.
        count: Number of steps requested of a loop.
        first_loop: Seconds of the first loop of this length, for which some implementations recompile.
        calls: Steps and seconds of each call of one step.
        loops: Steps and seconds of each loop.
        cores: Number of cores busy in each loop.

    """

    first: float = 0.0
    count: int = 0
    first_loop: float = 0.0
    calls: list[tuple[int, float]] = field(default_factory=list)
    loops: list[tuple[int, float]] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)

    @property
    def call(self) -> float:
        """Seconds of a call of one step: the shortest, as disturbances only make calls longer."""
        return min(seconds for _, seconds in self.calls)

    @property
    def steps(self) -> list[float]:
        """Seconds of a step in each loop, without the fixed cost of a call."""
        # A call of an episode has as many steps as the episode, possibly none of them learning.
        once_steps, once = statistics.median(steps for steps, _ in self.calls), self.call
        return [(seconds - once) / (steps - once_steps) for steps, seconds in self.loops]

    @property
    def step(self) -> float:
        """Seconds of a step: the shortest one."""
        return min(self.steps)


@dataclass(frozen=True)
class Broken:
    """A work without a result.

    Attributes:
        implementation: Name of the implementation.
        work: Name of the work; empty if it concerns the whole process.
        outcome: Outcome, as in a ledger.
        reason: Why there is no result.

    """

    implementation: str
    work: str
    outcome: str
    reason: str


@dataclass
class Run:
    """One measurement of several implementations.

    Attributes:
        time: Start time, in UTC.
        suite: Version of Assay.
        machine: Description of the machine.
        settings: Settings of the plan.
        implementations: Description and device of each, by name; the first is compared with the others.
        starts: Measurements, by work, implementation, and number of the start.
        broken: Benchmarks that failed, and why.

    """

    time: str
    suite: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    implementations: dict[str, dict[str, Any]]
    starts: dict[str, dict[str, dict[int, Start]]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """The implementation that is compared with the others."""
        return next(iter(self.implementations))

    @property
    def peers(self) -> list[str]:
        """The other implementations."""
        return [*self.implementations][1:]

    @property
    def conditions(self) -> tuple[Any, ...]:
        """The conditions that must be equal for results of two runs to be combined."""
        settings, machine = self.settings, self.machine
        how = [settings[key] for key in ("device", "rounds", "seconds")]
        return self.subject, self.implementations, machine["processor"], machine["cores"], machine["threads"], how

    @property
    def lost(self) -> list[Broken]:
        """The works that were tried without a result."""
        return [one for one in self.broken if one.outcome != Outcome.SKIPPED]

    def take(self, event: Event) -> None:
        """Record the content of an event."""
        work, _, what = event.work.rpartition("-")
        match event.content:
            case {"device": device}:
                self.implementations[event.implementation]["device"] = device
            case {"outcome": outcome, "reason": reason}:
                broken = Broken(event.implementation, work, outcome, reason)
                if broken not in self.broken:
                    self.broken.append(broken)
            case {"count": count, "first": first} if what == "loop":
                start = self._of(event, work)
                start.count, start.first_loop = count, first
            case {"first": first}:
                self._of(event, work).first = first
            case {"steps": steps, "seconds": seconds, "cores": cores}:
                start = self._of(event, work)
                (start.loops if what == "loop" else start.calls).append((steps, seconds))
                if what == "loop":
                    start.cores.append(cores)

    def _of(self, event: Event, work: str) -> Start:
        return self.starts.setdefault(work, {}).setdefault(event.implementation, {}).setdefault(event.start, Start())

    def select_measured(self, work: str, implementation: str) -> dict[int, Start]:
        """Return the starts of an implementation in which a work was measured, by number.

        Starts whose loop took no longer than a call of one step are dropped: the machine was disturbed.
        """
        starts = self.starts.get(work, {}).get(implementation, {})
        return {number: start for number, start in starts.items() if start.calls and start.loops and start.step > 0}


def begin(plan: Plan, descriptions: Mapping[str, Description]) -> Run:
    """Begin a run in which nothing has been measured yet."""
    return Run(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        suite=__version__,
        machine=machine(),
        settings={key: value for key, value in asdict(plan).items() if key != "implementations"},
        implementations={
            name: {"version": one.version, "frameworks": one.frameworks, "device": None}
            for name, one in descriptions.items()
        },
    )


@cache
def machine() -> dict[str, Any]:
    """Describe this machine."""
    import cpuinfo  # noqa: PLC0415 - slow: it calls other programs

    found = cpuinfo.get_cpu_info()
    return {
        "processor": found.get("brand_raw", platform.processor()),
        "cores": available_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        # Variables that set the number of threads.
        "threads": {name: value for name, value in sorted(os.environ.items()) if name.endswith("_NUM_THREADS")},
    }


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a benchmark file: its runs, latest last."""

    format: Literal[1]
    runs: Annotated[list[Run], msgspec.Meta(min_length=1)]


def read(path: Path) -> list[Run]:
    """Read the runs of a file, latest last.

    Raises:
        UserError: The file is missing or damaged; the message says where.

    """
    content = json_file.load(path, WHAT, HINT)
    try:
        return msgspec.convert(content, File, str_keys=True).runs
    except msgspec.ValidationError as error:
        raise json_file.invalid(path, WHAT, FORMAT, error, HINT) from None


def append(path: Path, run: Run) -> None:
    """Append a run to a file, which is created if missing.

    Raises:
        UserError: The file is damaged, or cannot be written.

    """
    content = File(FORMAT, [*(read(path) if path.exists() else []), run])
    # NumPy numbers are written as floats.
    plain = msgspec.to_builtins(content, str_keys=True, enc_hook=float)
    output_file.write(path, json.dumps(plain, separators=(",", ":")) + "\n", WHAT)


def is_one(path: Path) -> bool:
    """Whether a file holds benchmarks rather than a ledger; a file that cannot be read does not."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "runs" in content
