"""What a run says on the terminal, first and last."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from assay.ledger.draft import Draft
from assay.ledger.ledger import Ledger
from assay.ledger.outcomes import Outcome
from assay.ledger.precision import explain_precision
from assay.ledger.verdict import Conformance, Verdict
from assay.runner.run import Run
from assay.specification.claims import specification

# A line's worth.
SLOWEST = 3


def header(run: Run, draft: Draft) -> list[str]:
    """Say what is being assayed, with what and on which data."""
    subject = draft.implementation
    versions = ", ".join(f"{name} {version}" for name, version in subject.frameworks.items())
    shard = f", {run.shard}" if run.shard else ""
    held = f"products must have the precision {run.precision}, all else float32"
    return [
        f"assay {draft.suite}: {subject.name} {subject.version} ({versions or 'no framework'})",
        f"on {run.device}, Python {platform.python_version()}",
        f"profile {run.profile}{shard} ({len(draft.awaited)} claims), seed {run.seed}",
        *([f"resumed: {len(run.finished)} claims are decided already"] if run.resumes else []),
        *([held] if run.precision != "float32" else []),
        *(f"data: {name}: {source}" for name, source in draft.data.items()),
    ]


def verdict_line(ledger: Ledger, verdict: Verdict, asked: Collection[str]) -> str:
    """Put the verdict into one line."""
    name = ledger.implementation.name
    part = f" ({ledger.shard})" if ledger.shard else ""
    precision = f" (required precision of products: {ledger.precision})" if ledger.precision != "float32" else ""
    only = asked and verdict.conformance in {Conformance.FULL, Conformance.PARTIAL}
    sentence = f"the claims asked for hold, in {verdict.scope}" if only else verdict.sentence
    return f"{name}{part}: {sentence}{precision}"


def summary(
    terminal: pytest.TerminalReporter,
    ledger: Ledger,
    verdict: Verdict,
    results: Path | None,
    asked: Collection[str] = (),
) -> None:
    """Write the outcomes by section, the verdict, and where the ledger is.

    Args:
        terminal: Terminal of pytest.
        ledger: What the run found.
        verdict: What it comes to.
        results: Path of the ledger; None where none was asked for.
        asked: Ids of the only claims that were asked for; empty for all.

    """
    terminal.section("assay", sep="=")
    claims = specification().claims
    rows = [row for row in ledger.claims if row.id in claims]
    shown = [outcome for outcome in Outcome if any(row.outcome is outcome for row in rows)]
    terminal.write_line(f"{'':38}" + "".join(f"{outcome.value:>18}" for outcome in shown) + f"{'seconds':>10}")
    for section in specification().sections:
        held = [row for row in rows if claims[row.id].section == section.name]
        if held:
            counts = Counter(row.outcome for row in held)
            line = f"{section.title:38}" + "".join(f"{counts[outcome] or '':>18}" for outcome in shown)
            terminal.write_line(f"{line}{sum(row.seconds for row in held):10.1f}")
    slowest = sorted(rows, key=lambda row: -row.seconds)[:SLOWEST]
    terminal.write_line(f"slowest: {', '.join(f'{row.id} {row.seconds:.1f} s' for row in slowest)}")
    for row in rows:
        if row.outcome is Outcome.UNEXPECTED_PASS:
            terminal.write_line(f"UNEXPECTED PASS {row.id}: {row.reason}; remove the expectation", red=True)
    if short := explain_precision(ledger.implementation.measured_precision, ledger.precision):
        terminal.write_line(f"\n{short}")
    terminal.write_line("")
    terminal.write_line(
        verdict_line(ledger, verdict, asked),
        green=verdict.conformance is Conformance.FULL,
        cyan=verdict.conformance is Conformance.PARTIAL,
        yellow=verdict.conformance in {Conformance.INCOMPLETE, Conformance.UNTESTED},
        red=verdict.conformance in {Conformance.NONE, Conformance.BROKEN},
    )
    if results is not None:
        terminal.write_line(f"ledger: {results}")
