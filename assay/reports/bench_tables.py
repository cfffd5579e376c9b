"""Tables of a benchmark run: time of a step, ratios to the other implementations, and time of the first call."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.bench.ratios import LIMIT, Ratio, ratios, seconds
from assay.bench.results import Run
from assay.bench.workloads import STEPS
from assay.reports import markdown

Row = Sequence[str]
NOTHING, TIMES = "-", "\N{MULTIPLICATION SIGN}"
UNITS = {1.0: "s", 1e-3: "ms", 1e-6: "µs", 1e-9: "ns"}


@dataclass(frozen=True)
class Cell:
    """One cell of a table in a page.

    Attributes:
        text: Content of the cell.
        detail: Small print below the content: a unit, or the smallest and largest value.
        series: Number of its series in the figures, from 1; 0 for none.

    """

    text: str
    detail: str = ""
    series: int = 0


@dataclass(frozen=True)
class Table:
    """One table in a page.

    Attributes:
        title: Title.
        note: How to read it: units, and the quantities that the ratios compare.
        header: Headings of the columns.
        rows: Rows, which start with the name of the step.

    """

    title: str
    note: str
    header: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


def for_page(run: Run) -> list[Table]:
    """Return the tables of a page: with units and the spread between starts."""
    return [_steps_for_page(run), _first_calls_for_page(run)]


def _steps_for_page(run: Run) -> Table:
    known = {(ratio.work, ratio.peer): ratio for ratio in ratios(run)}
    compared = (*run.peers, LIMIT)
    starts = run.settings["starts"]
    sentences = [
        f"The column {run.subject} shows the time of a step: the median of {starts} starts.",
        f"The other columns show ratios of times. Above 1, {run.subject} is faster.",
        f"The last column divides the time of {run.subject} by the limit: the least time that the machine's rate of",
        "products and its memory allow. The small numbers are the smallest and the largest of all starts. The",
        f"median of many starts lies between them with a probability of {_probability(starts)}.",
    ]
    header = [
        Cell("step"),
        Cell(run.subject, "time of a step"),
        *(Cell(peer, f"{TIMES} {run.subject}", number) for number, peer in enumerate(run.peers, start=1)),
        Cell("limit", f"{run.subject} ÷ limit"),
    ]
    rows = [
        [
            Cell(work.title),
            Cell(_time(seconds(run, work.name, run.subject)), _span_of_times(run, work.name)),
            *(_ratio(known.get((work.name, peer))) for peer in compared),
        ]
        for work in STEPS
        if work.name in run.starts
    ]
    return Table("Time of a step", " ".join(sentences), header, rows)


def _probability(starts: int) -> str:
    """Return the probability that the median lies between the smallest and the largest of independent draws."""
    return f"{100 * (1 - 2.0 ** (1 - starts)):.0f} %" if starts > 1 else "0 %"


def _span_of_times(run: Run, work: str) -> str:
    found = [start.step for start in run.select_measured(work, run.subject).values()]
    return f"{_time(min(found))} to {_time(max(found))}" if len(found) > 1 else ""


def _ratio(ratio: Ratio | None) -> Cell:
    if ratio is None:
        return Cell(NOTHING)
    sign = -1 if ratio.peer == LIMIT else 1
    found = sorted(math.exp(sign * one) for one in ratio.logarithms)
    return Cell(f"{_times(ratio)}{TIMES}", f"{_digits(found[0])} to {_digits(found[-1])}" if len(found) > 1 else "")


def _first_calls_for_page(run: Run) -> Table:
    note = "Time of the first call in a process, with what is compiled in it: the shortest of all starts."
    rows = []
    for work in STEPS:
        if work.name in run.starts:
            found = (run.select_measured(work.name, name).values() for name in run.implementations)
            first = [min((start.first for start in starts), default=None) for starts in found]
            rows.append([Cell(work.title), *(Cell(_time(value)) for value in first)])
    return Table("Time of the first call", note, [Cell("step"), *map(Cell, run.implementations)], rows)


def both(run: Run) -> list[list[Row]]:
    """Return the table of steps and that of first calls."""
    return [steps(run), first_calls(run)]


def steps(run: Run) -> list[Row]:
    """Return a table with the time of a step of the subject, and the ratios of the others; a header first.

    The ratio of the limit is inverted: the time of the subject divided by the limit.
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
    """Return a table with the seconds of each work's first call, including compilation, by implementation."""
    rows = []
    for work in STEPS:
        if work.name in run.starts:
            found = (run.select_measured(work.name, name).values() for name in run.implementations)
            rows.append([work.title, *(_seconds([start.first for start in starts]) for starts in found)])
    return [["seconds of the first call", *run.implementations], *rows]


def _times(ratio: Ratio | None) -> str:
    if ratio is None:
        return NOTHING
    value = 1 / ratio.value if ratio.peer == LIMIT else ratio.value
    return _digits(value)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - numbers of three digits


def _time(value: float | None) -> str:
    if value is None:
        return NOTHING
    unit = max((one for one in UNITS if value >= one), default=min(UNITS))
    return f"{value / unit:.3g} {UNITS[unit]}"


def _seconds(values: Sequence[float]) -> str:
    return f"{min(values):.2f}" if values else NOTHING


def align(rows: Sequence[Row]) -> Iterator[str]:
    """Format rows as lines, with the first column left-aligned and the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def as_text(run: Run) -> str:
    """Return the tables for the terminal, and the works without a result."""
    of_steps, of_first_calls = map(align, both(run))
    return "\n".join([*of_steps, "", *of_first_calls, *_list_lost(run)])


def as_markdown(run: Run) -> str:
    """Return the tables as Markdown."""
    lines: list[str] = []
    for header, *rows in both(run):
        lines += [*markdown.table(header, rows), ""]
    return "\n".join([*lines, *(f"- {markdown.plain(line)}" for line in _list_lost(run))])


def _list_lost(run: Run) -> Iterator[str]:
    for broken in run.lost:
        yield f"{broken.implementation}, {broken.work or 'all'}: {broken.outcome}: {broken.reason}"
