"""The report as one self-contained page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.ledger.ledger import Ledger
from assay.reports import page
from assay.reports.columns import MEANINGS, Cell, Column, side_by_side
from assay.reports.figures import from_evidence
from assay.reports.illustrations import from_definition
from assay.specification import claims
from assay.survey.summary import MEANINGS as MEANINGS_OF_KINDS

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.reports.picture import Picture
    from assay.specification.claims import Claim, Section, Specification
    from assay.survey.summary import Survey

# A page may be asked for with a hundred failures; the first of them are enough to begin with.
MOST_IN_BRIEF = 12


@dataclass(frozen=True)
class Entry:
    """One claim of the page.

    Attributes:
        id: the claim's.
        anchor: where it stands in the page.
        claim: None where the specification does not know it.
        section: its section's title; empty where the specification does not know it.
        cells: one for each ledger.

    """

    id: str
    anchor: str
    claim: Claim | None
    section: str
    cells: Sequence[Cell]

    @property
    def details(self) -> list[Cell]:
        """The cells that have something to explain."""
        return [cell for cell in self.cells if cell.reason or cell.replay]

    @property
    def counts_against(self) -> bool:
        """Whether it counts against any of the ledgers."""
        return any(cell.counts_against for cell in self.cells)


@dataclass(frozen=True)
class Chapter:
    """One section of the document, with its claims in the page."""

    title: str
    anchor: str
    lines: str
    entries: Sequence[Entry]
    counts: Sequence[Mapping[str, int]]

    @property
    def seconds(self) -> list[float]:
        """What its claims took in each run."""
        rows = zip(*(entry.cells for entry in self.entries), strict=True)
        return [sum(cell.seconds or 0 for cell in cells) for cells in rows]


@dataclass(frozen=True)
class Exhibit:
    """A figure, and what it belongs to: a claim in one run, or a section of the document."""

    picture: Picture
    section: str
    entry: Entry | None = None
    run: str = ""


def render(
    ledgers: Sequence[Ledger],
    specification: Specification | None = None,
    runs: Sequence[Run] = (),
    surveys: Sequence[Survey] = (),
) -> str:
    """Return the page, the same for the same ledgers, benchmarks and surveys.

    Args:
        ledgers: Ledgers of runs, one column each.
        specification: Specification that they are about; by default the suite's.
        runs: Runs of benchmarks, the last one last.
        surveys: Findings of surveys.

    """
    spec = specification or claims.specification()
    columns = side_by_side(ledgers, spec)
    chapters = _chapters(columns, spec)
    strangers = _strangers(columns, spec)
    entries = [*(entry for chapter in chapters for entry in chapter.entries), *strangers]
    exhibits, notes = _exhibits(columns, entries)
    text: str = page.template("report.html.jinja").render(
        columns=columns,
        chapters=chapters,
        strangers=strangers,
        failures=[entry for entry in entries if entry.counts_against],
        most_in_brief=MOST_IN_BRIEF,
        errata=[entry for entry in entries if entry.claim and entry.claim.erratum],
        speed=_speed(runs) if runs else None,
        surveys=surveys,
        kinds=MEANINGS_OF_KINDS,
        exhibits=sorted([*_illustrations(spec), *exhibits], key=_order(spec)),
        notes=notes,
        meanings=MEANINGS,
        suite=__version__,
        document=spec.document,
    )
    return text


def _speed(runs: Sequence[Run]) -> dict[str, Any]:
    from assay.reports import bench_chart, bench_tables  # noqa: PLC0415 - of ledgers alone a report loads nothing of benchmarks

    return {"last": runs[-1], "tables": bench_tables.both(runs[-1]), "pictures": bench_chart.pictures(runs)}


# --- How they are laid out ---------------------------------------------------------------------------------


def _chapters(columns: Sequence[Column], spec: Specification) -> list[Chapter]:
    shown = {id_ for column in columns for id_ in column.expected}
    chapters = [_chapter(section, columns, shown) for section in spec.sections]
    return [chapter for chapter in chapters if chapter.entries]


def _chapter(section: Section, columns: Sequence[Column], shown: set[str]) -> Chapter:
    held = [claim for claim in section.claims if claim.id in shown]
    entries = [
        Entry(claim.id, f"claim-{claim.id}", claim, section.title, [column.cell(claim.id) for column in columns])
        for claim in held
    ]
    counts = [column.count([claim.id for claim in held if claim.id in column.expected]) for column in columns]
    return Chapter(section.title, f"section-{section.name}", claims.format_lines(section.lines), entries, counts)


def _strangers(columns: Sequence[Column], spec: Specification) -> list[Entry]:
    known = spec.claims
    ids = dict.fromkeys(id_ for column in columns for id_ in column.rows if id_ not in known)
    # Such an id can be any text, and an anchor cannot.
    return [
        Entry(id_, f"unknown-{number}", None, "", [column.cell(id_) for column in columns])
        for number, id_ in enumerate(ids, start=1)
    ]


def _exhibits(
    columns: Sequence[Column], entries: Sequence[Entry]
) -> tuple[list[Exhibit], list[tuple[Entry, str, str]]]:
    exhibits, notes = [], []
    for number, column in enumerate(columns, start=1):
        for entry in entries:
            evidence = column.rows[entry.id].evidence if entry.id in column.rows else {}
            pictures, remarks = from_evidence(evidence, f"{number}-{entry.anchor}")
            exhibits += [Exhibit(picture, entry.section, entry, column.name) for picture in pictures]
            notes += [(entry, column.name, remark) for remark in remarks]
    return exhibits, notes


def _order(spec: Specification) -> Callable[[Exhibit], int]:
    titles = [section.title for section in spec.sections]
    return lambda exhibit: titles.index(exhibit.section) if exhibit.section in titles else len(titles)


def _illustrations(spec: Specification) -> Iterator[Exhibit]:
    titles = {section.name: section.title for section in spec.sections}
    for section, picture in from_definition():
        yield Exhibit(picture, titles.get(section, section))
