"""The results of a run as tables: what a step takes, here and next to here, and what the first call takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.bench.ratios import LIMIT, Ratio, ratios, seconds
from assay.bench.results import Run
from assay.bench.workloads import STEPS
from assay.reports import markdown

Row = Sequence[str]
NOTHING = "-"
UNITS = {1.0: "s", 1e-3: "ms", 1e-6: "µs", 1e-9: "ns"}


def both(run: Run) -> list[list[Row]]:
    """Return the table of steps and that of first calls."""
    return [steps(run), first_calls(run)]


def steps(run: Run) -> list[Row]:
    """Return what a step of the subject takes, and how many times as long the others take; a header first.

    The limit is the other way round: how many times as long the subject takes.
    """
    known = {(ratio.work, ratio.peer): ratio for ratio in ratios(run)}
    rows = [
        [
            work.title,
            _time(seconds(run, work.name, run.subject)),
            *(_times(known.get((work.name, peer))) for peer in (*run.peers, LIMIT)),
        ]
        for work in STEPS
        if work.name in run.starts
    ]
    return [["a step", run.subject, *run.peers, "times the limit"], *rows]


def first_calls(run: Run) -> list[Row]:
    """Return the seconds of the first call of each work, with what is compiled in it, by implementation."""
    rows = []
    for work in STEPS:
        if work.name in run.starts:
            found = (run.measured(work.name, name).values() for name in run.implementations)
            rows.append([work.title, *(_seconds([start.first for start in starts]) for starts in found)])
    return [["seconds of the first call", *run.implementations], *rows]


def _times(ratio: Ratio | None) -> str:
    if ratio is None:
        return NOTHING
    value = 1 / ratio.value if ratio.peer == LIMIT else ratio.value
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - as many digits as the ratio has


def _time(value: float | None) -> str:
    if value is None:
        return NOTHING
    unit = max((one for one in UNITS if value >= one), default=min(UNITS))
    return f"{value / unit:.3g} {UNITS[unit]}"


def _seconds(values: Sequence[float]) -> str:
    return f"{min(values):.2f}" if values else NOTHING


def align(rows: Sequence[Row]) -> Iterator[str]:
    """Write rows in lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def as_text(run: Run) -> str:
    """Return the tables for the terminal, and what gave no result."""
    of_steps, of_first_calls = map(align, both(run))
    return "\n".join([*of_steps, "", *of_first_calls, *_broken(run)])


def as_markdown(run: Run) -> str:
    """Return the tables as Markdown."""
    lines: list[str] = []
    for header, *rows in both(run):
        lines += [*markdown.table(header, rows), ""]
    return "\n".join([*lines, *(f"- {markdown.plain(line)}" for line in _broken(run))])


def _broken(run: Run) -> Iterator[str]:
    for one in run.lost:
        yield f"{one.implementation}, {one.work or 'all'}: {one.outcome}: {one.reason}"
