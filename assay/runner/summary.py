"""What a run says on the terminal, first and last."""

from __future__ import annotations

import platform
from collections import Counter
from pathlib import Path

import pytest

from assay.errors import ExitCode
from assay.ledger.ledger import Ledger, Outcome
from assay.ledger.verdict import falls_short
from assay.runner.run import Run
from assay.specification.claims import specification

# A line's worth.
SLOWEST = 3


def header(run: Run, ledger: Ledger) -> list[str]:
    """Say what is being assayed, with what and on which data."""
    frameworks = ledger.implementation["frameworks"].items()
    versions = ", ".join(f"{name} {version}" for name, version in frameworks)
    implementation = (
        f"{ledger.implementation['name']} {ledger.implementation['version']} ({versions or 'no framework'})"
    )
    shard = f", {run.shard}" if run.shard else ""
    return [
        f"assay {ledger.suite}: {implementation} on {run.device}, Python {platform.python_version()}",
        f"profile {run.profile}{shard} ({len(ledger.awaited)} claims), seed {run.seed}",
        *([f"products are held to {run.grade}, and all else to float32"] if run.grade != "float32" else []),
        *(f"data: {name}: {source}" for name, source in ledger.data.items()),
    ]


def verdict_line(ledger: Ledger, verdict: ExitCode) -> str:
    """Put the verdict into one line."""
    passed, total = ledger.counts[Outcome.PASS.value], len(ledger.awaited)
    name = ledger.implementation["name"]
    part = f"{ledger.shard} of " if ledger.shard else ""
    score = f"{passed} of {total} claims of {part}the {ledger.profile} profile pass"
    score += f", with products held to {ledger.grade}" if ledger.grade != "float32" else ""
    if known := ledger.counts[Outcome.EXPECTED_FAILURE.value]:
        score += f", {known} fail as expected"
    match verdict:
        case ExitCode.CONFORMANT if ledger.missing:
            return f"{name}: the claims asked for hold; {score}"
        case ExitCode.CONFORMANT:
            return f"{name} is conformant: {score}"
        case ExitCode.NOT_CONFORMANT:
            return f"{name} is not conformant: {score}"
    missing = ledger.missing
    first = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")  # noqa: PLR2004 - likewise
    return f"{name}: incomplete, so no verdict: {len(missing)} claims were not decided ({first}); {score}"


def summary(terminal: pytest.TerminalReporter, ledger: Ledger, verdict: ExitCode, results: Path | None) -> None:
    """Write the outcomes by section, the verdict, and where the ledger is."""
    terminal.section("assay", sep="=")
    claims = specification().claims
    rows = [row for row in ledger.settled if row.id in claims]
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
    if short := falls_short(ledger.implementation["precision"], ledger.grade):
        terminal.write_line(f"\n{short}")
    terminal.write_line("")
    terminal.write_line(
        verdict_line(ledger, verdict),
        green=verdict is ExitCode.CONFORMANT,
        red=verdict is not ExitCode.CONFORMANT,
    )
    if results is not None:
        terminal.write_line(f"ledger: {results}")
