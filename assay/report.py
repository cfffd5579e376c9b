"""The report: ledgers in, one self-contained page out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay import __version__, claims, ledger, page
from assay.figures import from_evidence
from assay.illustrations import from_definition
from assay.ledger import SEVERITY, Outcome

if TYPE_CHECKING:
    from assay.claims import Claim, Section, Specification
    from assay.picture import Picture

NO_ROW = "no row"
NOT_HELD = "not in profile"

MEANINGS = {
    Outcome.PASS.value: "the claim holds",
    Outcome.UNSUPPORTED.value: "opted out: the implementation does not declare the group that it needs",
    Outcome.SKIPPED.value: "opted out: not run, for the reason given",
    Outcome.EXPECTED_FAILURE.value: "does not hold, as the implementation declared beforehand",
    Outcome.UNEXPECTED_PASS.value: "holds, although the implementation declared that it would not",
    Outcome.FAIL.value: "the claim does not hold",
    Outcome.ERROR.value: "the implementation's adapter broke",
    Outcome.TIMEOUT.value: "not done within the time allowed",
    Outcome.CRASH.value: "the process died",
    NO_ROW: "the run ended, or was narrowed, before the claim had its turn",
}
OPTED_OUT = (Outcome.UNSUPPORTED.value, Outcome.SKIPPED.value)
AGAINST = tuple(outcome.value for outcome in Outcome if not outcome.conforms)
# A page may be asked for with a hundred failures; the first of them are enough to begin with.
MOST_IN_BRIEF = 12

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a ledger comes to.

    Attributes:
        word: CONFORMANT, NOT CONFORMANT or INCOMPLETE.
        why: in a sentence or two.

    """

    word: str
    why: str


@dataclass(frozen=True)
class Cell:
    """What one ledger says of one claim.

    Attributes:
        state: an outcome, NO_ROW or NOT_HELD.
        run: the ledger's name in this page.
        seconds: None where the claim was not run.
        reason: empty for a pass.
        replay: empty for a pass.

    """

    state: str
    run: str
    seconds: float | None = None
    reason: str = ""
    replay: str = ""

    @property
    def against(self) -> bool:
        """Whether it counts against conformance."""
        return self.state in AGAINST


@dataclass(frozen=True)
class Column:
    """One ledger.

    Attributes:
        content: as read.
        name: sets it apart from the other ledgers of the page.
        rows: by claim.
        expected: every claim that the run was to try, and every one that it has a row for.
        remarks: what a reader must know before comparing it.

    """

    content: Mapping[str, Any]
    name: str
    rows: Mapping[str, Row]
    expected: Sequence[str]
    remarks: Sequence[str]

    @property
    def counts(self) -> dict[str, int]:
        """How many of the expected claims are in each state that occurs, in the order of severity."""
        return self.count(self.expected)

    def count(self, ids: Sequence[str]) -> dict[str, int]:
        """Count the states of these claims."""
        states = [self.cell(id_).state for id_ in ids]
        return {state: states.count(state) for state in MEANINGS if state in states}

    @property
    def passed(self) -> int:
        """How many claims pass."""
        return self.counts.get(Outcome.PASS.value, 0)

    @property
    def verdict(self) -> Verdict:
        """What it comes to. One failure settles the matter, however much is missing."""
        counts, total = self.counts, len(self.expected)
        missing = counts.get(NO_ROW, 0)
        gap = f"{_claims(missing)} of {total} {_have(missing)} no row." if missing else ""
        if not missing and not self.content["complete"]:
            gap = "The run did not finish, and this specification cannot tell what is missing."
        if against := {state: counts[state] for state in AGAINST if state in counts}:
            number = sum(against.values())
            why = f"{_claims(number)} {_count(number)} against it: {_list(against)}. {gap}"
            return Verdict("NOT CONFORMANT", why.strip())
        if gap or not total:
            return Verdict("INCOMPLETE", f"{gap or 'There are no claims.'} Nothing that ran counts against it.")
        out = {state: counts[state] for state in OPTED_OUT if state in counts}
        usual = (*OPTED_OUT, Outcome.PASS.value)
        rest = {state: count for state, count in counts.items() if state not in usual}
        opted = f"{_claims(sum(out.values()))} opted out: {_list(out)}." if out else ""
        other = f"Also {_list(rest)}." if rest else ""
        return Verdict("CONFORMANT", " ".join(filter(None, (opted, other))) or "Every claim passes.")

    def cell(self, id_: str) -> Cell:
        """Return what the ledger says of a claim."""
        if id_ in self.rows:
            row = self.rows[id_]
            reason, replay = row.get("reason", ""), row.get("replay", "")
            return Cell(row["outcome"], self.name, row["seconds"], reason, replay)
        return Cell(NO_ROW if id_ in self.expected else NOT_HELD, self.name)


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
    def against(self) -> bool:
        """Whether it counts against any of the ledgers."""
        return any(cell.against for cell in self.cells)


@dataclass(frozen=True)
class Chapter:
    """One section of the document, with its claims in the page."""

    title: str
    anchor: str
    lines: str
    entries: Sequence[Entry]
    counts: Sequence[Mapping[str, int]]


@dataclass(frozen=True)
class Exhibit:
    """A figure, and what it belongs to: a claim in one run, or a section of the document."""

    picture: Picture
    section: str
    entry: Entry | None = None
    run: str = ""


def write(ledgers: Sequence[Path], output: Path) -> None:
    """Read ledgers and write their report.

    Raises:
        UserError: a file is not a ledger, or the report cannot be written.

    """
    page.write(output, render([ledger.read(path) for path in ledgers]), "report")


def render(ledgers: Sequence[dict[str, Any]], specification: Specification | None = None) -> str:
    """Return the page, the same for the same ledgers.

    Args:
        ledgers: as `assay.ledger.read` returns them, one column each.
        specification: what the ledgers are about; the one that comes with the suite unless given.

    """
    spec = specification or claims.specification()
    columns = [_column(content, name, spec) for content, name in zip(ledgers, _names(ledgers), strict=True)]
    chapters = _chapters(columns, spec)
    strangers = _strangers(columns, spec)
    entries = [*(entry for chapter in chapters for entry in chapter.entries), *strangers]
    exhibits, notes = _exhibits(columns, entries)
    text: str = page.template("report.html.jinja").render(
        columns=columns,
        chapters=chapters,
        strangers=strangers,
        failures=[entry for entry in entries if entry.against],
        most_in_brief=MOST_IN_BRIEF,
        errata=[entry for entry in entries if entry.claim and entry.claim.erratum],
        exhibits=sorted([*_illustrations(spec), *exhibits], key=_order(spec)),
        notes=notes,
        meanings=MEANINGS,
        suite=__version__,
        document=spec.document,
    )
    return text


# --- What the ledgers hold ---------------------------------------------------------------------------------


def _names(ledgers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the ledgers, with as much as it takes to tell them apart."""
    plain = [content["implementation"]["name"] for content in ledgers]
    versions = [content["implementation"]["version"] for content in ledgers]
    names = [
        name if plain.count(name) == 1 else f"{name} {version}" for name, version in zip(plain, versions, strict=True)
    ]
    return [
        name if names.count(name) == 1 else f"{name} ({names[:index].count(name) + 1})"
        for index, name in enumerate(names)
    ]


def _column(content: Mapping[str, Any], name: str, spec: Specification) -> Column:
    rows: dict[str, Row] = {}
    for row in content["claims"]:
        known = rows.setdefault(row["id"], row)
        rows[row["id"]] = max(known, row, key=lambda each: SEVERITY[Outcome(each["outcome"])])
    return Column(content, name, rows, _expected(content, rows, spec), _remarks(content, spec))


def _expected(content: Mapping[str, Any], rows: Mapping[str, Row], spec: Specification) -> list[str]:
    """List what the run was to try, the specification's claims first.

    What another version of the suite held is known from its rows alone, if they are all there; if they are
    not, from the version that brought each claim.
    """
    held: list[str] = []
    if content["suite"] == __version__ or not content["complete"]:
        candidates = spec.of_profile(content["profile"])
        held = [id_ for id_, claim in candidates.items() if _version(claim.since) <= _version(content["suite"])]
    return [*dict.fromkeys([*held, *rows])]


def _version(text: str) -> list[int]:
    numbers = [int(number) for number in re.findall(r"[0-9]+", text)[:3]]
    return numbers + [0] * (3 - len(numbers))


def _remarks(content: Mapping[str, Any], spec: Specification) -> list[str]:
    remarks = []
    if content["suite"] != __version__:
        remarks.append(f"Written by version {content['suite']} of the suite; this page speaks of {__version__}.")
    if content["document"] != spec.document:
        remarks.append("It is about another edition of the document.")
    return remarks


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
            evidence = column.rows.get(entry.id, {}).get("evidence", {})
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


# --- Words -------------------------------------------------------------------------------------------------


def _claims(count: int) -> str:
    return f"{count} claim" if count == 1 else f"{count} claims"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _count(number: int) -> str:
    return "counts" if number == 1 else "count"


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items())
