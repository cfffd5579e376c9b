"""Expectations: claims that an implementation is known to fail, with reasons, in a TOML file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from assay.errors import ErrorKind, UserError
from assay.files import toml_file
from assay.ledger.ledger import Row
from assay.ledger.outcomes import SEVERITY, Outcome
from assay.specification.claims import Claim, specification

HINT = "`assay expect LEDGER` writes such a file"


# Outcomes that can be expected, the least severe first.
FAILURES = (Outcome.FAIL, Outcome.ERROR, Outcome.TIMEOUT, Outcome.CRASH)


class Expectation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A known failure.

    Attributes:
        claim: Id of the claim.
        reason: Why the implementation fails the claim.
        link: Address of an issue or other information.
        outcome: Worst outcome that is expected.
        expires: Last day on which the expectation is valid; None for no limit.

    """

    claim: str
    reason: Annotated[str, Meta(min_length=1)]
    link: Annotated[str, Meta(pattern="^https?://[^ ]+$")]
    outcome: Outcome = Outcome.FAIL
    expires: date | None = None

    def __post_init__(self) -> None:
        """Reject an outcome that is not a failure."""
        if self.outcome not in FAILURES:
            msg = f"outcome {self.outcome.value!r} is not one of {', '.join(outcome.value for outcome in FAILURES)}"
            raise ValueError(msg)

    def permits(self, outcome: Outcome) -> bool:
        """Whether an outcome is a failure, and not worse than expected."""
        return not outcome.conforms and SEVERITY[outcome] <= SEVERITY[self.outcome]

    def settle(self, row: Row) -> Row:
        """Return a row of the claim after applying this expectation."""
        if self.permits(row.outcome):
            outcome, reason = Outcome.EXPECTED_FAILURE, f"expected: {self.reason} ({self.link})\n{row.reason}"
        elif row.outcome is Outcome.PASS and row.decided:
            outcome, reason = Outcome.UNEXPECTED_PASS, f"holds, but was expected not to: {self.reason} ({self.link})"
        else:
            return row
        return replace(row, outcome=outcome, reason=reason)


class Finding(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A defect of a framework, reproduced without Assay.

    Attributes:
        id: Name of the finding.
        framework: Name of its package on PyPI, or of its library.
        versions: Tested versions with the defect, as a version specifier.
        operation: Incorrect operation.
        summary: What the operation does, and what it should do.
        reproduction: Program that fails if the defect is present, and says how.
        language: Language of the program.
        claims: Ids of claims that the defect breaks, or would break without a workaround in the adapter.
        status: State of the defect upstream.
        link: Address of an issue, a change or a page of documentation.

    """

    id: Annotated[str, Meta(pattern="^[a-z0-9-]+$")]
    framework: str
    versions: str
    operation: str
    summary: Annotated[str, Meta(min_length=1)]
    reproduction: Annotated[str, Meta(min_length=1)]
    claims: Annotated[tuple[str, ...], Meta(min_length=1)]
    status: Literal["not reported", "reported", "documented", "fixed"]
    language: Literal["python", "javascript", "cpp"] = "python"
    link: Annotated[str, Meta(pattern="^https?://[^ ]+$")] | None = None


class Expectations(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a file of expectations."""

    expectation: tuple[Expectation, ...] = ()
    finding: tuple[Finding, ...] = ()


def read(*paths: Path) -> tuple[Expectation, ...]:
    """Read files of expectations.

    Raises:
        UserError: A file is missing or invalid, or two entries are about the same claim.

    """
    seen: dict[str, Path] = {}
    expectations = []
    for path in paths:
        for expectation in read_file(path).expectation:
            if expectation.claim in seen:
                msg = f"{path}, {expectation.claim}: there is an entry for it already, in {seen[expectation.claim]}"
                raise UserError(ErrorKind.INVALID_EXPECTATIONS, msg, "Remove one of them")
            seen[expectation.claim] = path
            expectations.append(expectation)
    return tuple(expectations)


def read_file(path: Path) -> Expectations:
    """Read the expectations and the findings of one file.

    Raises:
        UserError: The file is missing or invalid.

    """
    content = toml_file.load(path, "expectations", HINT)
    try:
        return msgspec.convert(content, Expectations)
    except msgspec.ValidationError as error:
        table, key = ("finding", "id") if "$.finding" in str(error) else ("expectation", "claim")
        raise toml_file.invalid(ErrorKind.INVALID_EXPECTATIONS, path, content, error, table, key) from None


def check(expectations: Iterable[Expectation], groups: Iterable[str], today: date | None = None) -> None:
    """Check that every expectation can still come true.

    Args:
        expectations: Expectations of one implementation.
        groups: Groups that the implementation declares.
        today: Current date (default: today in UTC).

    Raises:
        UserError: An expectation has expired, or its claim does not exist or needs an undeclared group.

    """
    today = today or datetime.now(tz=UTC).date()
    for expectation in expectations:
        if why := _dead(expectation, set(groups), today):
            msg = f"the expectation of {expectation.claim} is dead: {why}"
            raise UserError(ErrorKind.STALE_EXPECTATION, msg, "Put the entry right or remove it")


def _dead(expectation: Expectation, groups: set[str], today: date) -> str:
    claim: Claim | None = specification().claims.get(expectation.claim)
    if claim is None:
        return "unknown claim"
    if absent := sorted(claim.groups - groups):
        return f"the implementation does not declare the group {absent[0]}, so the claim cannot fail"
    if expectation.expires is not None and expectation.expires < today:
        return f"it expired on {expectation.expires}"
    return ""
