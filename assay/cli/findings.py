"""The page of findings, written from the files of expectations."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import assay
from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import PATH
from assay.errors import ExitCode
from assay.files import output_file
from assay.ledger.expectations import Expectations, read_file
from assay.reports import findings

HERE = Path(assay.__file__).parent
FOLDERS = (HERE / "reference" / "expectations", HERE / "alternatives" / "expectations")


def read_all() -> dict[str, Expectations]:
    """Read every file of expectations that comes with Assay, by its path in the repository."""
    files = [file for folder in FOLDERS for file in sorted(folder.glob("*.toml"))]
    return {file.relative_to(HERE).as_posix(): read_file(file) for file in files}


@click.command(cls=Command, help="Write the page of findings.")
@click.option("-o", "--output", type=PATH, metavar="FILE", help="File to write (default: standard output).")
def main(output: Path | None) -> int:
    """Run the command."""
    page = findings.render(read_all())
    if output:
        output_file.write(output, page, "page of findings")
    else:
        sys.stdout.write(page)
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(execute(main, "python -m assay.cli.findings"))
