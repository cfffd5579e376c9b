"""`assay report`: a page, Markdown, JUnit XML, a site or a badge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.options import report_format
from assay.cli.report_files import format_of, read_files, tell_github, write_badge, write_report, write_site
from assay.cli.values import PATH
from assay.errors import ExitCode
from assay.specification import document as documents
from assay.specification.claims import specification


@click.command(
    cls=Command,
    help="Turn ledgers and benchmarks into a page, Markdown, JUnit XML, a site or a badge.\n\n"
    "FILE is a ledger, or what `assay bench` or `assay survey` wrote.",
)
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    help="Report: a name that ends in .html, in .md for a pull request, or in .xml for a CI system, or - to print it"
    " (default: assay-report.html).",
)
@report_format
@click.option(
    "--site",
    type=PATH,
    metavar="DIR",
    help="Folder for a site: the report, a page for each claim and, with --document, the document by line.",
)
@click.option(
    "--document",
    type=PATH,
    metavar="FILE",
    help="Copy of the document. The report shows the passage next to each claim, and the document by line.",
)
@click.option("--badge", type=PATH, metavar="FILE", help="Badge (SVG) with the verdict on the one ledger.")
def report(
    files: Sequence[Path],
    output: Path | None,
    kind: str | None,
    site: Path | None,
    document: Path | None,
    badge: Path | None,
    *,
    github: bool,
) -> int:
    """Write the requested reports."""
    if output is not None:
        format_of(output, kind)
    copy = documents.read(document, specification()) if document else None
    found = read_files(files)
    if output is None and site is None and badge is None:
        output = Path("assay-report.html")
    if output is not None:
        write_report(found, output, kind, copy=copy)
    if site is not None:
        write_site(found, site, copy)
    if badge is not None:
        write_badge(found, badge)
    if github:
        tell_github(found.ledgers)
    return ExitCode.CONFORMANT
