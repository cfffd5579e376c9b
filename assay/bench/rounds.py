"""One work in one process: its first call, how many steps make a round, and the rounds, each in its turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from assay.bench.turn_channel import Alone
from assay.bench.workloads import Call, Prepare

# How many times as many steps the next attempt has at most: a short loop may not stand out from the rest of its call.
GROWTH = 8
# Of each attempt, the first of which compiles: a loop that is disturbed in all others would be taken for a long one.
ATTEMPTS = 5
# The seed of what compiles and warms up; the rounds have those after it.
WARM_UP = 0


class Rounds:
    """What pytest-benchmark calls before, in and after each round."""

    def __init__(self, name: str, turns: Alone, last_seconds: Callable[[], float]) -> None:
        """Take part.

        Args:
            name: Name of what is timed.
            turns: Turns that it takes.
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
        """Make ready, call it for the first time, and find out how many steps make a round.

        Args:
            make: Function that returns the function to time.
            loop_seconds: Approximate time of the steps of a loop; None for a call of one step.

        """
        self._turns.take(self._name)
        self._prepare = make()
        known = self._turns.known_count(self._name)
        if loop_seconds is None or known:
            self.count = known or 1
            self.first = seconds_of(self._prepare(self.count, WARM_UP))
        else:
            self.count, self.first = count_for(self._prepare, loop_seconds)
        # A pass through all that a framework is made of takes as long as hundreds of steps.
        gc.collect()
        gc.freeze()
        self._turns.give_back(count=self.count, first=self.first)

    def setup(self) -> tuple[tuple[Call], dict[str, Any]]:
        """Wait for the turn, and make a call for new inputs."""
        self._turns.take(self._name)
        self._seed += 1
        call = self._prepare(self.count, self._seed)
        self._began = time.process_time()
        return (call,), {}

    def target(self, call: Call) -> None:
        """Do what is timed."""
        self._steps = call()

    def teardown(self, _call: Call) -> None:
        """Give the turn back."""
        seconds, worked = self._last_seconds(), time.process_time() - self._began
        self._turns.give_back(steps=self._steps, seconds=seconds, cores=worked / seconds)


def count_for(prepare: Prepare, seconds: float) -> tuple[int, float]:
    """Find how many steps take so long, beside what a call does once; return that and the seconds of the first loop."""
    (_, once), count = _first_and_shortest(prepare, 1), 2
    while True:
        first, shortest = _first_and_shortest(prepare, count)
        if (took := shortest - once) >= seconds / 2:
            return count, first
        count = round(count * seconds / max(took, seconds / GROWTH))


def _first_and_shortest(prepare: Prepare, count: int) -> tuple[float, float]:
    # The first differs from the others: some compile for each number of steps.
    first, *others = (seconds_of(prepare(count, WARM_UP)) for _ in range(ATTEMPTS))
    return first, min(others)


def seconds_of(call: Call) -> float:
    """Call it, and return how long it took."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
