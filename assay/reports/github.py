"""Output for GitHub Actions: annotations in the log, and a summary of the job.

Annotations are workflow commands: one line each, on standard output.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from assay.files import output_file
from assay.ledger.ledger import Ledger
from assay.reports import pull_request
from assay.reports.columns import side_by_side
from assay.specification.claims import Specification, specification

# Number of annotations that GitHub shows per step; it drops others.
MOST_ANNOTATIONS = 10
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def annotate(ledgers: Sequence[Ledger], spec: Specification | None = None) -> Iterator[str]:
    """Yield a workflow command for every claim that counts against an implementation, up to GitHub's limit.

    Args:
        ledgers: Ledgers of runs.
        spec: Specification of the ledgers (default: the suite's).

    """
    spec = spec or specification()
    for column in side_by_side(ledgers, spec):
        against = [id_ for id_ in column.expected if column.cell(id_).counts_against]
        # The last annotation states the number of others.
        shown = against if len(against) <= MOST_ANNOTATIONS else against[: MOST_ANNOTATIONS - 1]
        for id_ in shown:
            row = column.rows[id_]
            claim = spec.claims.get(id_)
            properties = {"title": f"{column.name}: {row.outcome.value.upper()} {id_}"}
            # The tests are files of the repository only in Assay's own repository.
            if row.failure is not None and Path(row.failure.file).is_file():
                properties |= {"file": row.failure.file, "line": str(row.failure.line)}
            text = "\n".join(filter(None, [claim.statement if claim else "", row.reason, row.replay]))
            yield _command("error", text, properties)
        if more := len(against) - len(shown):
            yield _command("error", f"{more} more claims count against {column.name}: see the summary of the job", {})
        if column.verdict.code and not against:
            yield _command("error", f"{column.name}: {column.verdict.sentence}", {})


def _command(name: str, text: str, properties: dict[str, str]) -> str:
    written = ",".join(f"{key}={_escape(value, more=':,')}" for key, value in properties.items())
    return f"::{name}{' ' if written else ''}{written}::{_escape(text)}"


def _escape(text: str, more: str = "") -> str:
    for letter in f"%\r\n{more}":
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def add_summary(ledgers: Sequence[Ledger]) -> None:
    """Append the Markdown report to the summary of the job, if GitHub provides a file for it.

    Raises:
        UserError: The file cannot be written.

    """
    if name := os.environ.get(SUMMARY_VARIABLE):
        path = Path(name)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        output_file.write(path, before + pull_request.render(ledgers) + "\n", "summary")
