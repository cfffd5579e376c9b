"""Header and summary of a run on the terminal."""

from __future__ import annotations

import io
import platform
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assay.ledger.draft import Draft
from assay.ledger.ledger import Ledger, Row
from assay.ledger.outcomes import Outcome
from assay.ledger.precision import explain_precision
from assay.ledger.verdict import Conformance, Verdict
from assay.runner.lines import fold
from assay.runner.run import Run
from assay.specification.claims import specification

# Number of slowest claims, which fits a line.
SLOWEST = 3
COLUMNS = 80
# Short headings, so that the table fits.
SHORT = {
    Outcome.UNSUPPORTED: "unsup",
    Outcome.SKIPPED: "skip",
    Outcome.EXPECTED_FAILURE: "xfail",
    Outcome.UNEXPECTED_PASS: "xpass",
}
MEANINGS = {
    Outcome.UNSUPPORTED: "unsup, u: unsupported, needs a group that the implementation does not declare",
    Outcome.SKIPPED: "skip, s: skipped, could not be tested here",
    Outcome.EXPECTED_FAILURE: "xfail, x: expected failure, known by --expectations",
    Outcome.UNEXPECTED_PASS: "xpass: unexpected pass, which --expectations has as a failure",
}


def header(run: Run, draft: Draft) -> list[str]:
    """Return the lines that state what is tested, with what and on which data."""
    subject = draft.implementation
    versions = ", ".join(f"{name} {version}" for name, version in subject.frameworks.items())
    shard = f", {run.shard}" if run.shard else ""
    precision = f"products must have the precision {run.precision}, all else float32"
    return [
        f"assay {draft.suite}: {subject.name} {subject.version} ({versions or 'no framework'})",
        f"on {run.device}, Python {platform.python_version()}",
        f"profile {run.profile}{shard} ({len(draft.awaited)} claims), seed {run.seed}",
        *([f"resumed: {len(run.finished)} claims are decided already"] if run.resumes else []),
        *([precision] if run.precision != "float32" else []),
        *(f"data: {name}: {source}" for name, source in draft.data.items()),
    ]


def verdict_line(ledger: Ledger, verdict: Verdict, asked: Collection[str]) -> str:
    """Return the verdict in one line."""
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
        ledger: Results of the run.
        verdict: Verdict of the run.
        results: Path of the ledger; None if there is none.
        asked: Ids of the requested claims; empty for all.

    """
    terminal.section("assay", sep="=")
    width = terminal._tw.fullwidth if terminal.isatty else None  # noqa: SLF001 - pytest has no public name for it
    claims = specification().claims
    rows = [row for row in ledger.claims if row.id in claims]
    for line in _table(rows, min(COLUMNS, width or COLUMNS)):
        terminal.write_line(line)
    slowest = sorted(rows, key=lambda row: -row.seconds)[:SLOWEST]
    terminal.write_line(fold(f"slowest: {', '.join(f'{row.id} {row.seconds:.1f} s' for row in slowest)}", width))
    for row in rows:
        if row.failure is not None and len(row.failure.cases) > 1:
            cases = "; ".join(row.failure.cases)
            line = f"{row.outcome.value.upper()} {row.id}: in {len(row.failure.cases)} cases: {cases}"
            terminal.write_line(fold(line, width))
    for row in rows:
        if row.outcome is Outcome.UNEXPECTED_PASS:
            line = f"UNEXPECTED PASS {row.id}: {row.reason}; remove the expectation"
            terminal.write_line(fold(line, width), red=True)
    if short := explain_precision(ledger.implementation.measured_precision, ledger.precision):
        terminal.write_line(f"\n{fold(short, width)}")
    terminal.write_line("")
    terminal.write_line(
        fold(verdict_line(ledger, verdict, asked), width),
        green=verdict.conformance is Conformance.FULL,
        cyan=verdict.conformance is Conformance.PARTIAL,
        yellow=verdict.conformance in {Conformance.INCOMPLETE, Conformance.UNTESTED},
        red=verdict.conformance in {Conformance.NONE, Conformance.BROKEN},
    )
    if results is not None:
        terminal.write_line(f"ledger: {results}")


def _table(rows: Sequence[Row], width: int) -> Iterator[str]:
    """Yield a table of the number of claims by section and outcome, with a legend for short names."""
    claims = specification().claims
    shown = [outcome for outcome in Outcome if any(row.outcome is outcome for row in rows)]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    totals = Counter(row.outcome for row in rows)
    table.add_column("claims", "all", no_wrap=True, overflow="ellipsis")
    for outcome in shown:
        table.add_column(SHORT.get(outcome, outcome.value), str(totals[outcome]), justify="right", no_wrap=True)
    table.add_column("seconds", f"{sum(row.seconds for row in rows):.1f}", justify="right", no_wrap=True)
    for section in specification().sections:
        in_section = [row for row in rows if claims[row.id].section == section.name]
        if in_section:
            counts = Counter(row.outcome for row in in_section)
            numbers = (str(counts[outcome] or "") for outcome in shown)
            table.add_row(escape(section.title), *numbers, f"{sum(row.seconds for row in in_section):.1f}")
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # set a few lines above
    yield from (line.rstrip() for line in text.splitlines())
    for outcome in shown:
        if outcome in MEANINGS:
            yield MEANINGS[outcome]
