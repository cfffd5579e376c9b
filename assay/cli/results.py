"""Published results: ledgers without their evidence, and the page that compares them."""

from __future__ import annotations

import gzip
import json
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import PATH
from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import json_file, output_file
from assay.ledger import ledger as ledgers
from assay.ledger.environment import available_cores
from assay.ledger.ledger import Ledger
from assay.ledger.verdict import is_complete
from assay.reports import results
from assay.reports.results import Result
from assay.specification.claims import specification

FOLDER = Path("docs/results")
INDEX = "results.json"
PAGE = "README.md"
HINT = "Publish the ledger again"


def compact(ledger: Ledger) -> Ledger:
    """Return a ledger without parts that only the run's own report needs: evidence, replays and details of reasons."""
    rows = (
        replace(row, evidence={}, replay="", reason=row.reason.partition("\n")[0], seconds=round(row.seconds, 2))
        for row in ledger.claims
    )
    return replace(ledger, claims=tuple(rows))


def publish(folder: Path, name: str, path: Path, command: str) -> None:
    """Add a ledger to the results, or replace an older one.

    Args:
        folder: Folder of the results.
        name: Name of the implementation.
        path: Path of the ledger.
        command: Command that produced the ledger.

    Raises:
        UserError: The ledger is not from a whole core profile, or cannot be read.

    """
    found = ledgers.read(path)
    if found.profile != "core" or found.shard is not None or not is_complete(found, specification()):
        msg = f"{path} is not the ledger of a whole core profile"
        raise UserError(ErrorKind.INCOMPLETE_LEDGER, msg, f"Run `assay run {name} --results {path}`")
    content = json.dumps(ledgers.as_json(compact(found)), separators=(",", ":")).encode()
    folder.mkdir(parents=True, exist_ok=True)
    # Without a timestamp, so that the same ledger gives the same file.
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(content, mtime=0))
    made = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date().isoformat()
    known = read_index(folder) | {name: Result(command, made, describe_machine(), results.specification_of(found))}
    entries = {name: msgspec.to_builtins(known[name]) for name in sorted(known)}
    json_file.write(folder / INDEX, entries, "index of results")


def describe_machine() -> str:
    """Return a description of this machine, as far as a result depends on it."""
    return f"{platform.system()} {platform.machine()}, {available_cores()} cores, Python {platform.python_version()}"


def read_index(folder: Path) -> dict[str, Result]:
    """Read the index of results; empty if there are none."""
    path = folder / INDEX
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Result]) if path.exists() else {}


def read_ledger(folder: Path, name: str) -> Ledger:
    """Read a published ledger.

    Raises:
        UserError: The ledger is missing or damaged.

    """
    path = folder / f"{name}.json.gz"
    content = json_file.read_bytes(path, "ledger", HINT)
    try:
        return ledgers.from_json(json.loads(gzip.decompress(content)))
    except (OSError, ValueError) as error:
        msg = f"{path} is not a published ledger: {error}"
        raise UserError(ErrorKind.INVALID_FORMAT, msg, HINT) from None


def write_page(folder: Path) -> str:
    """Write and return the page of all results."""
    index = read_index(folder)
    page = results.render({name: (index[name], read_ledger(folder, name)) for name in index})
    output_file.write(folder / PAGE, page, "page of results")
    return page


def _parse_named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        msg = f"expected NAME=LEDGER, got {text!r}"
        raise click.BadParameter(msg)
    return name, Path(path)


@click.command(cls=Command, help="Publish ledgers of the core profile, and write their page.")
@click.argument("ledgers", nargs=-1, type=_parse_named, metavar="[NAME=LEDGER]...")
@click.option("--command", metavar="TEXT", help="Command that made them (default: `assay run NAME`).")
@click.option(
    "--folder", type=PATH, default=FOLDER, metavar="FOLDER", help=f"Folder of the results (default: {FOLDER})."
)
def main(ledgers: Sequence[tuple[str, Path]], command: str | None, folder: Path) -> int:
    """Run the command."""
    for name, path in ledgers:
        publish(folder, name, path, command or f"assay run {name}")
    write_page(folder)
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(execute(main, "python -m assay.cli.results"))
