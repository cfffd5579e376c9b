"""The page of published results: every implementation with its counts, and the claims on which they differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from msgspec import Struct

from assay.ledger.ledger import Ledger
from assay.ledger.outcomes import Outcome
from assay.reports.markdown import code, table
from assay.specification.claims import specification

HEAD = """\
# Published results

The core profile of every implementation. This page and the ledgers beside it are written by
`python -m assay.cli.results NAME=LEDGER ... --command "assay run NAME"`.

A ledger is that of the run without its evidence. The digest of a specification covers the statements and tests of all
claims of the run: results with the same digest were made with the same specification.
"""
LETTERS = {
    Outcome.PASS: "yes",
    Outcome.UNSUPPORTED: "",
    Outcome.SKIPPED: "skipped",
    Outcome.EXPECTED_FAILURE: "known failure",
}
DIGITS = 16


class Result(Struct, frozen=True, forbid_unknown_fields=True):
    """How a published ledger was made.

    Attributes:
        command: Command of the run.
        date: Date of the run, such as 2026-12-31.
        machine: Machine of the run.
        specification: Digest of the claims and their tests.

    """

    command: str
    date: str
    machine: str
    specification: str


def specification_of(ledger: Ledger) -> str:
    """Return a digest of the claims and tests that a ledger was made with."""
    lines = sorted(f"{row.id} {row.digest}" for row in ledger.claims)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGITS]


def render(entries: Mapping[str, tuple[Result, Ledger]]) -> str:
    """Return the page.

    Args:
        entries: Results with their ledgers, by the name of the implementation.

    """
    lines = [HEAD, *table(_HEADER, [_row(name, *entry) for name, entry in entries.items()])]
    lines += ["", "## How they were made", ""]
    made = [(name, code(result.command), result.date, result.machine) for name, (result, _) in entries.items()]
    lines += table(("implementation", "command", "date", "machine"), made)
    lines += [
        "",
        "## Claims that tell them apart",
        "",
        "Claims that at least one implementation was tried on and fails.",
        "",
    ]
    lines += _matrix({name: ledger for name, (_, ledger) in entries.items()})
    return "\n".join(lines) + "\n"


_HEADER = (
    *("implementation", "frameworks", "groups", "pass", "known failures", "other failures", "unsupported", "skipped"),
    "specification",
)


def _row(name: str, result: Result, ledger: Ledger) -> tuple[str, ...]:
    counts = ledger.counts
    calm = (Outcome.PASS, Outcome.EXPECTED_FAILURE, Outcome.UNSUPPORTED, Outcome.SKIPPED)
    frameworks = ", ".join(f"{package} {version}" for package, version in ledger.implementation.frameworks.items())
    subject = ledger.implementation
    groups = [group if group in subject.whole_groups else f"parts of {group}" for group in subject.groups]
    others = sum(number for outcome, number in counts.items() if outcome not in calm)
    return (
        *(name, frameworks or "none", ", ".join(groups)),
        *map(str, (counts[Outcome.PASS], counts[Outcome.EXPECTED_FAILURE], others)),
        *map(str, (counts[Outcome.UNSUPPORTED], counts[Outcome.SKIPPED])),
        f"`{result.specification}`",
    )


def _matrix(ledgers: Mapping[str, Ledger]) -> Iterator[str]:
    rows = {name: ledger.rows for name, ledger in ledgers.items()}
    every = dict.fromkeys(id_ for found in rows.values() for id_ in found)

    def differs(id_: str) -> bool:
        outcomes = [found[id_].outcome for found in rows.values() if id_ in found]
        return any(outcome.tried and not outcome.holds for outcome in outcomes)

    telling = sorted(filter(differs, every), key=lambda id_: (specification().rank(id_), id_))
    cells = [
        (f"`{id_}`", *(_cell(found[id_].outcome) if id_ in found else "" for found in rows.values())) for id_ in telling
    ]
    yield from table(("claim", *rows), cells)


def _cell(outcome: Outcome) -> str:
    return LETTERS.get(outcome, outcome.value)
