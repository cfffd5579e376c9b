"""The command line: `assay ...` or `python -m assay ...`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from assay import __version__
from assay.cli.group import LazyGroup
from assay.cli.program import execute
from assay.errors import ExitCode

NAME = "assay"
# Environment variable with which a shell requests completions from click.
COMPLETION = "_ASSAY_COMPLETE"

EXIT_CODES = {
    ExitCode.CONFORMANT: "fully or partially conformant, or the command did what it was asked",
    ExitCode.NOT_CONFORMANT: "not conformant: a claim failed, the adapter broke, or a required group is missing;"
    " of `compare`: a regression",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.BROKEN: "the suite itself is broken",
    ExitCode.USAGE: "the command cannot be carried out as given",
    ExitCode.NOTHING_COLLECTED: "no test was collected",
    ExitCode.INCOMPLETE: "no verdict: not every claim of the profile was decided, or nothing was tested",
}

SUMMARIES = {
    "run": "Test an implementation, and write its ledger and a report.",
    "survey": "Run implementations with many seeds, and find flaky claims.",
    "bench": "Time implementations side by side.",
    "new": "Write an adapter to begin with, its tox environment and a CI workflow.",
    "smoke": "Check in under 10 seconds whether an adapter works.",
    "claims": "List and show claims, errata and coverage.",
    "report": "Turn ledgers and benchmarks into a page, Markdown, JUnit XML, a site or a badge.",
    "compare": "Show what changed between two ledgers or benchmarks.",
    "merge": "Merge the ledgers of shards.",
    "matrix": "Show since which version each claim holds or fails.",
    "expect": "Record what fails in a ledger as expected.",
    "fetch": "Download the data sets ahead of time.",
    "calibrate": "Train with many seeds, and store the runs of a threshold.",
}


@click.group(cls=LazyGroup, package="assay.cli.commands", summaries=SUMMARIES, exit_codes=EXIT_CODES)
@click.version_option(__version__, message=f"{NAME} %(version)s", help="Show the version and exit.")
def assay() -> None:
    """Test implementations for conformance to a handbook chapter on models in TensorFlow 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or complete one for a shell, and return the exit code."""
    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete  # noqa: PLC0415 - only shells need it

        return shell_complete(assay, {}, NAME, COMPLETION, instruction)
    return execute(assay, NAME, arguments)
