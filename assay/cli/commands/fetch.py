"""`assay fetch`: data sets."""

from __future__ import annotations

from collections.abc import Sequence

import click

from assay.cli import completion
from assay.cli.command import Command
from assay.datasets import data
from assay.errors import ExitCode


@click.command(
    cls=Command,
    help="Download the data sets ahead of time.\n\n"
    f"NAME is a data set: {', '.join(data.DATASETS)} (default: all of them).",
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.data_sets)
def fetch(names: Sequence[str]) -> int:
    """Fetch data sets, and print where they come from."""
    for name, source in data.fetch(names or data.DATASETS):
        print(f"{name}: {source}")
    return ExitCode.CONFORMANT
