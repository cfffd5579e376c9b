"""One work in one process: its first call, the number of steps in a round, and the rounds, each in its turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from assay.bench.turn_channel import Alone
from assay.bench.workloads import Call, Prepare

# Maximum growth of the number of steps per attempt, since a short loop may vanish in the fixed cost of its call.
GROWTH = 8
# Calls per attempt. The first one compiles; if all others were disturbed, the loop would seem too long.
ATTEMPTS = 5
# Seed for compilation and warm-up; the rounds use the seeds after it.
WARM_UP = 0


class Rounds:
    """The functions that pytest-benchmark calls before, in and after each round."""

    def __init__(self, name: str, turns: Alone, last_seconds: Callable[[], float]) -> None:
        """Initialise the rounds of one work.

        Args:
            name: Name of the timed work.
            turns: Channel on which it takes turns.
            last_seconds: Function that returns the seconds of the round that has just ended.

        """
        self._name = name
        self._turns = turns
        self._last_seconds = last_seconds
        self._prepare: Prepare
        self._seed = WARM_UP
        self._steps = 0
        self._began = 0.0
        self.count = 1
        self.first = 0.0

    def warm_up(self, make: Callable[[], Prepare], loop_seconds: float | None) -> None:
        """Prepare the work, call it for the first time, and determine the number of steps in a round.

        Args:
            make: Function that returns the function to time.
            loop_seconds: Approximate time of the steps of a loop; None to time calls of one step.

        """
        self._turns.take(self._name)
        self._prepare = make()
        known = self._turns.known_count(self._name)
        if loop_seconds is None or known:
            self.count = known or 1
            self.first = seconds_of(self._prepare(self.count, WARM_UP))
        else:
            self.count, self.first = count_for(self._prepare, loop_seconds)
        # Otherwise a garbage collection over the framework's objects could take as long as hundreds of steps.
        gc.collect()
        gc.freeze()
        self._turns.give_back(count=self.count, first=self.first)

    def setup(self) -> tuple[tuple[Call], dict[str, Any]]:
        """Wait for the turn, and prepare a call with new inputs."""
        self._turns.take(self._name)
        self._seed += 1
        call = self._prepare(self.count, self._seed)
        self._began = time.process_time()
        return (call,), {}

    def target(self, call: Call) -> None:
        """Make the timed call."""
        self._steps = call()

    def teardown(self, _call: Call) -> None:
        """End the turn."""
        seconds, worked = self._last_seconds(), time.process_time() - self._began
        self._turns.give_back(steps=self._steps, seconds=seconds, cores=worked / seconds)


def count_for(prepare: Prepare, seconds: float) -> tuple[int, float]:
    """Find how many steps take this long, without the fixed cost of a call; also return the time of the first loop."""
    (_, once), count = _first_and_shortest(prepare, 1), 2
    while True:
        first, shortest = _first_and_shortest(prepare, count)
        if (took := shortest - once) >= seconds / 2:
            return count, first
        count = round(count * seconds / max(took, seconds / GROWTH))


def _first_and_shortest(prepare: Prepare, count: int) -> tuple[float, float]:
    # The first call is timed separately: some implementations compile for each number of steps.
    first, *others = (seconds_of(prepare(count, WARM_UP)) for _ in range(ATTEMPTS))
    return first, min(others)


def seconds_of(call: Call) -> float:
    """Make a call, and return its time in seconds."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
