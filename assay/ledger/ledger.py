"""The ledger of a run: immutable, typed, and read without trust."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import FieldInfo

from assay.files import json_file, output_file
from assay.ledger import journal
from assay.ledger.environment import Environment
from assay.ledger.outcomes import SEVERITY, Outcome, count
from assay.specification.claims import specification
from assay.specification.shards import Shard

FORMAT: Literal[1] = 1
HINT = "`assay run NAME` writes one"

Profile = Literal["smoke", "core", "full"]
Precision = Literal["float32", "tf32", "float16", "bfloat16"]
MeasuredPrecision = Literal["float32", "tf32", "float16", "bfloat16", "lower"]
Seconds = Annotated[float, Meta(ge=0)]


class Failure(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a test failed, and how to reproduce it.

    Attributes:
        file: File of the test, such as `tests/test_dense.py`.
        line: Line that failed.
        test: Name of the test.
        cases: Parameters of every case of the test that failed like this; empty for a test without parameters.
        snippet: Python program that reproduces the failure without Assay's runner; empty if none could be written.

    """

    file: str
    line: int
    test: str
    cases: tuple[str, ...] = ()
    snippet: str = ""

    def merge(self, other: Failure) -> Failure:
        """Add the cases of another failure of the same test."""
        if (self.file, self.test) != (other.file, other.test):
            return self
        cases = tuple(dict.fromkeys(self.cases + other.cases))
        return msgspec.structs.replace(self, cases=cases, snippet=self.snippet or other.snippet)


class Row(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The result of one claim in one run.

    Attributes:
        id: Id of the claim.
        outcome: Worst outcome of its tests.
        seconds: Total time of its tests.
        reason: Why the claim did not pass; empty for a pass.
        replay: Command that repeats exactly this case; empty for a pass.
        results: Keys of the observed permitted results, for a claim that lists some.
        evidence: Measurements of the tests, for the report.
        digest: Digest of the claim and its tests; empty if unknown.
        decided: Whether every case of its tests has reported.
        failure: Where its test failed; None for a pass and for a claim that was not tested.

    """

    id: str
    outcome: Outcome
    seconds: Seconds
    reason: str = ""
    replay: str = ""
    results: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    decided: bool = True
    failure: Failure | None = None

    def __post_init__(self) -> None:
        """Reject a row without a reason for its outcome."""
        if self.outcome is not Outcome.PASS and not self.reason:
            msg = f"{self.outcome.value} without a reason"
            raise ValueError(msg)

    def merge(self, other: Row) -> Row:
        """Merge the rows of two tests of one claim: the worse outcome with its reason, and the total time."""
        worse = max(self, other, key=lambda row: SEVERITY[row.outcome])
        failure = worse.failure
        if self.outcome is other.outcome and self.failure is not None and other.failure is not None:
            failure = self.failure.merge(other.failure)
        return msgspec.structs.replace(
            worse,
            failure=failure,
            seconds=self.seconds + other.seconds,
            evidence=_merge_evidence(self.evidence, other.evidence),
            results=tuple(dict.fromkeys(self.results + other.results)),
        )


# Keys of evidence: the largest ratio of error to measured bound, the sum of the false-alarm rates of all decisions, and
# the statistics that these are based on.
ERROR_OVER_BOUND, FALSE_ALARM, SAMPLES = "error_over_bound", "false_alarm", "samples"


def _merge_evidence(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Merge the evidence of two tests of a claim."""
    merged = one | other
    for key, join in ((ERROR_OVER_BOUND, max), (FALSE_ALARM, sum)):
        if values := [each[key] for each in (one, other) if key in each]:
            merged[key] = join(values)
    if samples := [sample for each in (one, other) for sample in each.get(SAMPLES, ())]:
        merged[SAMPLES] = [sample for number, sample in enumerate(samples) if sample not in samples[:number]]
    return merged


class Subject(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The implementation that a run tested.

    Attributes:
        name: Name for display.
        version: Version of the adapter.
        frameworks: Installed versions, by package.
        device: Device as the implementation names it; None if it never started.
        measured_precision: Precision measured in its products; None if not measured.
        groups: Declared groups.
        unsupported: Functions and models of these groups that it does not support.

    """

    name: str
    version: str
    frameworks: dict[str, str]
    device: str | None
    measured_precision: MeasuredPrecision | None = field(name="precision")
    groups: tuple[str, ...]
    unsupported: tuple[str, ...] = ()

    @property
    def whole_groups(self) -> tuple[str, ...]:
        """The declared groups without unsupported functions or models."""
        partial = {entry.partition(".")[0] for entry in self.unsupported}
        return tuple(group for group in self.groups if group not in partial)


class Time(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Start of a run, in UTC, and its duration in seconds: wall-clock time, and processor time of all its processes."""

    wall: Seconds
    processor: Seconds
    began: str = ""


class Ledger(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """All rows of a run, and a description of the run.

    Attributes:
        format: Version of `ledger.schema.json`.
        suite: Version of the suite.
        document: SHA-256 of the document.
        implementation: The tested implementation.
        precision: Required precision of products; `grade` in the file.
        profile: `smoke`, `core` or `full`.
        seed: Seed of all random draws.
        shard: Part of the profile that was run; None for the whole profile.
        required: Groups that the implementation must declare to conform.
        conditions: Conditions that a run must share to continue this one, by name; empty in older ledgers.
        time: Time of the run; None until its end.
        environment: Machine and sources of the run; None if unknown.
        complete: Whether every claim of the profile, or of the shard, was decided.
        data: Source of each data set.
        counts: Number of rows by outcome.
        claims: The rows, in the document's order.

    """

    format: Literal[1]
    suite: str
    document: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    implementation: Subject
    precision: Precision = field(name="grade")
    profile: Profile
    seed: Annotated[int, Meta(ge=0)]
    shard: Shard | None = None
    required: tuple[str, ...] = ()
    conditions: dict[str, str] = field(default_factory=dict)
    time: Time | None = None
    environment: Environment | None = None
    complete: bool
    data: dict[str, str]
    counts: dict[Outcome, int]
    claims: tuple[Row, ...]

    def __post_init__(self) -> None:
        """Reject rows that contradict each other or the counts."""
        ids = [row.id for row in self.claims]
        if len(ids) != len(set(ids)):
            twice = next(id_ for id_ in ids if ids.count(id_) > 1)
            msg = f"two rows of the claim {twice!r}"
            raise ValueError(msg)
        if self.counts != count(row.outcome for row in self.claims):
            msg = "the counts are not those of the rows"
            raise ValueError(msg)

    @property
    def rows(self) -> dict[str, Row]:
        """The rows by claim."""
        return {row.id: row for row in self.claims}

    @property
    def described(self) -> str:
        """The implementation, its frameworks and the profile, on one line."""
        subject = self.implementation
        versions = ", ".join(f"{name} {version}" for name, version in subject.frameworks.items())
        return f"{subject.name} {subject.version} ({versions or 'no framework'}), {self.profile} profile"


def head(ledger: Ledger) -> dict[str, Any]:
    """Return a ledger except its rows, as plain values for JSON."""
    return {
        known.encode_name: _finite(msgspec.to_builtins(value, str_keys=True))
        for known in msgspec.structs.fields(Ledger)
        if known.name != "claims" and (value := getattr(ledger, known.name)) != _default(known)
    }


def _default(known: FieldInfo) -> Any:  # noqa: ANN401 - of any field
    return known.default if known.default_factory is msgspec.NODEFAULT else known.default_factory()


def row_as_json(row: Row) -> dict[str, Any]:
    """Return a row as plain values for JSON."""
    plain: dict[str, Any] = _finite(msgspec.to_builtins(row))
    return plain | {"seconds": round(row.seconds, 4)}


def as_json(ledger: Ledger) -> dict[str, Any]:
    """Return a ledger as plain values for JSON."""
    return head(ledger) | {"claims": [*map(row_as_json, ledger.claims)]}


def _finite(tree: Any) -> Any:  # noqa: ANN401 - evidence has the form that its test gives it
    """Replace infinite and NaN values by null, as JSON lacks them."""
    if isinstance(tree, dict):
        return {key: _finite(branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(branch) for branch in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


def from_json(content: Mapping[str, Any]) -> Ledger:
    """Create a ledger from plain values, in this format or an older one.

    Raises:
        msgspec.ValidationError: the values are not a ledger; the message names the place.

    """
    return msgspec.convert(_upgrade(content), Ledger)


def _upgrade(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add what ledgers of earlier versions of the suite lack: the required precision of products."""
    return {"grade": "float32"} | content if isinstance(content, dict) else content


def read(path: Path) -> Ledger:
    """Read a ledger, or the journal of a run that has not finished.

    Raises:
        UserError: The file is missing, or is not a ledger; the message says what is wrong and where.

    """
    found = json_file.read_bytes(path, "ledger", HINT)
    if journal.is_one(found):
        content = journal.read(found, path, HINT)
        content["claims"].sort(key=lambda row: specification().rank(row["id"]))
    else:
        content = json_file.parse(found, path, "ledger", HINT)
    try:
        return from_json(content)
    except msgspec.ValidationError as error:
        raise json_file.invalid(path, "ledger", FORMAT, error, HINT) from None


def write(path: Path, ledger: Ledger) -> None:
    """Write a ledger.

    Raises:
        UserError: The file cannot be written.

    """
    output_file.write(path, json.dumps(as_json(ledger), indent=1, allow_nan=False) + "\n", "ledger")
