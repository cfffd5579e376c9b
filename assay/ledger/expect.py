"""Expectations made from a ledger: what fails in it, with the reasons that people have given before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w

from assay.files import text_file
from assay.ledger.expectations import Expectation
from assay.ledger.ledger import Outcome
from assay.specification.claims import specification

LISTED = {outcome for outcome in Outcome if not outcome.conforms} - {Outcome.UNEXPECTED_PASS}


def updated(
    known: Iterable[Expectation], ledger: Mapping[str, Any], link: str, expires: date | None = None
) -> list[Expectation]:
    """Return the expectations that a ledger confirms, and new ones for what else fails in it.

    Args:
        known: what was expected before. What the ledger does not decide stays as it is.
        ledger: as `assay.ledger.ledger.read` returns it. What failed in it as expected is in some file already.
        link: of new expectations.
        expires: likewise.

    """
    expected = {expectation.claim: expectation for expectation in known}
    for row in ledger["claims"]:
        outcome = Outcome(row["outcome"])
        before = expected.get(row["id"])
        if outcome in LISTED:
            new = Expectation(row["id"], row["reason"].partition("\n")[0], link, outcome, expires)
            expected[row["id"]] = replace(before, outcome=outcome) if before else new
        elif outcome in {Outcome.PASS, Outcome.UNEXPECTED_PASS}:
            expected.pop(row["id"], None)
    return sorted(expected.values(), key=lambda expectation: specification().rank(expectation.claim))


def write(path: Path, expectations: Sequence[Expectation]) -> None:
    """Write a file that `assay.ledger.expectations.read` reads.

    Raises:
        UserError: it cannot be written.

    """
    entries = [
        expectation.as_dict() | ({"expires": expectation.expires} if expectation.expires else {})
        for expectation in expectations
    ]
    text_file.write(path, tomli_w.dumps({"expectation": entries}), "expectations")
