"""The figures of benchmarks: how many times as long others take, and how that has changed from run to run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import partial
from itertools import cycle

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from assay.bench.ratios import LIMIT, ratios
from assay.bench.results import Run
from assay.bench.workloads import STEPS
from assay.reports.picture import FIRST, INK, MUTED, SECOND, THIRD, Drawing, Picture, axes_of, finish

# Distinguished by shape as well as by colour, which not everybody sees.
MARKS = [*zip("osD^vP", cycle((FIRST, SECOND, THIRD)), strict=False)]
ROW_INCHES = 0.3


def pictures(runs: Sequence[Run]) -> list[Picture]:
    """Draw the last run, and all of one subject if there are several; nothing where nothing is compared."""
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
    for peer, (marker, colour) in zip(peers, MARKS, strict=False):
        points = [(ratio.value, ranks[ratio.work]) for ratio in found if ratio.peer == peer and ratio.work in ranks]
        limit = {"marker": "|", "color": INK, "s": 120} if peer == LIMIT else {"marker": marker, "color": colour}
        axes.scatter(*zip(*points, strict=True), label=peer, zorder=3, **limit)
    axes.axvline(1, color=MUTED, linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(works)), [work.title for work in works], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(f"times as long as {run.subject}")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    limit_is = "The limit is what the products of matrices and the memory of the machine allow."
    caption = f"Right of 1, {run.subject} is faster. {limit_is}"
    words = "; ".join(f"{ratio.work} next to {ratio.peer}: {ratio.value:.2f}" for ratio in found)
    return Drawing(Picture(f"A step next to {run.subject}'s", caption, f"Ratios of seconds. {words}."), figure)


def _history(runs: Sequence[Run]) -> Drawing:
    figure, axes = axes_of()
    curves: dict[str, list[tuple[int, float]]] = {}
    for number, run in enumerate(runs, start=1):
        by_peer: dict[str, list[float]] = {}
        for ratio in ratios(run):
            by_peer.setdefault(ratio.peer, []).append(ratio.mean)
        for peer, logarithms in by_peer.items():
            curves.setdefault(peer, []).append((number, math.exp(statistics.fmean(logarithms))))
    for (peer, points), (marker, colour) in zip(curves.items(), MARKS, strict=False):
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
