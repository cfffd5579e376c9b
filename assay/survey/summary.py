"""Summary of a survey: faults, flaky claims, and the rate at which correct implementations failed."""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from assay import __version__
from assay.files import json_file, output_file
from assay.ledger.environment import available_cores
from assay.ledger.ledger import ERROR_OVER_BOUND, Ledger, Row
from assay.ledger.outcomes import Outcome
from assay.specification.claims import specification
from assay.survey.plan import Plan, Trial
from assay.survey.statistics import Rate, Tail, tail

FORMAT: Literal[1] = 1
WHAT = "survey"
HINT = "`assay survey` writes one, survey.json"
# Maximum number of replay commands of a claim; all seeds are listed.
MOST_REPLAYS = 3


class Kind(StrEnum):
    """Kinds of findings, for claims that did not always pass."""

    FAULTY = "faulty"
    FLAKY = "flaky"
    ONCE = "single seed"


MEANINGS = {
    Kind.FAULTY: "fails at every seed: the implementation does not conform",
    Kind.FLAKY: "fails at some seeds: the claim, or the implementation, is not deterministic",
    Kind.ONCE: "fails at the only seed that was run",
}


class Finding(Struct, frozen=True, forbid_unknown_fields=True):
    """A claim that did not always pass with an implementation.

    Attributes:
        id: Id of the claim.
        kind: Whether it failed at every seed, at some, or was run with one seed only.
        outcomes: Seeds by outcome, passes included.
        reason: Why it failed the first time.
        replays: Commands that reproduce the first few failures.

    """

    id: str
    kind: Kind
    outcomes: dict[str, list[int]]
    reason: str
    replays: list[str]

    @property
    def failed(self) -> list[int]:
        """The seeds at which it failed."""
        return sorted(seed for outcome, seeds in self.outcomes.items() for seed in seeds if outcome != Outcome.PASS)

    @property
    def tried(self) -> int:
        """The number of seeds at which it was tried."""
        return sum(map(len, self.outcomes.values()))

    @property
    def counts(self) -> str:
        """The outcomes with their counts, such as `2 fail, 1 timeout of 12`."""
        bad = ", ".join(
            f"{len(seeds)} {outcome}" for outcome, seeds in self.outcomes.items() if outcome != Outcome.PASS
        )
        return f"{bad} of {self.tried}"


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """Findings of a survey for one implementation.

    Attributes:
        name: Name on the command line.
        version: Version of the adapter.
        frameworks: Installed versions, by package.
        seeds: Number of seeds whose runs are all done.
        decisions: Number of decisions about a claim.
        accused: Number of those seeds at which a flaky claim failed.
        accusations: Number of times that a flaky claim failed.
        findings: Claims that did not always pass, in the document's order.
        errors: Ratios of error to bound, by claim, for claims with a measured bound.

    """

    name: str
    version: str
    frameworks: dict[str, str]
    seeds: int
    decisions: int
    accused: int
    accusations: int
    findings: list[Finding]
    errors: dict[str, Tail]


class Survey(Struct, frozen=True, forbid_unknown_fields=True):
    """All findings of a survey.

    Attributes:
        format: Version of this format.
        suite: Version of the suite.
        profile: `smoke`, `core` or `full`.
        claims: Selected claims; empty for all claims of the profile.
        seeds: Number of seeds.
        shards: Number of shards of each run.
        missing: Runs that are not done, with the reason if known.
        run_seconds: Total wall-clock time of all runs, in seconds.
        machine: Machine that started the survey.
        subjects: Findings for each implementation.

    """

    format: Literal[1]
    suite: str
    profile: str
    claims: list[str]
    seeds: int
    shards: int
    missing: list[str]
    run_seconds: float
    machine: str
    subjects: list[Subject]

    @property
    def accused(self) -> Rate:
        """The rate of runs, by implementation and seed, in which a flaky claim failed."""
        return Rate(sum(one.accused for one in self.subjects), sum(one.seeds for one in self.subjects))

    @property
    def accusations(self) -> Rate:
        """The rate of decisions that are failures of a flaky claim."""
        return Rate(sum(one.accusations for one in self.subjects), sum(one.decisions for one in self.subjects))

    @property
    def described(self) -> str:
        """A phrase that describes the runs."""
        what = f"{len(self.claims)} claims" if len(self.claims) > 1 else self.claims[0] if self.claims else ""
        shards = f", in {self.shards} shards" if self.shards > 1 else ""
        return f"{what or f'{self.profile} profile'}, {self.seeds} seeds{shards}"


class _Tally:
    """Rows of one implementation, by claim and seed."""

    def __init__(self) -> None:
        self.outcomes: dict[str, dict[Outcome, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.failures: dict[str, list[Row]] = defaultdict(list)
        self.errors: dict[str, list[float]] = defaultdict(list)
        self.parts: dict[int, int] = defaultdict(int)
        self.seconds = 0.0

    def add(self, trial: Trial, ledger: Ledger) -> None:
        self.parts[trial.seed] += 1
        self.seconds += ledger.time.wall if ledger.time else 0.0
        for row in ledger.claims:
            if not row.outcome.tried:
                continue
            self.outcomes[row.id][row.outcome].append(trial.seed)
            if not row.outcome.conforms and len(self.failures[row.id]) < MOST_REPLAYS:
                self.failures[row.id].append(row)
            ratio = row.evidence.get(ERROR_OVER_BOUND)
            if isinstance(ratio, float | int) and not isinstance(ratio, bool):
                self.errors[row.id].append(float(ratio))


def summarise(plan: Plan, ledgers: Iterable[tuple[Trial, Ledger]], missing: Iterable[str]) -> Survey:
    """Summarise the runs of a survey.

    Args:
        plan: Plan of the survey.
        ledgers: Existing ledgers, with their runs.
        missing: Descriptions of runs that are not done.

    """
    tallies: dict[str, _Tally] = {name: _Tally() for name in plan.implementations}
    for trial, ledger in ledgers:
        tallies[trial.implementation].add(trial, ledger)
    return Survey(
        format=FORMAT,
        suite=__version__,
        profile=plan.options.profile,
        claims=[*plan.options.claim],
        seeds=len(plan.seeds),
        shards=plan.shards,
        missing=[*missing],
        run_seconds=round(sum(tally.seconds for tally in tallies.values()), 1),
        machine=f"{platform.machine()}, {available_cores()} cores",
        subjects=[_subject(plan, name, tally) for name, tally in tallies.items()],
    )


def _subject(plan: Plan, name: str, tally: _Tally) -> Subject:
    rank = specification().rank
    findings = [_finding(id_, tally) for id_ in sorted(tally.failures, key=rank)]
    flaky = [finding for finding in findings if finding.kind is Kind.FLAKY]
    done = {seed for seed, parts in tally.parts.items() if parts == max(1, plan.shards)}
    described = plan.implementations[name]
    return Subject(
        name=name,
        version=described.version,
        frameworks=described.frameworks,
        seeds=len(done),
        decisions=sum(len(seeds) for outcomes in tally.outcomes.values() for seeds in outcomes.values()),
        accused=len(done.intersection(*[{seed for finding in flaky for seed in finding.failed}])),
        accusations=sum(len(finding.failed) for finding in flaky),
        findings=findings,
        errors={id_: tail(tally.errors[id_]) for id_ in sorted(tally.errors, key=rank)},
    )


def _finding(id_: str, tally: _Tally) -> Finding:
    outcomes = tally.outcomes[id_]
    tried = sum(map(len, outcomes.values()))
    failed = sum(len(seeds) for outcome, seeds in outcomes.items() if not outcome.conforms)
    kind = Kind.FLAKY if failed < tried else Kind.FAULTY if tried > 1 else Kind.ONCE
    first = tally.failures[id_]
    return Finding(
        id=id_,
        kind=kind,
        outcomes={outcome.value: sorted(outcomes[outcome]) for outcome in Outcome if outcomes.get(outcome)},
        reason=first[0].reason,
        replays=[row.replay for row in first],
    )


def write(path: Path, survey: Survey) -> None:
    """Write the findings of a survey as JSON.

    Raises:
        UserError: The file cannot be written.

    """
    output_file.write(path, as_json(survey) + "\n", WHAT)


def as_json(survey: Survey) -> str:
    """Return the findings of a survey as JSON, with its rates."""
    rates = {
        what: {"count": rate.count, "total": rate.total, "upper": rate.upper}
        for what, rate in (("accused_runs", survey.accused), ("accusations", survey.accusations))
    }
    content: dict[str, Any] = msgspec.to_builtins(survey)
    return json.dumps(content | {"rates": rates}, indent=1)


def is_one(path: Path) -> bool:
    """Whether a file has the findings of a survey, judged by its keys; False for an unreadable file."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "subjects" in content


def read(path: Path) -> Survey:
    """Read the findings of a survey.

    Raises:
        UserError: The file is missing or has no findings.

    """
    content = json_file.load(path, WHAT, HINT)
    if isinstance(content, dict):
        # The rates are derived from the counts.
        content.pop("rates", None)
    try:
        return msgspec.convert(content, Survey)
    except msgspec.ValidationError as error:
        raise json_file.invalid(path, WHAT, FORMAT, error, HINT) from None
