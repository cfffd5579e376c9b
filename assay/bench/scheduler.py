"""Benchmarks of several implementations, each in a process of its own, that take turns.

Every round of one is followed by a round of the next on the same work, so that whatever else the machine does hurts all
alike. All of it is started several times: where a process finds its memory and its threads decides a few percent
for as long as it lives, which no number of rounds in it would tell.
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

# Lines of output that are shown of a process that ended early.
LAST_LINES = 3
# With some benchmarks that raised or without, or with none selected.
ENDED_WELL = {0, 1, 5}


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        implementations: Implementations by name; the others are compared with the first.
        device: `cpu` or `gpu`.
        profile: `core` or `full`.
        selection: An expression of pytest's `-k`; empty for all.
        starts: Number of process launches.
        rounds: Rounds of each work in each process.
        seconds: Approximate time of the steps of a round.
        turn_seconds: Seconds after which a process that has not given its turn back is ended.

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
    """A message of a process, or its end.

    Attributes:
        start: The number of its start, from 0 on.
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
                    # What ends a process would take the works after it along each time.
                    broken[event.implementation].add(event.work)
                yield event


def _in_turn(processes: list[Process]) -> Iterator[Event]:
    """Let the processes work one at a time, at the work that is first in order, whoever had fewer turns at it first."""
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
        ready: The work that it waits to go on with; empty while it works, and once it has ended.
        turns: Number of turns so far, by work.

    """

    def __init__(self, plan: Plan, start: int, name: str, broken: Iterable[str], said: Path) -> None:
        """Begin.

        Args:
            plan: Plan of the whole.
            start: The number of its start.
            name: Name of the implementation.
            broken: Works that have ended one of its processes before.
            said: File for what it prints.

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
        """Give it its turn."""
        self.turns[self.ready] += 1
        self._working, self.ready = self.ready, ""
        send(self.connection, go=True)

    def until_ready(self) -> Iterator[Event]:
        """Listen until it waits for its turn, or has ended, and yield the rest of what it says."""
        while not self.ready:
            if not self.connection.poll(self._plan.turn_seconds):
                yield self._lost(Outcome.TIMEOUT, f"not finished after {self._plan.turn_seconds:g} s")
                return
            try:
                message = receive(self.connection)
            except (EOFError, ConnectionResetError):
                yield from self._ended()
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

    def _ended(self) -> Iterator[Event]:
        code = self._popen.wait()
        if self._working or code not in ENDED_WELL:
            yield self._lost(Outcome.CRASH, f"its process ended with exit code {code}")

    def _lost(self, outcome: Outcome, why: str) -> Event:
        self.end()
        lines = self._said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:]
        return self._event(self._working, {"outcome": outcome.value, "reason": "\n".join([why, *lines])})

    def _event(self, work: str, content: dict[str, Any]) -> Event:
        return Event(self._start, self._name, work, content)

    def end(self) -> None:
        """End it, with all that it has begun."""
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
