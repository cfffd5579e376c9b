"""Outcomes of claims, from the best to the worst."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a claim."""

    PASS = "pass"  # noqa: S105 - no password
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "expected failure"
    UNEXPECTED_PASS = "unexpected pass"  # noqa: S105 - no password either
    FAIL = "fail"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"

    @property
    def conforms(self) -> bool:
        """Whether the outcome leaves an implementation conformant."""
        return self in {Outcome.PASS, Outcome.UNSUPPORTED, Outcome.SKIPPED, Outcome.EXPECTED_FAILURE}

    @property
    def holds(self) -> bool:
        """Whether the claim was tried and holds."""
        return self in {Outcome.PASS, Outcome.UNEXPECTED_PASS}

    @property
    def tried(self) -> bool:
        """Whether the implementation was tested."""
        return self not in {Outcome.UNSUPPORTED, Outcome.SKIPPED}


SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


def count(outcomes: Iterable[Outcome]) -> dict[Outcome, int]:
    """Count each outcome, including those that do not occur."""
    found = [*outcomes]
    return {outcome: found.count(outcome) for outcome in Outcome}
