"""The verdict on a ledger: the single rule behind exit codes, the terminal and every report."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assay.errors import ExitCode
from assay.ledger.ledger import Ledger
from assay.ledger.outcomes import Outcome
from assay.specification.claims import Specification

# Maximum number of ids in a sentence; the ledger has all of them.
SHOWN = 3


class Conformance(StrEnum):
    """Kinds of verdicts."""

    FULL = "conformant"
    PARTIAL = "partially conformant"
    NONE = "not conformant"
    INCOMPLETE = "incomplete"
    UNTESTED = "no verdict"
    BROKEN = "suite broken"


CODES = {
    Conformance.FULL: ExitCode.CONFORMANT,
    Conformance.PARTIAL: ExitCode.CONFORMANT,
    Conformance.NONE: ExitCode.NOT_CONFORMANT,
    Conformance.INCOMPLETE: ExitCode.INCOMPLETE,
    Conformance.UNTESTED: ExitCode.INCOMPLETE,
    Conformance.BROKEN: ExitCode.BROKEN,
}


@dataclass(frozen=True)
class Scope:
    """Coverage of the specification by a ledger. Facts about the document are counted separately.

    Attributes:
        groups: Groups that the claims need and the implementation has.
        groups_needed: Groups that the claims need.
        passed: Number of claims that pass.
        claims: Number of claims to test in the run.
        unsupported: Number of claims that need undeclared groups.
        skipped: Number of claims that could not be tested here.
        expected_failures: Number of claims that fail as expected.
        facts: Number of facts about the document.
        partial_groups: Declared groups with unsupported functions or models.

    """

    groups: tuple[str, ...]
    groups_needed: tuple[str, ...]
    passed: int
    claims: int
    unsupported: int
    skipped: int
    expected_failures: int
    facts: int
    partial_groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Describe the scope: `7 of 10 groups: 535 of 964 claims pass, 429 need groups it does not declare`."""
        parts = [f"{self.passed} of {_count(self.claims, 'claim')} pass"]
        if self.unsupported:
            what = "what it leaves out" if self.partial_groups else "groups it does not declare"
            parts.append(f"{self.unsupported} need {what}")
        if self.skipped:
            parts.append(f"{self.skipped} skipped")
        if self.expected_failures:
            parts.append(f"{self.expected_failures} fail as expected")
        groups = _count(len(self.groups_needed), "group")
        every = "all" if len(self.groups) == len(self.groups_needed) > 1 else f"{len(self.groups)} of"
        partly = f" and parts of {len(self.partial_groups)} more" if self.partial_groups else ""
        return f"{every} {groups}{partly}: {', '.join(parts)}"


@dataclass(frozen=True)
class Verdict:
    """The verdict on a ledger, with its reason.

    Attributes:
        conformance: The kind of the verdict.
        scope: Coverage of the specification.
        reason: Why the implementation does not conform, or what is missing; empty for a conformant one.

    """

    conformance: Conformance
    scope: Scope
    reason: str = ""

    @property
    def code(self) -> ExitCode:
        """The exit code of a run with this verdict."""
        return CODES[self.conformance]

    @property
    def sentence(self) -> str:
        """The verdict after the name of an implementation: `conforms in 7 of 10 groups: ...`."""
        text = {
            Conformance.FULL: f"conforms in {self.scope}",
            Conformance.PARTIAL: f"conforms in {self.scope}",
            Conformance.NONE: f"does not conform. {self.reason}. Scope: {self.scope}",
            Conformance.INCOMPLETE: f"no verdict, the run is incomplete. {self.reason}. So far: {self.scope}",
            Conformance.UNTESTED: f"no verdict. {self.reason}. Scope: {self.scope}",
            Conformance.BROKEN: f"no verdict. {self.reason}. Scope: {self.scope}",
        }
        return text[self.conformance]


def verdict(ledger: Ledger, specification: Specification, claims: Collection[str] = ()) -> Verdict:
    """Judge a ledger. A single failure decides, however much is missing.

    Args:
        ledger: Ledger of a run, a shard or several shards.
        specification: Specification that the ledger is about.
        claims: Ids of the requested claims; empty for all of the profile or the shard.

    """
    ids = [*claims] or list_expected(ledger, specification)
    facts = {id_ for id_ in ids if id_ in specification.claims and specification.claims[id_].is_fact}
    scope = _scope(ledger, specification, ids, facts)
    findings = _findings(ledger, ids, facts, only=bool(claims))
    conformance, reason = next((each for each in findings if each[1]), (None, ""))
    return Verdict(conformance or (Conformance.PARTIAL if scope.unsupported else Conformance.FULL), scope, reason)


def _findings(
    ledger: Ledger, ids: Sequence[str], facts: Collection[str], *, only: bool
) -> Iterator[tuple[Conformance, str]]:
    """Yield possible obstacles to conformance, most severe first; the reason is empty if one does not apply."""
    rows = ledger.rows
    outcomes = {id_: rows[id_].outcome for id_ in ids if id_ in rows and id_ not in facts}
    against = [outcome for outcome in outcomes.values() if not outcome.conforms]
    yield Conformance.NONE, f"Against it: {_tally(against)}" if against else ""
    absent = [group for group in ledger.required if group not in ledger.implementation.whole_groups]
    yield Conformance.NONE, f"Required groups that it does not declare: {', '.join(absent)}" if absent else ""
    wrong = [id_ for id_ in ids if id_ in facts and id_ in rows and not rows[id_].outcome.conforms]
    yield Conformance.BROKEN, f"Facts about the document that do not hold: {_join_ids(wrong)}" if wrong else ""
    yield Conformance.INCOMPLETE, _gap(ledger, ids, only=only)
    untested = [id_ for id_, outcome in outcomes.items() if not outcome.tried]
    yield Conformance.UNTESTED, f"Not tested: {_join_ids(untested)}" if only and untested else ""
    nothing = len(untested) == len(outcomes) and ledger.shard is None
    yield Conformance.UNTESTED, "Nothing was tested" if nothing else ""


def _gap(ledger: Ledger, ids: Sequence[str], *, only: bool) -> str:
    rows = ledger.rows
    if missing := [id_ for id_ in ids if id_ not in rows or not rows[id_].decided]:
        return f"{len(missing)} of {_count(len(ids), 'claim')} not decided: {_join_ids(missing)}"
    return "" if ledger.complete or only else "The run did not finish"


def list_expected(ledger: Ledger, specification: Specification) -> list[str]:
    """Return the claims that a run was to decide, those of the specification first.

    Claims of a shard are known only from its rows. A run of an earlier suite had the claims of that version.
    """
    ids = [row.id for row in ledger.claims]
    if ledger.shard is not None:
        return ids
    suite = _version(ledger.suite)
    known = specification.of_profile(ledger.profile).values()
    return [*dict.fromkeys([*(claim.id for claim in known if _version(claim.since) <= suite), *ids])]


def is_complete(ledger: Ledger, specification: Specification) -> bool:
    """Whether a ledger has a row for every claim that it was to decide; its own statement is not trusted."""
    decided = {row.id for row in ledger.claims if row.decided}
    return ledger.complete and decided.issuperset(list_expected(ledger, specification))


def _version(text: str) -> list[int]:
    numbers = [int(number[:9]) for number in re.findall(r"[0-9]+", text)[:3]]
    return numbers + [0] * (3 - len(numbers))


def _scope(ledger: Ledger, specification: Specification, ids: Sequence[str], facts: Collection[str]) -> Scope:
    known = specification.claims
    needed = sorted({group for id_ in ids if id_ in known for group in known[id_].groups})
    rows = ledger.rows
    partial = {*ledger.implementation.groups} - {*ledger.implementation.whole_groups}
    outcomes = [rows[id_].outcome for id_ in ids if id_ in rows and id_ not in facts]
    return Scope(
        groups=tuple(group for group in needed if group in ledger.implementation.whole_groups),
        partial_groups=tuple(group for group in needed if group in partial),
        groups_needed=tuple(needed),
        passed=outcomes.count(Outcome.PASS),
        claims=len(ids) - len(facts),
        unsupported=outcomes.count(Outcome.UNSUPPORTED),
        skipped=outcomes.count(Outcome.SKIPPED),
        expected_failures=outcomes.count(Outcome.EXPECTED_FAILURE),
        facts=len(facts),
    )


def _tally(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{outcomes.count(outcome)} {outcome.value}" for outcome in Outcome if outcome in outcomes)


def _join_ids(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
