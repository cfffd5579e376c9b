"""Ratios of the time of a step between implementations, and their uncertainty."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import product

from assay.bench.flops import Cost
from assay.bench.results import Run
from assay.bench.workloads import COSTS, PRODUCT, RATES, STREAM

# Name of the machine's limit among the peers of the subject.
LIMIT = "limit"


@dataclass(frozen=True)
class Ratio:
    """Time of a step in a peer, divided by the time in the subject.

    Attributes:
        work: Id of the benchmark.
        peer: Name of the other implementation, or `LIMIT`.
        logarithms: Logarithms of the ratio, one for each start.

    """

    work: str
    peer: str
    logarithms: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean logarithm of the ratio over all starts, used in statistical tests."""
        return statistics.fmean(self.logarithms)

    @property
    def value(self) -> float:
        """The median ratio over all starts, like the seconds shown beside it."""
        return math.exp(statistics.median(self.logarithms))

    @property
    def squares(self) -> float:
        """The sum of squares about the mean: the random variation."""
        return sum((one - self.mean) ** 2 for one in self.logarithms)


def ratios(*runs: Run) -> list[Ratio]:
    """Return the ratio of every peer and of the limit, for every work in which any run measured the subject."""
    rates = {work.name for work in RATES}
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        for work, peer in product(run.starts, (*run.peers, LIMIT)):
            if work not in rates:
                logarithms = _compare_with_roofline(run, work) if peer == LIMIT else _compare(run, work, peer)
                found.setdefault((work, peer), []).extend(logarithms)
    return [Ratio(work, peer, tuple(logarithms)) for (work, peer), logarithms in found.items() if logarithms]


def _compare(run: Run, work: str, peer: str) -> list[float]:
    ours, theirs = run.select_measured(work, run.subject), run.select_measured(work, peer)
    return [math.log(theirs[number].step / ours[number].step) for number in sorted(ours.keys() & theirs.keys())]


def _compare_with_roofline(run: Run, work: str) -> list[float]:
    ours = run.select_measured(work, run.subject)
    return [
        math.log(limit / ours[number].step) for number in sorted(ours) if (limit := roofline_seconds(run, work, number))
    ]


def seconds(run: Run, work: str, implementation: str) -> float | None:
    """Return the median time of a step over all starts, in seconds; None if it was not measured."""
    found = [start.step for start in run.select_measured(work, implementation).values()]
    return statistics.median(found) if found else None


def roofline_seconds(run: Run, work: str, start: int) -> float | None:
    """Return the minimum time of a step on this machine, in seconds, by the rates measured in the same start.

    It is the time of the products at the rate of the fastest matrix product, or of moving the parameters through memory
    at the fastest rate for their size, whichever is longer. None if rates or costs are not known.
    """
    if work == "agent":
        return _agent_roofline(run, start)
    cost = COSTS.get(work)
    return _roofline(run, cost, start) if cost else None


def _roofline(run: Run, cost: Cost, start: int) -> float | None:
    products = [2 * int(size) ** 3 / found for size, found in _fastest(run, PRODUCT, start).items()]
    streams = {int(size): 2 * int(size) / found for size, found in _fastest(run, STREAM, start).items()}
    if not (products and streams):
        return None
    # The rate of the next smaller footprint: a smaller cache is at least as fast, so the limit holds.
    holding = max((size for size in streams if size <= cost.footprint), default=min(streams))
    return max(cost.operations / max(products), cost.bytes / streams[holding])


def _agent_roofline(run: Run, start: int) -> float | None:
    """Return the time of the fastest environment plus the arithmetic of acting and learning."""
    environment = [
        found[start].step for name in run.implementations if start in (found := run.select_measured("cart_pole", name))
    ]
    arithmetic = _roofline(run, COSTS["q_network"], start)
    return min(environment) + arithmetic if environment and arithmetic else None


def _fastest(run: Run, kind: str, start: int) -> dict[str, float]:
    """Return the seconds of the fastest implementation, by size."""
    found: dict[str, float] = {}
    for work, named in run.starts.items():
        if work.startswith(f"{kind}_"):
            steps = [starts[start].step for name in named if start in (starts := run.select_measured(work, name))]
            if steps:
                found[work.removeprefix(f"{kind}_")] = min(steps)
    return found
