"""Expectations made from a ledger: what fails in it, with the reasons that people have given before."""

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
    """Return the expectations that a ledger confirms, and new ones for what else fails in it.

    Args:
        known: Earlier expectations. What the ledger does not decide stays as it is.
        ledger: Ledger of a run. What failed in it as expected is in some file already.
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
    """Write a file that `assay.ledger.expectations.read` reads; findings that are in it stay.

    Raises:
        UserError: It cannot be written.

    """
    entries = [msgspec.to_builtins(expectation, builtin_types=(date,)) for expectation in expectations]
    findings = [msgspec.to_builtins(finding) for finding in read_file(path).finding] if path.exists() else []
    content = {"expectation": entries} | ({"finding": findings} if findings else {})
    output_file.write(path, tomli_w.dumps(content, multiline_strings=True), "expectations")
