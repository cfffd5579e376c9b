"""Figures of benchmarks: ratios of times between implementations, and their changes from run to run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from assay.bench.ratios import LIMIT, ratios
from assay.bench.results import Run
from assay.bench.workloads import STEPS
from assay.reports.picture import INK, MUTED, SERIES, Drawing, Picture, axes_of, finish

# Distinguished by shape as well as colour, for colour-blind readers.
SHAPES = "osD^vPXh"
ROW_INCHES = 0.3
# Vertical offset of the series of one step, so that their error bars do not overlap.
SPREAD = 0.5


def pictures(runs: Sequence[Run]) -> list[Picture]:
    """Draw the last run, and the history of its subject if there are several; nothing if nothing is compared."""
    if not ratios(runs[-1]):
        return []
    history = [run for run in runs if run.subject == runs[-1].subject]
    drawn = [finish(partial(_ratios, runs[-1]), "bench-ratios")]
    return drawn if len(history) == 1 else [*drawn, finish(partial(_history, history), "bench-history")]


def _ratios(run: Run) -> Drawing:
    found = ratios(run)
    timed = {ratio.work for ratio in found}
    works = [work for work in STEPS if work.name in timed]
    ranks = {work.name: rank for rank, work in enumerate(works)}
    peers = [*dict.fromkeys(ratio.peer for ratio in found)]
    figure, axes = axes_of(1.1 + ROW_INCHES * len(works))
    for number, (peer, (marker, colour)) in enumerate(zip(peers, _marks(peers), strict=True)):
        shown = [ratio for ratio in found if ratio.peer == peer and ratio.work in ranks]
        values = [ratio.value for ratio in shown]
        offset = SPREAD * (number / max(len(peers) - 1, 1) - 0.5)
        low, high = ([math.exp(end(ratio.logarithms)) for ratio in shown] for end in (min, max))
        errors = [
            [value - one for value, one in zip(values, low, strict=True)],
            [one - value for value, one in zip(values, high, strict=True)],
        ]
        axes.errorbar(
            values,
            [ranks[ratio.work] + offset for ratio in shown],
            xerr=errors,
            fmt=marker,
            color=colour,
            markersize=9 if peer == LIMIT else 5,
            markeredgewidth=2 if peer == LIMIT else 0,
            elinewidth=1,
            label=peer,
            zorder=3,
        )
    axes.axvline(1, color=MUTED, linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(works)), [work.title for work in works], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(f"ratio of times: how many times as long as {run.subject} (log scale)")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    limit_is = "The limit is what the products of matrices and the memory of the machine allow."
    uncertainty = "Each mark is the median of all starts; its line reaches from the smallest to the largest."
    caption = f"Right of 1, {run.subject} is faster. {limit_is} {uncertainty}"
    words = "; ".join(f"{ratio.work} next to {ratio.peer}: {ratio.value:.2f}" for ratio in found)
    return Drawing(Picture(f"A step next to {run.subject}'s", caption, f"Ratios of seconds. {words}."), figure)


def _marks(peers: Sequence[str]) -> list[tuple[str, str]]:
    """Return a shape and a colour for each peer, the same in every chart; the limit has its own."""
    marks = [*islice(zip(cycle(SHAPES), cycle(SERIES), strict=False), len(peers))]
    number = iter(marks)
    return [("|", INK) if peer == LIMIT else next(number) for peer in peers]


def _history(runs: Sequence[Run]) -> Drawing:
    figure, axes = axes_of()
    curves: dict[str, list[tuple[int, float]]] = {}
    for number, run in enumerate(runs, start=1):
        by_peer: dict[str, list[float]] = {}
        for ratio in ratios(run):
            by_peer.setdefault(ratio.peer, []).append(ratio.mean)
        for peer, logarithms in by_peer.items():
            curves.setdefault(peer, []).append((number, math.exp(statistics.fmean(logarithms))))
    for (peer, points), (marker, colour) in zip(curves.items(), _marks([*curves]), strict=True):
        axes.plot(*zip(*points, strict=True), marker=marker, color=colour, label=peer)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(range(1, len(runs) + 1))
    axes.set_xlabel("run")
    axes.set_ylabel(f"times as long as {runs[0].subject}")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    mean = f"{len(runs)} runs from {runs[0].time} to {runs[-1].time}: the geometric mean over all that a run has timed."
    caption = f"{mean} A curve that falls is a slower {runs[0].subject}."
    words = "; ".join(f"{peer}: {', '.join(f'{value:.2f}' for _, value in points)}" for peer, points in curves.items())
    return Drawing(Picture("From run to run", caption, f"Ratios of seconds. {words}."), figure)
