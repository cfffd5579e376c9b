"""How much longer a step takes elsewhere, and how sure that is."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import product

from assay.bench.flops import Cost
from assay.bench.results import Run
from assay.bench.workloads import COSTS, PRODUCT, RATES, STREAM

# The name of the limit among those that the subject is compared with.
LIMIT = "limit"


@dataclass(frozen=True)
class Ratio:
    """How many times as long as the subject another one takes for a step.

    Attributes:
        work: Id of the benchmark.
        peer: The other one, or `LIMIT`.
        logarithms: Logarithms of the ratio, one for each start.

    """

    work: str
    peer: str
    logarithms: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The logarithm of the ratio over all starts, which chance is computed of."""
        return statistics.fmean(self.logarithms)

    @property
    def value(self) -> float:
        """The ratio itself: that of the middle start, like the seconds that stand beside it."""
        return math.exp(statistics.median(self.logarithms))

    @property
    def squares(self) -> float:
        """The sum of squares about the mean: what is by chance."""
        return sum((one - self.mean) ** 2 for one in self.logarithms)


def ratios(*runs: Run) -> list[Ratio]:
    """Return the ratio of every peer and of the limit, for every work that the subject was measured in in any run."""
    rates = {work.name for work in RATES}
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        for work, peer in product(run.starts, (*run.peers, LIMIT)):
            if work not in rates:
                logarithms = _compare_with_roofline(run, work) if peer == LIMIT else _compare(run, work, peer)
                found.setdefault((work, peer), []).extend(logarithms)
    return [Ratio(work, peer, tuple(logarithms)) for (work, peer), logarithms in found.items() if logarithms]


def _compare(run: Run, work: str, peer: str) -> list[float]:
    ours, theirs = run.measured(work, run.subject), run.measured(work, peer)
    return [math.log(theirs[number].step / ours[number].step) for number in sorted(ours.keys() & theirs.keys())]


def _compare_with_roofline(run: Run, work: str) -> list[float]:
    ours = run.measured(work, run.subject)
    return [
        math.log(limit / ours[number].step) for number in sorted(ours) if (limit := roofline_seconds(run, work, number))
    ]


def seconds(run: Run, work: str, implementation: str) -> float | None:
    """Return the seconds of a step, the middle one of all starts; None where it was not measured."""
    found = [start.step for start in run.measured(work, implementation).values()]
    return statistics.median(found) if found else None


def roofline_seconds(run: Run, work: str, start: int) -> float | None:
    """Return how long a step takes at least on this machine, by the rates measured in the same start.

    The products at the rate of the fastest product of matrices, or the parameters through memory at the fastest rate
    for as much of it as they take, whichever is longer. None where rates or costs are not known.
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
    # A cache that holds more than needed is the slower one: it is never faster than the limit says.
    holding = max((size for size in streams if size <= cost.footprint), default=min(streams))
    return max(cost.operations / max(products), cost.bytes / streams[holding])


def _agent_roofline(run: Run, start: int) -> float | None:
    """The fastest environment, and the arithmetic of acting and learning."""
    environment = [
        found[start].step for name in run.implementations if start in (found := run.measured("cart_pole", name))
    ]
    arithmetic = _roofline(run, COSTS["q_network"], start)
    return min(environment) + arithmetic if environment and arithmetic else None


def _fastest(run: Run, kind: str, start: int) -> dict[str, float]:
    """Return the seconds of the fastest implementation, by size."""
    found: dict[str, float] = {}
    for work, named in run.starts.items():
        if work.startswith(f"{kind}_"):
            steps = [starts[start].step for name in named if start in (starts := run.measured(work, name))]
            if steps:
                found[work.removeprefix(f"{kind}_")] = min(steps)
    return found
