"""Ledgers side by side, as every report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from assay import __version__
from assay.ledger import verdict as verdicts
from assay.ledger.ledger import Ledger, Row
from assay.ledger.outcomes import Outcome
from assay.ledger.precision import explain_precision
from assay.ledger.verdict import Verdict
from assay.specification.claims import Specification

NO_ROW = "no row"
NOT_IN_PROFILE = "not in profile"

MEANINGS = {
    Outcome.PASS.value: "the claim holds",
    Outcome.UNSUPPORTED.value: "the implementation does not declare the group that the claim needs",
    Outcome.SKIPPED.value: "not tested, for the reason given",
    Outcome.EXPECTED_FAILURE.value: "does not hold, as the implementation declared beforehand",
    Outcome.UNEXPECTED_PASS.value: "holds, although the implementation declared that it would not",
    Outcome.FAIL.value: "the claim does not hold",
    Outcome.ERROR.value: "the adapter of the implementation broke",
    Outcome.TIMEOUT.value: "not done within the time limit",
    Outcome.CRASH.value: "the process died",
    NO_ROW: "the run ended, or was narrowed, before the claim was decided",
}
AGAINST = {outcome.value for outcome in Outcome if not outcome.conforms}


@dataclass(frozen=True)
class Cell:
    """The result of one claim in one ledger.

    Attributes:
        state: An outcome, NO_ROW or NOT_IN_PROFILE.
        run: Name of the ledger in this report.
        seconds: Time; None if the claim was not run.
        reason: Why the claim did not pass; empty for a pass.
        replay: Command that repeats the claim; empty for a pass.
        results: Keys of the observed permitted results.

    """

    state: str
    run: str
    seconds: float | None = None
    reason: str = ""
    replay: str = ""
    results: Sequence[str] = ()

    @property
    def counts_against(self) -> bool:
        """Whether the state counts against conformance."""
        return self.state in AGAINST


@dataclass(frozen=True)
class Column:
    """One ledger in a report.

    Attributes:
        ledger: The ledger as read.
        specification: Specification of the ledger.
        name: Name that distinguishes it from the other ledgers of the report.
        remarks: Remarks that a reader needs before comparing it.

    """

    ledger: Ledger
    specification: Specification
    name: str
    remarks: Sequence[str]

    @cached_property
    def rows(self) -> Mapping[str, Row]:
        """The rows by claim."""
        return self.ledger.rows

    @cached_property
    def expected(self) -> Sequence[str]:
        """Every claim that the run was to decide or has a row for."""
        return verdicts.list_expected(self.ledger, self.specification)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the ledger."""
        return verdicts.verdict(self.ledger, self.specification)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of expected claims in each state that occurs, in the order of severity."""
        return self.count(self.expected)

    def count(self, ids: Sequence[str]) -> dict[str, int]:
        """Count the states of these claims."""
        states = [self.cell(id_).state for id_ in ids]
        return {state: states.count(state) for state in MEANINGS if state in states}

    def cell(self, id_: str) -> Cell:
        """Return the result of a claim."""
        if row := self.rows.get(id_):
            return Cell(row.outcome.value, self.name, row.seconds, row.reason, row.replay, row.results)
        return Cell(NO_ROW if id_ in self._expected else NOT_IN_PROFILE, self.name)

    @cached_property
    def _expected(self) -> set[str]:
        return {*self.expected}


def side_by_side(ledgers: Sequence[Ledger], specification: Specification) -> list[Column]:
    """Return a column for each ledger."""
    return [
        Column(ledger, specification, name, tuple(_remarks(ledger, specification)))
        for ledger, name in zip(ledgers, _names(ledgers), strict=True)
    ]


def _names(ledgers: Sequence[Ledger]) -> list[str]:
    """Return names of the ledgers with just enough detail to distinguish them."""
    plain = [ledger.implementation.name for ledger in ledgers]
    versions = [ledger.implementation.version for ledger in ledgers]
    names = [
        name if plain.count(name) == 1 else f"{name} {version}" for name, version in zip(plain, versions, strict=True)
    ]
    return [
        name if names.count(name) == 1 else f"{name} ({names[:index].count(name) + 1})"
        for index, name in enumerate(names)
    ]


def _remarks(ledger: Ledger, specification: Specification) -> list[str]:
    remarks = []
    if ledger.suite != __version__:
        remarks.append(f"Written by version {ledger.suite} of the suite; this report uses the claims of {__version__}.")
    if ledger.document != specification.document:
        remarks.append("It is about another edition of the document.")
    if ledger.precision != "float32":
        remarks.append(f"Products must have the precision {ledger.precision}, and all else float32.")
    if short := explain_precision(ledger.implementation.measured_precision, ledger.precision):
        remarks.append(short)
    if ledger.shard is not None:
        remarks.append(f"It is {ledger.shard}, and so a part of its profile.")
    if facts := [id_ for id_ in ledger.rows if id_ in specification.claims and specification.claims[id_].is_fact]:
        remarks.append(f"Not counted: {len(facts)} facts about the document, which need no implementation.")
    return remarks
