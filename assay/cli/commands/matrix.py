"""`assay matrix`: claims over versions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.values import PATH
from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import output_file
from assay.ledger import ledger
from assay.ledger.ledger import Ledger
from assay.reports import matrix as maker


@click.command(
    cls=Command,
    help="Show since which version each claim holds or fails.\n\n"
    "NAME is a version, the oldest one first. The file that --data wrote may stand in the place of all of them.",
)
@click.argument("ledgers", nargs=-1, required=True, metavar="NAME=LEDGER...")
@click.option(
    "-o",
    "--output",
    type=PATH,
    default=Path("assay-matrix.html"),
    metavar="FILE",
    help="File to write the page to (default: assay-matrix.html).",
)
@click.option("--data", type=PATH, metavar="FILE", help="File to write the matrix itself to, as JSON.")
def matrix(ledgers: Sequence[str], output: Path, data: Path | None) -> int:
    """Write the page."""
    named = [source.partition("=") for source in ledgers]
    if [separator for _, separator, _ in named] == [""]:
        made = maker.read(Path(ledgers[0]))
    else:
        made = maker.make(_read_named(named))
    if data is not None:
        output_file.write(data, maker.as_json(made), "matrix")
        print(f"matrix: {data}")
    output_file.write(output, maker.as_page(made), "page")
    print(f"page: {output}")
    return ExitCode.CONFORMANT


def _read_named(named: list[tuple[str, str, str]]) -> dict[str, Ledger]:
    ledgers: dict[str, Ledger] = {}
    for name, separator, path in named:
        if not (name and separator and path):
            msg = f"{name + separator + path!r} is not NAME=LEDGER"
            raise UserError(
                ErrorKind.INVALID_ARGUMENT,
                msg,
                "Give each ledger the name of its version, as in tensorflow-2.18=ledger.json",
            )
        if name in ledgers:
            msg = f"two ledgers have the name {name!r}"
            raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "Give each version a name of its own")
        ledgers[name] = ledger.read(Path(path))
    return ledgers
