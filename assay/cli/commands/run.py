"""`assay run`: test an implementation, and report on it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from assay.adapters.parentage import describe_end
from assay.cli.command import Command
from assay.cli.options import IMPLEMENTATION_IS, RUN_NAMES, implementation, rename, report_format, run_options
from assay.cli.report_files import STDOUT, format_of, read_files, tell_github, write_report
from assay.cli.values import PATH, parse_processes
from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import output_file
from assay.ledger import ledger
from assay.ledger.verdict import list_expected, verdict
from assay.runner import launch
from assay.runner.options import RunOptions
from assay.specification import index
from assay.specification.claims import specification


@dataclass(frozen=True)
class _Report:
    """What a run reports.

    Attributes:
        path: File of the report; None for no report.
        kind: Format of the report; None for that of the file's suffix.
        github: Whether to print annotations for GitHub Actions, too.

    """

    path: Path | None
    kind: str | None
    github: bool


@click.command(
    cls=Command,
    help=f"Test an implementation, and write its ledger and a report.\n\n{IMPLEMENTATION_IS}",
    context_settings=rename(RUN_NAMES),
)
@implementation()
@run_options()
@click.option(
    "--report",
    "report_file",
    type=PATH,
    metavar="FILE",
    help="Report, as .html, .md or .xml, or - to print it (default: assay-NAME.html).",
)
@report_format
@click.option(
    "-n",
    "--processes",
    type=parse_processes,
    default="auto",
    metavar="N",
    help="Number of processes, as in pytest-xdist (default: auto).",
)
def run(report_file: Path | None, kind: str | None, processes: str, *, github: bool, **values: Any) -> int:  # noqa: ANN401 - the fields of RunOptions
    """Run the tests of the claims, and turn the ledger into a report.

    Raises:
        UserError: A file cannot be written, or --resume has no ledger to continue from.

    """
    options = RunOptions(**values)
    results, path = _output_files(options, report_file, kind)
    more = ("-n", processes, "-rN", "-p", "assay.runner.terminal")
    if results is None or output_file.is_regular(results):
        return _run(replace(options, results=results), _Report(path, kind, github), more)
    if options.resume:
        msg = f"--resume continues from a ledger in a file, which {results} is not"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Name a file with --results")
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        # A pipe or a device takes the ledger once, when it is complete.
        regular = Path(folder) / "ledger.json"
        report = _Report(None if report_file is None else path, kind, github)
        code = _run(replace(options, results=regular), report, more)
        if regular.exists():
            output_file.write(results, regular.read_text(encoding="utf-8"), "ledger")
    return code


def _output_files(options: RunOptions, report_file: Path | None, kind: str | None) -> tuple[Path | None, Path | None]:
    """Return the files of ledger and report. A run of single claims has them only if they are named.

    Raises:
        UserError: A file cannot be written, or the format of the report is unknown.

    """
    if report_file is not None:
        format_of(report_file, kind)
    results = options.results
    if not options.claim:
        parts = [str(options.implementation), *([f"shard-{options.shard}"] if options.shard else [])]
        name = "".join(letter if letter.isalnum() else "-" for letter in "-".join(parts)).strip("-")
        results = results or Path(f"assay-{name}.json")
        report_file = report_file or results.with_suffix(f".{kind or 'html'}")
    results = None if results is None else output_file.check(results, "ledger")
    if report_file is not None and str(report_file) != STDOUT:
        report_file = output_file.check(report_file, "report")
    return results, report_file


def _run(options: RunOptions, report: _Report, more: Sequence[str]) -> int:
    results = options.results
    before = None if results is None else _get_write_time(results)
    code = launch.run(launch.command(options, [index.tests_folder()], *more))
    if code < 0:
        _tell_lost(code)
        code = ExitCode.INCOMPLETE
    if results is None or _get_write_time(results) == before:
        # The run ended before its first test, so an older ledger of this name is kept.
        return code
    if report.path is not None:
        write_report(read_files([results]), report.path, report.kind, options.claim)
    if report.github:
        tell_github([ledger.read(results)])
    # An implementation that ends or breaks the only process can choose the exit code, but not the ledger.
    if code in {ExitCode.CONFORMANT, ExitCode.NOT_CONFORMANT}:
        written = ledger.read(results)
        decided = {row.id for row in written.claims if row.decided}
        if not decided.issuperset(options.claim or list_expected(written, specification())):
            _tell_lost(code)
        found = verdict(written, specification(), options.claim).code
        return found if found != ExitCode.CONFORMANT else code
    return code


def _tell_lost(code: int) -> None:
    lost = f"the only process of the run ended before its last claim: {describe_end(code)}"
    print(f"{lost}. With `-n 1` or more, only one claim would be lost", file=sys.stderr)


def _get_write_time(path: Path) -> int:
    """Return when a file was written, in nanoseconds, and 0 if it does not exist."""
    return path.stat().st_mtime_ns if path.exists() else 0
