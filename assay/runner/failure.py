"""What a failure says: enough to find the fault without looking anywhere else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from assay.adapters.protocol.errors import CrashError, PeerLostError
from assay.adapters.proxy import AdapterError
from assay.adapters.time_limit import TimeLimitError
from assay.ledger.outcomes import Outcome
from assay.specification.claims import Claim, specification

BLOB = re.compile(r"@reproduce_failure\([^,]+, b'([^']+)'\)")
# Hypothesis has changed its wording between releases.
EXAMPLE = re.compile(r"(?:Falsifying example|Failing test case): \w+\((.*)\)\s*$", re.DOTALL)
# Enough for the counterexample of the largest case that Hypothesis draws; a ledger has many rows.
LONGEST_REASON = 4000


@dataclass(frozen=True)
class Replay:
    """How a run was started, so that one case of it can be run again.

    Attributes:
        implementation: its name on the command line.
        seed: of the run.
        device: of the run.
        grade: that its products were held to.

    """

    implementation: str
    seed: int
    device: str
    grade: str

    def command(self, claims: Sequence[str], blob: str = "") -> str:
        """Write the command that runs exactly one case again."""
        parts = [f"python -m assay run {self.implementation}", f"--seed {self.seed}"]
        parts += [f"--device {self.device}"] if self.device != "cpu" else []
        parts += [f"--grade {self.grade}"] if self.grade != "float32" else []
        parts += [f"--claim {id_}" for id_ in claims]
        parts += [f"--replay {blob}"] if blob else []
        return " ".join(parts)


def outcome_of(error: BaseException) -> Outcome:
    """Tell a wrong answer from a broken adapter, a hung one, and a test that could not be run."""
    if isinstance(error, pytest.skip.Exception):
        return Outcome.SKIPPED
    if isinstance(error, TimeLimitError):
        return Outcome.TIMEOUT
    if isinstance(error, CrashError):
        return Outcome.CRASH
    # pytest says with an exception of its own that an expected error did not come.
    return Outcome.FAIL if isinstance(error, AssertionError | pytest.fail.Exception) else Outcome.ERROR


def reason(error: BaseException) -> str:
    """Say what happened, with the smallest input that makes it happen."""
    if isinstance(error, AssertionError | AdapterError | TimeLimitError | PeerLostError | pytest.skip.Exception):
        text = str(error) or "an assertion of the test does not hold"
    else:
        text = f"{type(error).__name__}: {error}"
    example = counterexample(error)
    return (f"{text}\n  smallest input: {example}" if example else text)[:LONGEST_REASON]


def counterexample(error: BaseException) -> str:
    """Return the arguments that Hypothesis shrank to, without the groups of the implementation."""
    for note in getattr(error, "__notes__", []):
        if found := EXAMPLE.search(note):
            lines = [line.strip() for line in found[1].strip().splitlines()]
            return " ".join(line for line in lines if not re.fullmatch(r"(\w+)=\1,", line)).rstrip(",")
    return ""


def blob(error: BaseException) -> str:
    """Return Hypothesis's code for the case that failed."""
    found = [match[1] for note in getattr(error, "__notes__", []) if (match := BLOB.search(note))]
    return found[0] if found else ""


def mark_expected(report: pytest.TestReport, why: str) -> None:
    """Mark a report of a failure that is known, as pytest marks a test that was expected to fail."""
    report.outcome, report.wasxfail = "skipped", why


def text(claims: Sequence[Claim], outcome: Outcome, why: str, replay: str) -> str:
    """Lay the failure out for the terminal."""
    lines = [
        line
        for claim in claims
        for line in (
            f"{outcome.value.upper()} {claim.id}: {claim.statement}",
            f"  document: {specification().place(claim)}",
        )
    ]
    return "\n".join([*lines, *(f"  {line}" for line in why.splitlines()), f"  replay: {replay}"])
