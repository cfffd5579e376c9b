"""Expectations: which claims an implementation is known not to meet, and why, in a TOML file of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from assay.errors import UserError
from assay.files import json_file
from assay.ledger.ledger import SEVERITY, Outcome, Row
from assay.spec import toml
from assay.specification.claims import Claim, specification

SCHEMA = Path(__file__).with_name("expectations.schema.json")


@dataclass(frozen=True)
class Expectation:
    """A failure that is known, and no news.

    Attributes:
        claim: the id.
        reason: why the implementation does not meet it.
        link: the address of an issue, or of what else is known of it.
        outcome: the worst that is expected: fail, error, timeout or crash.
        expires: the last day on which it is to be believed; None for no such day.

    """

    claim: str
    reason: str
    link: str
    outcome: Outcome = Outcome.FAIL
    expires: date | None = None

    def covers(self, outcome: Outcome) -> bool:
        """Whether an outcome is a failure, and none that is worse than expected."""
        return not outcome.conforms and SEVERITY[outcome] <= SEVERITY[self.outcome]

    def settle(self, row: Row, *, decided: bool) -> Row:
        """Turn a row into what it is in the light of this expectation.

        Args:
            row: of the claim.
            decided: whether all tests of the claim have reported.

        """
        if self.covers(row.outcome):
            outcome, reason = Outcome.EXPECTED_FAILURE, f"expected: {self.reason} ({self.link})\n{row.reason}"
        elif row.outcome is Outcome.PASS and decided:
            outcome, reason = Outcome.UNEXPECTED_PASS, f"holds, and was expected not to: {self.reason} ({self.link})"
        else:
            return row
        return replace(row, outcome=outcome, reason=reason)

    def as_dict(self) -> dict[str, str]:
        """Return plain values, as the file has them."""
        fields = {"claim": self.claim, "outcome": self.outcome.value, "reason": self.reason, "link": self.link}
        return fields | ({"expires": self.expires.isoformat()} if self.expires else {})

    @classmethod
    def from_dict(cls, fields: Mapping[str, str]) -> Expectation:
        """Read what `as_dict` wrote, or an entry of a file."""
        expires = date.fromisoformat(fields["expires"]) if "expires" in fields else None
        outcome = Outcome(fields.get("outcome", Outcome.FAIL))
        return cls(fields["claim"], fields["reason"], fields["link"], outcome, expires)


def read(*paths: Path) -> tuple[Expectation, ...]:
    """Read files of expectations.

    Raises:
        UserError: there is no such file, it is not one of expectations, or two entries are about the same claim.

    """
    seen: dict[str, Path] = {}
    expectations = []
    for path in paths:
        for entry in _entries(path):
            expectation = Expectation.from_dict(entry)
            if expectation.claim in seen:
                msg = f"{path}, {expectation.claim}: there is an entry for it already, in {seen[expectation.claim]}"
                raise UserError(msg, "Remove one of them")
            seen[expectation.claim] = path
            expectations.append(expectation)
    return tuple(expectations)


def _entries(path: Path) -> list[dict[str, str]]:
    try:
        content = toml.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"the expectations {path} cannot be read: {error.strerror}"
        raise UserError(msg, "`assay expect LEDGER` writes such a file") from None
    except (toml.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is not TOML: {error}"
        raise UserError(msg) from None
    return _checked(path, content)


def _checked(path: Path, content: dict[str, Any]) -> list[dict[str, str]]:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - slow to import, and rarely needed

    # JSON, and so its schemas, have no dates: TOML's are text there.
    plain = json.loads(json.dumps(content, default=str))
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=FormatChecker())
    fault = next(validator.iter_errors(plain), None)
    if fault is None:
        entries: list[dict[str, str]] = plain.get("expectation", [])
        return entries
    where = json_file.place(fault, plain, "expectation", "entry", "claim")
    msg = f"{path}, {where}: {fault.message[:200]}"
    raise UserError(msg)


def check(expectations: Iterable[Expectation], groups: Iterable[str], today: date | None = None) -> None:
    """Make sure that every expectation can still come true.

    Args:
        expectations: of one implementation.
        groups: that the implementation declares.
        today: the day, in UTC, unless given.

    Raises:
        UserError: one has expired, or is about a claim that does not exist, or that needs what is not declared.

    """
    today = today or datetime.now(tz=timezone.utc).date()
    for expectation in expectations:
        if why := _dead(expectation, set(groups), today):
            msg = f"the expectation of {expectation.claim} is dead: {why}"
            raise UserError(msg, "Put the entry right or remove it")


def _dead(expectation: Expectation, groups: set[str], today: date) -> str:
    claim: Claim | None = specification().claims.get(expectation.claim)
    if claim is None:
        return "there is no such claim"
    if absent := sorted(claim.groups - groups):
        return f"the implementation does not declare the group {absent[0]}, so the claim cannot fail"
    if expectation.expires is not None and expectation.expires < today:
        return f"it expired on {expectation.expires}"
    return ""
