"""The ledger: one row for each claim, written as the rows come."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

from assay.errors import UserError
from assay.files import json_file
from assay.specification.shards import Shard

if TYPE_CHECKING:
    from assay.ledger.expectations import Expectation

FORMAT = 1


class Outcome(str, Enum):
    """What became of a claim, from the best to the worst."""

    PASS = "pass"  # noqa: S105 - no password
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "expected failure"
    UNEXPECTED_PASS = "unexpected pass"  # noqa: S105 - likewise
    FAIL = "fail"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"

    @property
    def conforms(self) -> bool:
        """Whether an implementation with only such outcomes is conformant."""
        return self in {Outcome.PASS, Outcome.UNSUPPORTED, Outcome.SKIPPED, Outcome.EXPECTED_FAILURE}

    @property
    def holds(self) -> bool:
        """Whether the claim was tried and holds."""
        return self in {Outcome.PASS, Outcome.UNEXPECTED_PASS}

    @property
    def tried(self) -> bool:
        """Whether the claim was put to the implementation."""
        return self not in {Outcome.UNSUPPORTED, Outcome.SKIPPED}


SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass
class Row:
    """What one run found of one claim.

    Attributes:
        id: the claim's.
        outcome: the worst of its tests.
        seconds: all its tests together.
        reason: why it is not a pass; empty for a pass.
        replay: the command that runs exactly this case again; empty for a pass.
        evidence: what the tests measured, for the report.
        digest: of the claim's statement and its tests; empty where it is not known.
        results: the keys of the allowed results that were given, of a claim that lists some.

    """

    id: str
    outcome: Outcome
    seconds: float
    reason: str = ""
    replay: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    results: list[str] = field(default_factory=list)

    def merge(self, other: Row) -> Row:
        """Join the rows of two tests of one claim: the worse outcome and its reason, the time of both."""
        worse = max(self, other, key=lambda row: SEVERITY[row.outcome])
        seconds = self.seconds + other.seconds
        evidence = self.evidence | other.evidence
        results = [*dict.fromkeys(self.results + other.results)]
        return replace(worse, seconds=seconds, evidence=evidence, results=results)

    def as_json(self) -> dict[str, Any]:
        """Leave out what is empty."""
        row = {"id": self.id, "outcome": self.outcome.value, "seconds": round(self.seconds, 4)}
        rest = {name: getattr(self, name) for name in ("reason", "replay", "results", "evidence", "digest")}
        return row | {key: _finite(value) for key, value in rest.items() if value}

    @cached_property
    def text(self) -> str:
        """The row in the file: made once, as the file is written after every test."""
        return indent(json.dumps(self.as_json(), indent=1, allow_nan=False), "  ")


def _finite(tree: Any) -> Any:  # noqa: ANN401 - evidence has the form that its test gives it
    """Replace numbers that JSON does not have by null."""
    if isinstance(tree, dict):
        return {key: _finite(branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(branch) for branch in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


@dataclass
class Ledger:
    """All rows of a run, and what was run.

    Attributes:
        suite: the suite's version.
        document: SHA-256 of the document.
        implementation: name, version, frameworks, device, precision and groups.
        grade: that products were held to.
        profile: smoke, core or full.
        seed: of everything drawn.
        data: where each data set came from.
        awaited: for every claim of the profile, or of the shard, in the document's order, its tests that have not
            reported yet.
        expectations: the failures that are known, by claim.
        rows: what the tests found, by claim.
        shard: the part of the profile that was run; None for all of it.
        time: seconds of the whole run, `wall` and `processor`; None until its end.

    """

    suite: str
    document: str
    implementation: dict[str, Any]
    grade: str
    profile: str
    seed: int
    data: dict[str, str]
    awaited: dict[str, set[str]]
    expectations: dict[str, Expectation] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    shard: Shard | None = None
    time: dict[str, float] | None = None

    def add(self, row: Row, test: str) -> None:
        """Add the row of one test to its claim's."""
        self.rows[row.id] = self.rows[row.id].merge(row) if row.id in self.rows else row
        self.awaited.get(row.id, set()).discard(test)

    @property
    def missing(self) -> list[str]:
        """The claims that are awaited of which not every test has reported."""
        return [id_ for id_, tests in self.awaited.items() if tests or id_ not in self.rows]

    @property
    def settled(self) -> list[Row]:
        """The rows in the light of what was expected, in the document's order."""
        order = {id_: rank for rank, id_ in enumerate(self.awaited)}
        rows = sorted(self.rows.values(), key=lambda row: order.get(row.id, len(order)))
        return [
            self.expectations[row.id].settle(row, decided=not self.awaited.get(row.id))
            if row.id in self.expectations
            else row
            for row in rows
        ]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each outcome."""
        return count(row.outcome.value for row in self.settled)

    def as_json(self) -> dict[str, Any]:
        """Lay the ledger out as `ledger.schema.json` says."""
        return self._head() | {"claims": [row.as_json() for row in self.settled]}

    def _head(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "suite": self.suite,
            "document": self.document,
            "implementation": self.implementation,
            "grade": self.grade,
            "profile": self.profile,
            "seed": self.seed,
            **({"shard": asdict(self.shard)} if self.shard else {}),
            **({"time": self.time} if self.time else {}),
            "complete": not self.missing,
            "data": self.data,
            "counts": self.counts,
        }

    def write(self, path: Path) -> None:
        """Write the ledger as it is now.

        Raises:
            UserError: the file cannot be written.

        """
        head = json.dumps(self._head(), indent=1, allow_nan=False).removesuffix("\n}")
        rows = ",\n".join(row.text for row in self.settled)
        _replace(path, f'{head},\n "claims": [\n{rows}\n ]\n}}\n' if rows else f'{head},\n "claims": []\n}}\n')


def count(outcomes: Iterable[str]) -> dict[str, int]:
    """Say how many there are of each outcome."""
    found = [*outcomes]
    return {outcome.value: found.count(outcome.value) for outcome in Outcome}


def grade(content: Mapping[str, Any]) -> str:
    """Return what a ledger's products were held to, which those from before there were grades do not say."""
    return str(content.get("grade", "float32"))


def rows(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows of a ledger by claim; of several for one claim, the worst."""
    worst: dict[str, dict[str, Any]] = {}
    for row in content["claims"]:
        known = worst.setdefault(row["id"], row)
        worst[row["id"]] = max(known, row, key=lambda each: SEVERITY[Outcome(each["outcome"])])
    return worst


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a ledger that is laid out as `ledger.schema.json` says.

    Raises:
        UserError: the file cannot be written.

    """
    _replace(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def _replace(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader or a killed run never sees half of it."""
    temporary = path.parent / f".{path.name}.{os.getpid()}"
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        msg = f"the ledger {path} cannot be written: {error.strerror}"
        raise UserError(msg, "Name a file in a folder that exists and is writable") from None


def read(path: Path) -> dict[str, Any]:
    """Read a ledger and check it against its schema.

    Raises:
        UserError: there is no such file, or it is not a ledger; the message says what is wrong with it.

    """
    schema = Path(__file__).with_name("ledger.schema.json")
    return json_file.read(path, schema, "ledger", "`assay run NAME` writes one")
