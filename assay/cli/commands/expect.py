"""`assay expect`: known failures."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.values import PATH, parse_address, parse_date
from assay.errors import ExitCode
from assay.ledger import expect as writer
from assay.ledger import expectations
from assay.ledger import ledger as ledgers


@click.command(cls=Command, help="Record what fails in a ledger as expected.")
@click.argument("ledger", type=PATH)
@click.option(
    "-o",
    "--output",
    type=PATH,
    required=True,
    metavar="FILE",
    help="File of expectations, in TOML, which is made or brought up to date.",
)
@click.option(
    "--link", type=parse_address, required=True, metavar="URL", help="Address of what is known about new entries."
)
@click.option("--expires", type=parse_date, metavar="DATE", help="Last day of new entries, such as 2027-12-31.")
def expect(ledger: Path, output: Path, link: str, expires: date | None) -> int:
    """Write the expectations, and count what changed."""
    before = expectations.read(output) if output.exists() else ()
    after = writer.update(before, ledgers.read(ledger), link, expires)
    writer.write(output, after)
    old, new = ({expectation.claim for expectation in each} for each in (before, after))
    print(f"{output}: {len(new)} expectations, {len(new - old)} of them new; {len(old - new)} removed")
    return ExitCode.CONFORMANT
