"""Content of a page: claims by section with their results in the ledgers, and figures with their claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from assay.reports.columns import Cell, Column
from assay.reports.figures import from_evidence
from assay.reports.illustrations import from_definition
from assay.specification import claims, document

if TYPE_CHECKING:
    from assay.reports.picture import Picture
    from assay.specification.claims import Claim, Section, Specification

PASS, UNTESTED = "pass", ("unsupported", "skipped", "no row")


@dataclass(frozen=True)
class Finding:
    """A result of a claim that one or more ledgers share."""

    state: str
    reason: str
    results: Sequence[str]
    cells: Sequence[Cell]

    @property
    def replays(self) -> list[Cell]:
        """The cells with a useful replay command; it is useless if a group is missing."""
        return [cell for cell in self.cells if cell.replay and self.state != "unsupported"]


@dataclass(frozen=True)
class Entry:
    """One claim of the page.

    Attributes:
        id: Id of the claim.
        anchor: Anchor of the claim in the page.
        claim: The claim; None if it is not in the specification.
        section: Title of its section; empty if it is not in the specification.
        cells: Result in each ledger, in their order.
        note: Short note, such as since when the claim holds.
        exhibits: Figures of the claim, added once they are drawn.

    """

    id: str
    anchor: str
    claim: Claim | None
    section: str
    cells: Sequence[Cell]
    note: str = ""
    exhibits: list[Exhibit] = field(default_factory=list, compare=False, repr=False)

    @property
    def counts_against(self) -> bool:
        """Whether the claim counts against any of the ledgers."""
        return any(cell.counts_against for cell in self.cells)

    @cached_property
    def findings(self) -> list[Finding]:
        """The results, grouped if equal; those that count against a ledger come first."""
        alike: dict[tuple[str, str, tuple[str, ...]], list[Cell]] = {}
        for cell in self.cells:
            alike.setdefault((cell.state, cell.reason, tuple(cell.results)), []).append(cell)
        found = [Finding(*key, cells) for key, cells in alike.items()]
        return sorted(found, key=lambda finding: not finding.cells[0].counts_against)


@dataclass(frozen=True)
class Chapter:
    """One section of the document, with its claims in the page."""

    name: str
    title: str
    heading: str
    lines: str
    entries: Sequence[Entry]
    counts: Sequence[Mapping[str, int]]

    @property
    def anchor(self) -> str:
        """The anchor of the section in the page."""
        return f"section-{self.name}"

    @property
    def seconds(self) -> list[float]:
        """The time of its claims in each run."""
        rows = zip(*(entry.cells for entry in self.entries), strict=True)
        return [sum(cell.seconds or 0 for cell in cells) for cells in rows]

    @property
    def counts_against(self) -> int:
        """The number of its claims that count against any of the ledgers."""
        return sum(entry.counts_against for entry in self.entries)


@dataclass(frozen=True)
class Gap:
    """Claims that were not tested, for one reason."""

    state: str
    reason: str
    entries: Sequence[Entry]
    runs: Sequence[str]


@dataclass(frozen=True)
class Exhibit:
    """A figure with its subject: a claim in one run, or a section of the document."""

    picture: Picture
    section: str
    place: int
    anchor: str
    entry: Entry | None = None
    run: str = ""


def chapters(columns: Sequence[Column], spec: Specification) -> list[Chapter]:
    """Return the claims of all ledgers by section, without claims that no ledger was to decide."""
    shown = {id_ for column in columns for id_ in column.expected}
    found = [_chapter(section, columns, shown) for section in spec.sections]
    return [chapter for chapter in found if chapter.entries]


def _chapter(section: Section, columns: Sequence[Column], shown: set[str]) -> Chapter:
    claims = [claim for claim in section.claims if claim.id in shown]
    entries = [entry(claim, section.title, [column.cell(claim.id) for column in columns]) for claim in claims]
    counts = [column.count([claim.id for claim in claims if claim.id in column.expected]) for column in columns]
    return chapter(section, entries, counts)


def chapter(section: Section, entries: Sequence[Entry], counts: Sequence[Mapping[str, int]] = ()) -> Chapter:
    """Return the chapter of a section, under its heading in the document."""
    heading = document.identity().headings.get(section.name, "")
    return Chapter(section.name, section.title, heading, claims.format_lines(section.lines), entries, counts)


def entry(claim: Claim, section: str, cells: Sequence[Cell], note: str = "") -> Entry:
    """Return the entry of a claim."""
    return Entry(claim.id, f"claim-{claim.id}", claim, section, cells, note)


def unknown_claims(columns: Sequence[Column], spec: Specification) -> list[Entry]:
    """Return entries for rows whose claims are not in the specification."""
    known = spec.claims
    ids = dict.fromkeys(id_ for column in columns for id_ in column.rows if id_ not in known)
    # An unknown id can be any text, unlike an anchor.
    return [
        Entry(id_, f"unknown-{number}", None, "", [column.cell(id_) for column in columns])
        for number, id_ in enumerate(ids, start=1)
    ]


def gaps(entries: Sequence[Entry]) -> list[Gap]:
    """Return the untested claims by reason, most frequent reason first."""
    found: dict[tuple[str, str], dict[str, Entry]] = {}
    runs: dict[tuple[str, str], dict[str, None]] = {}
    for each in entries:
        for cell in each.cells:
            if cell.state in UNTESTED:
                key = cell.state, cell.reason.partition("\n")[0]
                found.setdefault(key, {})[each.id] = each
                runs.setdefault(key, {})[cell.run] = None
    made = [Gap(*key, [*of_key.values()], [*runs[key]]) for key, of_key in found.items()]
    return sorted(made, key=lambda gap: -len(gap.entries))


def exhibits(
    columns: Sequence[Column], entries: Sequence[Entry], spec: Specification
) -> tuple[list[Exhibit], list[tuple[Entry, str, str]]]:
    """Draw every figure, in the order of the document, and add them to their entries.

    Returns:
        The figures, and for each figure that cannot be drawn its entry, the run and the reason.

    """
    places = {section.title: place for place, section in enumerate(spec.sections)}
    drawn, notes = [*_illustrations(spec, places)], []
    for number, column in enumerate(columns, start=1):
        for each in entries:
            evidence = column.rows[each.id].evidence if each.id in column.rows else {}
            pictures, remarks = from_evidence(evidence, f"{number}-{each.anchor}")
            for index, picture in enumerate(pictures, start=1):
                anchor, place = f"figure-{number}-{index}-{each.anchor}", places.get(each.section, len(places))
                exhibit = Exhibit(picture, each.section, place, anchor, each, column.name)
                each.exhibits.append(exhibit)
                drawn.append(exhibit)
            notes += [(each, column.name, remark) for remark in remarks]
    return sorted(drawn, key=lambda exhibit: exhibit.place), notes


def _illustrations(spec: Specification, places: Mapping[str, int]) -> Iterator[Exhibit]:
    titles = {section.name: section.title for section in spec.sections}
    for number, (section, picture) in enumerate(from_definition(), start=1):
        title = titles.get(section, section)
        yield Exhibit(picture, title, places.get(title, len(places)), f"figure-{number}")
