"""Expectations generated from the failures in a ledger, with the reasons of earlier expectations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import msgspec
import tomli_w
from msgspec.structs import replace

from assay.files import output_file
from assay.ledger.expectations import Expectation, read_file
from assay.ledger.ledger import Ledger
from assay.ledger.outcomes import Outcome
from assay.specification.claims import specification

LISTED = {outcome for outcome in Outcome if not outcome.conforms} - {Outcome.UNEXPECTED_PASS}


def update(known: Iterable[Expectation], ledger: Ledger, link: str, expires: date | None = None) -> list[Expectation]:
    """Return the expectations that a ledger confirms, and new ones for its other failures.

    Args:
        known: Earlier expectations. Those about undecided claims are kept.
        ledger: Ledger of a run. Its expected failures are already in a file.
        link: Link of new expectations.
        expires: Last day of new expectations.

    """
    expected = {expectation.claim: expectation for expectation in known}
    for row in ledger.claims:
        before = expected.get(row.id)
        if row.outcome in LISTED:
            new = Expectation(row.id, row.reason.partition("\n")[0], link, row.outcome, expires)
            expected[row.id] = replace(before, outcome=row.outcome) if before else new
        elif row.outcome.holds:
            expected.pop(row.id, None)
    return sorted(expected.values(), key=lambda expectation: specification().rank(expectation.claim))


def write(path: Path, expectations: Sequence[Expectation]) -> None:
    """Write a file that `assay.ledger.expectations.read` reads; its existing findings are kept.

    Raises:
        UserError: The file cannot be written.

    """
    entries = [msgspec.to_builtins(expectation, builtin_types=(date,)) for expectation in expectations]
    findings = [msgspec.to_builtins(finding) for finding in read_file(path).finding] if path.exists() else []
    content = {"expectation": entries} | ({"finding": findings} if findings else {})
    output_file.write(path, tomli_w.dumps(content, multiline_strings=True), "expectations")
