"""What ledgers come to: their verdicts, their counts, and what each says of each claim. Every view shows this."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.errors import ExitCode
from assay.ledger import ledger
from assay.ledger.ledger import Outcome
from assay.spec.error_bounds.precision import GRADES, at_least_as_precise
from assay.specification.shards import Shard

if TYPE_CHECKING:
    from assay.specification.claims import Specification

NO_ROW = "no row"
NOT_HELD = "not in profile"

MEANINGS = {
    Outcome.PASS.value: "the claim holds",
    Outcome.UNSUPPORTED.value: "opted out: the implementation does not declare the group that it needs",
    Outcome.SKIPPED.value: "opted out: not run, for the reason given",
    Outcome.EXPECTED_FAILURE.value: "does not hold, as the implementation declared beforehand",
    Outcome.UNEXPECTED_PASS.value: "holds, although the implementation declared that it would not",
    Outcome.FAIL.value: "the claim does not hold",
    Outcome.ERROR.value: "the implementation's adapter broke",
    Outcome.TIMEOUT.value: "not done within the time allowed",
    Outcome.CRASH.value: "the process died",
    NO_ROW: "the run ended, or was narrowed, before the claim had its turn",
}
OPTED_OUT = (Outcome.UNSUPPORTED.value, Outcome.SKIPPED.value)
AGAINST = tuple(outcome.value for outcome in Outcome if not outcome.conforms)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a ledger comes to.

    Attributes:
        word: CONFORMANT, NOT CONFORMANT or INCOMPLETE.
        why: in a sentence or two.

    """

    word: str
    why: str

    @property
    def code(self) -> ExitCode:
        """The exit code that a run has which comes to this."""
        return {"CONFORMANT": ExitCode.CONFORMANT, "INCOMPLETE": ExitCode.INCOMPLETE}.get(
            self.word, ExitCode.NOT_CONFORMANT
        )


@dataclass(frozen=True)
class Cell:
    """What one ledger says of one claim.

    Attributes:
        state: an outcome, NO_ROW or NOT_HELD.
        run: the ledger's name in this page.
        seconds: None where the claim was not run.
        reason: empty for a pass.
        replay: empty for a pass.
        results: the keys of the allowed results that were given.

    """

    state: str
    run: str
    seconds: float | None = None
    reason: str = ""
    replay: str = ""
    results: Sequence[str] = ()

    @property
    def against(self) -> bool:
        """Whether it counts against conformance."""
        return self.state in AGAINST


@dataclass(frozen=True)
class Column:
    """One ledger.

    Attributes:
        content: as read.
        name: sets it apart from the other ledgers of the page.
        rows: by claim.
        expected: every claim that the run was to try, and every one that it has a row for.
        remarks: what a reader must know before comparing it.

    """

    content: Mapping[str, Any]
    name: str
    rows: Mapping[str, Row]
    expected: Sequence[str]
    remarks: Sequence[str]

    @property
    def grade(self) -> str:
        """What its products were held to."""
        return ledger.grade(self.content)

    @property
    def counts(self) -> dict[str, int]:
        """How many of the expected claims are in each state that occurs, in the order of severity."""
        return self.count(self.expected)

    def count(self, ids: Sequence[str]) -> dict[str, int]:
        """Count the states of these claims."""
        states = [self.cell(id_).state for id_ in ids]
        return {state: states.count(state) for state in MEANINGS if state in states}

    @property
    def passed(self) -> int:
        """How many claims pass."""
        return self.counts.get(Outcome.PASS.value, 0)

    @property
    def verdict(self) -> Verdict:
        """What it comes to. One failure settles the matter, however much is missing."""
        counts, total = self.counts, len(self.expected)
        missing = counts.get(NO_ROW, 0)
        gap = f"{_claims(missing)} of {total} {_have(missing)} no row." if missing else ""
        if not missing and not self.content["complete"]:
            gap = "The run did not finish, and this specification cannot tell what is missing."
        if against := {state: counts[state] for state in AGAINST if state in counts}:
            number = sum(against.values())
            why = f"{_claims(number)} {_count(number)} against it: {_list(against)}. {gap}"
            return Verdict("NOT CONFORMANT", why.strip())
        if gap or not total:
            return Verdict("INCOMPLETE", f"{gap or 'There are no claims.'} Nothing that ran counts against it.")
        out = {state: counts[state] for state in OPTED_OUT if state in counts}
        usual = (*OPTED_OUT, Outcome.PASS.value)
        rest = {state: count for state, count in counts.items() if state not in usual}
        opted = f"{_claims(sum(out.values()))} opted out: {_list(out)}." if out else ""
        other = f"Also {_list(rest)}." if rest else ""
        return Verdict("CONFORMANT", " ".join(filter(None, (opted, other))) or "Every claim passes.")

    def cell(self, id_: str) -> Cell:
        """Return what the ledger says of a claim."""
        if id_ in self.rows:
            row = self.rows[id_]
            reason, replay = row.get("reason", ""), row.get("replay", "")
            return Cell(row["outcome"], self.name, row["seconds"], reason, replay, row.get("results", ()))
        return Cell(NO_ROW if id_ in self.expected else NOT_HELD, self.name)


def _names(ledgers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the ledgers, with as much as it takes to tell them apart."""
    plain = [content["implementation"]["name"] for content in ledgers]
    versions = [content["implementation"]["version"] for content in ledgers]
    names = [
        name if plain.count(name) == 1 else f"{name} {version}" for name, version in zip(plain, versions, strict=True)
    ]
    return [
        name if names.count(name) == 1 else f"{name} ({names[:index].count(name) + 1})"
        for index, name in enumerate(names)
    ]


def side_by_side(ledgers: Sequence[Mapping[str, Any]], spec: Specification) -> list[Column]:
    """Read what ledgers come to.

    Args:
        ledgers: as `assay.ledger.ledger.read` returns them, one column each.
        spec: what they are about.

    """
    return [_column(content, name, spec) for content, name in zip(ledgers, _names(ledgers), strict=True)]


def _column(content: Mapping[str, Any], name: str, spec: Specification) -> Column:
    rows = ledger.rows(content)
    return Column(content, name, rows, _expected(content, rows, spec), _remarks(content, spec))


def _expected(content: Mapping[str, Any], rows: Mapping[str, Row], spec: Specification) -> list[str]:
    """List what the run was to try, the specification's claims first.

    What another version of the suite held is known from its rows alone, if they are all there; if they are
    not, from the version that brought each claim. What a shard held is known from its rows alone.
    """
    if "shard" in content:
        return [*rows]
    held: list[str] = []
    if content["suite"] == __version__ or not content["complete"]:
        candidates = spec.of_profile(content["profile"])
        held = [id_ for id_, claim in candidates.items() if _version(claim.since) <= _version(content["suite"])]
    return [*dict.fromkeys([*held, *rows])]


def _version(text: str) -> list[int]:
    numbers = [int(number) for number in re.findall(r"[0-9]+", text)[:3]]
    return numbers + [0] * (3 - len(numbers))


def _remarks(content: Mapping[str, Any], spec: Specification) -> list[str]:
    remarks = []
    if content["suite"] != __version__:
        remarks.append(f"Written by version {content['suite']} of the suite; this page speaks of {__version__}.")
    if content["document"] != spec.document:
        remarks.append("It is about another edition of the document.")
    grade = ledger.grade(content)
    if grade != "float32":
        remarks.append(f"Its products were held to {grade}, and all else to float32.")
    if short := falls_short(content["implementation"]["precision"], grade):
        remarks.append(short)
    if "shard" in content:
        remarks.append(f"It is {Shard(**content['shard'])}, and so a part of its profile.")
    return remarks


def falls_short(measured: str | None, grade: str) -> str:
    """Explain failures by products that are less exact than what they were held to; empty where they are not."""
    if measured is None or at_least_as_precise(measured, grade):
        return ""
    why = f"ops.dense multiplies in {measured}, and was held to {grade}: claims about products may fail for that"
    return f"{why}, see --grade." if measured in GRADES else f"{why}."


def described(content: Mapping[str, Any]) -> str:
    """Say in a line what a ledger is about."""
    implementation = content["implementation"]
    versions = ", ".join(f"{name} {version}" for name, version in implementation["frameworks"].items())
    name = f"{implementation['name']} {implementation['version']}"
    return f"{name} ({versions or 'no framework'}), {content['profile']} profile"


def _claims(count: int) -> str:
    return f"{count} claim" if count == 1 else f"{count} claims"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _count(number: int) -> str:
    return "counts" if number == 1 else "count"


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items())
