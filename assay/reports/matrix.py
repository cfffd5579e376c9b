"""The matrix of claims by version, as data and as a page: since when each claim holds or fails."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from assay.errors import ErrorKind, UserError
from assay.files import json_file
from assay.ledger.ledger import Ledger, Row
from assay.ledger.outcomes import Outcome
from assay.ledger.verdict import is_complete
from assay.reports import entries as layout
from assay.reports import page
from assay.reports.columns import MEANINGS, NO_ROW, Cell
from assay.reports.entries import Entry
from assay.specification.claims import specification

FORMAT = 1
SCHEMA = Path(__file__).with_name("matrix.schema.json")
ALWAYS, UNDECIDED = "holds in all", "was tried in none"
HOLDS = {outcome.value for outcome in Outcome if outcome.holds}
UNTRIED = {*(outcome.value for outcome in Outcome if not outcome.tried), NO_ROW}

# As defined by `matrix.schema.json`.
Matrix = Mapping[str, Any]


def history(outcomes: Mapping[str, str]) -> str:
    """Describe since when, until when or in which versions a claim holds.

    Args:
        outcomes: Outcomes by version, the oldest first.

    """
    tried = {version: outcome in HOLDS for version, outcome in outcomes.items() if outcome not in UNTRIED}
    holding = [version for version, holds in tried.items() if holds]
    if not tried:
        return UNDECIDED
    if len(holding) in {0, len(tried)}:
        return ALWAYS if holding else "holds in none"
    versions = [*tried]
    turns = [after for before, after in pairwise(versions) if tried[before] != tried[after]]
    if len(turns) == 1:
        return f"holds since {turns[0]}" if tried[turns[0]] else f"fails since {turns[0]}"
    failing = [version for version in tried if version not in holding]
    return f"fails in {', '.join(failing)}" if len(failing) < len(holding) else f"holds in {', '.join(holding)}"


def make(ledgers: Mapping[str, Ledger]) -> Matrix:
    """Create a matrix from ledgers.

    Args:
        ledgers: Ledgers by the name of the version, the oldest first.

    Raises:
        UserError: The ledgers come from different versions of the suite or of the document.

    """
    for what in ("suite", "document"):
        if len({getattr(ledger, what) for ledger in ledgers.values()}) > 1:
            msg = f"the ledgers have more than one {what}"
            raise UserError(ErrorKind.MISMATCHED_RESULTS, msg, "Make them again with one version of the suite")
    rows = {name: ledger.rows for name, ledger in ledgers.items()}
    ids = {id_ for found in rows.values() for id_ in found}
    order = sorted(ids, key=lambda id_: (specification().rank(id_), id_))
    first = next(iter(ledgers.values()))
    return {
        "format": FORMAT,
        "suite": first.suite,
        "document": first.document,
        "versions": [_version(name, ledger) for name, ledger in ledgers.items()],
        "claims": [_claim(id_, {name: found.get(id_) for name, found in rows.items()}) for id_ in order],
    }


def _version(name: str, ledger: Ledger) -> dict[str, Any]:
    return {
        "name": name,
        "frameworks": ledger.implementation.frameworks,
        "device": ledger.implementation.device,
        "profile": ledger.profile,
        "complete": is_complete(ledger, specification()),
        "counts": {outcome.value: number for outcome, number in ledger.counts.items()},
    }


def _claim(id_: str, rows: Mapping[str, Row | None]) -> dict[str, Any]:
    outcomes = {name: row.outcome.value if row else NO_ROW for name, row in rows.items()}
    reasons = {name: row.reason.partition("\n")[0] for name, row in rows.items() if row and row.reason}
    return {"id": id_, "history": history(outcomes), "outcomes": outcomes, **({"reasons": reasons} if reasons else {})}


def read(path: Path) -> Matrix:
    """Read a matrix.

    Raises:
        UserError: The file does not exist, or does not hold a matrix.

    """
    return json_file.read(path, SCHEMA, "matrix", "`assay matrix NAME=LEDGER ...` makes one")


def as_json(matrix: Matrix) -> str:
    """Write a matrix with a line for each claim, so that two of them can be compared by lines."""
    head = "".join(f' "{key}": {json.dumps(matrix[key])},\n' for key in ("format", "suite", "document"))
    versions, claims = (",\n".join(f"  {json.dumps(entry)}" for entry in matrix[key]) for key in ("versions", "claims"))
    return f'{{\n{head} "versions": [\n{versions}\n ],\n "claims": [\n{claims}\n ]\n}}\n'


def as_page(matrix: Matrix) -> str:
    """Return a matrix as one HTML file: changes between versions first, then every claim."""
    entries = [_entry(row, matrix) for row in matrix["claims"]]
    by_section: dict[str, list[Entry]] = {}
    for entry in entries:
        by_section.setdefault(entry.claim.section if entry.claim else "", []).append(entry)
    changing = {row["id"] for row in matrix["claims"] if row["history"] not in {ALWAYS, UNDECIDED}}
    text: str = page.template("matrix.html.jinja").render(
        matrix=matrix,
        names=[version["name"] for version in matrix["versions"]],
        entries=entries,
        changing=[entry for entry in entries if entry.id in changing],
        chapters=[
            layout.chapter(section, in_section, _counts(in_section))
            for section in specification().sections
            if (in_section := by_section.get(section.name))
        ],
        unknown=by_section.get("", []),
        meanings=MEANINGS,
        suite=matrix["suite"],
        document=matrix["document"],
    )
    return text


def _entry(row: Mapping[str, Any], matrix: Matrix) -> Entry:
    reasons = row.get("reasons", {})
    cells = [
        Cell(row["outcomes"].get(version["name"], NO_ROW), version["name"], reason=reasons.get(version["name"], ""))
        for version in matrix["versions"]
    ]
    known = specification().claims.get(row["id"])
    if known is None:
        return Entry(row["id"], f"unknown-{row['id']}", None, "", cells, row["history"])
    titles = {section.name: section.title for section in specification().sections}
    return layout.entry(known, titles[known.section], cells, row["history"])


def _counts(entries: Sequence[Entry]) -> list[dict[str, int]]:
    """Count the states of each version, in the order of severity."""
    columns = zip(*([cell.state for cell in entry.cells] for entry in entries), strict=True)
    return [{state: states.count(state) for state in MEANINGS if state in states} for states in columns]
