"""Benchmarks of several implementations that take turns, each in its own process.

Each round of one implementation is followed by a round of the next on the same work, so that disturbances of the
machine affect all alike. Every process is started several times: the placement of its memory and threads changes times
by a few percent for its whole life, which more rounds in one process cannot show.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from assay.bench.turn_channel import NAMED, receive, send
from assay.bench.workloads import IDS
from assay.ledger.outcomes import Outcome
from assay.runner import launch
from assay.runner.options import RunOptions
from assay.specification import index

# Number of output lines shown of a process that ended early.
LAST_LINES = 3
# Exit codes of pytest that are not an error: success, failed benchmarks, or none selected.
ENDED_WELL = {0, 1, 5}


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        implementations: Implementations by name; the first is compared with the others.
        device: `cpu` or `gpu`.
        profile: `core` or `full`.
        selection: An expression of pytest's `-k`; empty for all.
        starts: Number of process launches.
        rounds: Rounds of each work in each process.
        seconds: Approximate time of the steps of a round.
        turn_seconds: Time limit of a turn, after which its process is terminated.

    """

    implementations: Sequence[str]
    device: str
    profile: str
    selection: str
    starts: int
    rounds: int
    seconds: float
    turn_seconds: float


@dataclass(frozen=True)
class Event:
    """A message from a process, or its end.

    Attributes:
        start: Number of the start, from 0.
        implementation: Name of the implementation.
        work: Name of the work in progress, such as `mlp-loop`; empty if the message is about the whole process.
        content: Content of the message.

    """

    start: int
    implementation: str
    work: str
    content: dict[str, Any]


def run_benchmarks(plan: Plan) -> Iterator[Event]:
    """Run the benchmarks, and yield events as they happen."""
    counts: dict[str, dict[str, int]] = {name: {} for name in plan.implementations}
    broken: dict[str, set[str]] = {name: set() for name in plan.implementations}
    for start in range(plan.starts):
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-bench-"))
            processes = []
            for number, name in enumerate(plan.implementations):
                process = Process(plan, start, name, broken[name], Path(folder) / f"{number}.txt")
                stack.callback(process.end)
                send(process.connection, counts=counts[name])
                processes.append(process)
            for event in _in_turn(processes):
                if count := event.content.get("count"):
                    counts[event.implementation][event.work] = count
                if event.content.get("outcome") in {Outcome.CRASH, Outcome.TIMEOUT}:
                    # A work that ends its process is skipped in later starts, or the works after it would never run.
                    broken[event.implementation].add(event.work)
                yield event


def _in_turn(processes: list[Process]) -> Iterator[Event]:
    """Let the processes run one at a time: the first work in order, then the process with the fewest turns at it."""
    while processes:
        for process in processes:
            yield from process.until_ready()
        processes = [process for process in processes if process.ready]
        if processes:
            min(processes, key=lambda process: (IDS.index(process.ready), process.turns[process.ready])).go()


class Process:
    """The benchmarks of one implementation, run by pytest.

    Attributes:
        connection: Connection to it.
        ready: Work that it waits to start; empty while it runs and after it has ended.
        turns: Number of turns so far, by work.

    """

    def __init__(self, plan: Plan, start: int, name: str, broken: Iterable[str], said: Path) -> None:
        """Start the process.

        Args:
            plan: Plan of the run.
            start: Number of the start.
            name: Name of the implementation.
            broken: Works to skip, since they ended an earlier process.
            said: File for its output.

        """
        self._plan, self._start, self._name, self._said = plan, start, name, said
        self.connection, theirs = Pipe()
        self.ready = ""
        self.turns: Counter[str] = Counter()
        self._working = ""
        with said.open("wb") as output, theirs:
            self._popen = subprocess.Popen(  # noqa: S603 - this interpreter, on our own benchmarks
                _command(plan, name, broken),
                env=launch.environment() | {NAMED: str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def go(self) -> None:
        """Let the process take its turn."""
        self.turns[self.ready] += 1
        self._working, self.ready = self.ready, ""
        send(self.connection, go=True)

    def until_ready(self) -> Iterator[Event]:
        """Yield events until the process waits for its turn or has ended."""
        while not self.ready:
            if not self.connection.poll(self._plan.turn_seconds):
                yield self._report_loss(Outcome.TIMEOUT, f"not finished after {self._plan.turn_seconds:g} s")
                return
            try:
                message = receive(self.connection)
            except (EOFError, ConnectionResetError):
                yield from self._report_end()
                return
            match message:
                case {"ready": str(work)}:
                    self.ready = work
                case {"done": dict(content)}:
                    yield self._event(self._working, content)
                    self._working = ""
                case {"ended": str(work), **content}:
                    yield self._event(work, content)
                    self._working = ""
                case _:
                    yield self._event("", dict(message))

    def _report_end(self) -> Iterator[Event]:
        code = self._popen.wait()
        if self._working or code not in ENDED_WELL:
            yield self._report_loss(Outcome.CRASH, f"its process ended with exit code {code}")

    def _report_loss(self, outcome: Outcome, why: str) -> Event:
        self.end()
        lines = self._said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:]
        return self._event(self._working, {"outcome": outcome.value, "reason": "\n".join([why, *lines])})

    def _event(self, work: str, content: dict[str, Any]) -> Event:
        return Event(self._start, self._name, work, content)

    def end(self) -> None:
        """Terminate the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def _command(plan: Plan, name: str, broken: Iterable[str]) -> list[str]:
    benchmarks = index.tests_folder() / "benchmarks"
    return launch.command(
        RunOptions(name, plan.profile, device=plan.device),
        [benchmarks],
        *("-n", "0", "-qq", "--benchmark-quiet", "--benchmark-enable", "--benchmark-disable-gc"),
        *(f"--benchmark-min-rounds={plan.rounds}", f"--benchmark-max-time={plan.seconds}"),
        *(["-k", plan.selection] if plan.selection else []),
        *(f"--deselect={benchmarks / 'test_works.py'}::test_work[{work}]" for work in broken if work),
    )
