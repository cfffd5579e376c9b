"""The page of findings, written from the files of expectations."""

from __future__ import annotations

import sys
from pathlib import Path

import assay
from assay.cli.parser import Parser, answered
from assay.errors import ExitCode
from assay.files import text_file
from assay.ledger.expectations import Expectations, read_file
from assay.reports import findings

HERE = Path(assay.__file__).parent
FOLDERS = (HERE / "reference" / "expectations", HERE / "alternatives" / "expectations")


def read_all() -> dict[str, Expectations]:
    """Read every file of expectations that comes with Assay, by its path in the repository."""
    files = [file for folder in FOLDERS for file in sorted(folder.glob("*.toml"))]
    return {file.relative_to(HERE).as_posix(): read_file(file) for file in files}


def main() -> int:
    """Carry out the command."""
    parser = Parser(prog="python -m assay.cli.findings", description="Write the page of findings.")
    parser.add_argument("-o", "--output", type=Path, help="File to write (default: standard output).")
    options = parser.parse_args()
    page = findings.render(read_all())
    if options.output:
        text_file.write(options.output, page, "page of findings")
    else:
        sys.stdout.write(page)
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(answered("python -m assay.cli.findings", main))
