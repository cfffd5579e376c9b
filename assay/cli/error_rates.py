"""Print the page of error rates: `python -m assay.cli.error_rates [--limits] [LEDGER...]`.

The decisions recorded in ledgers are stored first. Ledgers of any passing implementation will do. With `--limits`, the
limits of all thresholds are recomputed from their runs, for the level of a decision.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import PATH
from assay.errors import ExitCode
from assay.files import json_file
from assay.ledger import ledger
from assay.survey import error_rates


@click.command(
    cls=Command, help="Print the page of error rates. The decisions that each LEDGER shows are stored first."
)
@click.argument("files", nargs=-1, type=PATH, metavar="[LEDGER]...")
@click.option("--limits", is_flag=True, help="Compute the limits of all thresholds again, from their runs.")
def main(files: Sequence[Path], *, limits: bool) -> int:
    """Store the decisions of ledgers, and print the page."""
    if limits:
        error_rates.renew_limits()
    if files:
        known = error_rates.read() if error_rates.DECISIONS.exists() else {}
        found = error_rates.collect([ledger.read(file) for file in files], known)
        json_file.write(error_rates.DECISIONS, found, "list of decisions")
    print(error_rates.as_markdown(), end="")
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(execute(main, "python -m assay.cli.error_rates"))
