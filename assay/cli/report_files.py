"""Reading of the input files of reports, and writing of reports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ErrorKind, UserError
from assay.files import output_file
from assay.ledger import ledger
from assay.ledger.ledger import Ledger
from assay.specification import index
from assay.specification.claims import specification

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.reports.passages import Passages
    from assay.survey.summary import Survey

# Name for standard output.
STDOUT = "-"
FORMATS = {".html": "html", ".md": "md", ".xml": "xml"}


def format_of(path: Path, chosen: str | None) -> str:
    """Return the format of a report: the chosen one, or that of the suffix.

    Raises:
        UserError: No format is chosen, and the suffix is unknown.

    """
    if found := chosen or FORMATS.get(path.suffix):
        return found
    msg = f"the name of the report, {str(path)!r}, ends neither with .html nor with .md nor with .xml"
    raise UserError(ErrorKind.UNSUITABLE_FORMAT, msg, "Choose another name or a --format")


def tell_github(ledgers: Sequence[Ledger]) -> None:
    """Print annotations for GitHub Actions, and add a report to the summary of the job."""
    from assay.reports import github  # noqa: PLC0415 - only needed here

    for line in github.annotate(ledgers):
        print(line)
    github.add_summary(ledgers)


@dataclass(frozen=True)
class Files:
    """The contents of a report's input files, with the paths of benchmarks and surveys."""

    benchmarks: Sequence[Path]
    runs: Sequence[Run]
    of_surveys: Sequence[Path]
    surveys: Sequence[Survey]
    ledgers: Sequence[Ledger]


def read_files(files: Sequence[Path]) -> Files:
    """Read ledgers, benchmarks and surveys."""
    from assay.bench import results  # noqa: PLC0415 - only needed for reports
    from assay.survey import summary  # noqa: PLC0415

    benchmarks = [path for path in files if results.is_one(path)]
    runs = sorted((run for path in benchmarks for run in results.read(path)), key=lambda run: run.time)
    of_surveys = [path for path in files if summary.is_one(path)]
    surveys = [summary.read(path) for path in of_surveys]
    ledgers = [ledger.read(path) for path in files if path not in [*benchmarks, *of_surveys]]
    return Files(benchmarks, runs, of_surveys, surveys, ledgers)


def _passages(copy: Sequence[str] | None) -> Passages | None:
    from assay.reports.passages import Passages  # noqa: PLC0415 - only pages have them

    return None if copy is None else Passages(copy, specification())


def write_site(found: Files, folder: Path, copy: Sequence[str] | None) -> None:
    """Write a site: the report, and a page for each claim.

    Args:
        found: Contents of the input files.
        folder: Folder of the site.
        copy: Lines of the document, for showing passages; None without a copy.

    Raises:
        UserError: No ledger was given.

    """
    from assay.reports import site  # noqa: PLC0415 - loads matplotlib

    if not found.ledgers:
        msg = "a site needs a ledger, and none is given"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "`assay run NAME` writes one")
    pages = site.write(folder, found.ledgers, runs=found.runs, surveys=found.surveys, passages=_passages(copy))
    print(f"site: {folder / 'index.html'} ({pages} pages)")


def write_badge(found: Files, path: Path) -> None:
    """Write a badge with the verdict on a ledger.

    Raises:
        UserError: There is not exactly one ledger.

    """
    from assay.reports import badge  # noqa: PLC0415 - only needed here

    if len(found.ledgers) != 1:
        msg = f"a badge shows one ledger, and {len(found.ledgers)} are given"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Call `assay report LEDGER --badge FILE` for each")
    output_file.write(path, badge.render(found.ledgers[0]), "badge")
    print(f"badge: {path}")


def write_report(
    found: Files,
    output: Path,
    chosen: str | None = None,
    claims: Collection[str] = (),
    copy: Sequence[str] | None = None,
) -> None:
    """Write a report, or print it.

    Args:
        found: Contents of the input files.
        output: File to write, or `-` for standard output.
        chosen: Format; None for that of the file's suffix.
        claims: Ids of the claims to report in JUnit XML; empty for all.
        copy: Lines of the document, for showing passages in a page; None without a copy.

    Raises:
        UserError: The format cannot show the content.

    """
    kind = format_of(output, chosen)
    if copy is not None and kind != "html":
        msg = f"--document shows passages in a page, and {output} is not one"
        raise UserError(ErrorKind.UNSUITABLE_FORMAT, msg, "Name a file that ends in .html, or leave --document out")
    if found.surveys and kind != "html":
        msg = f"{found.of_surveys[0]} has the findings of a survey, which only a page shows"
        raise UserError(ErrorKind.UNSUITABLE_FORMAT, msg, "Name a file that ends in .html")
    if found.runs and kind == "xml":
        msg = f"{found.benchmarks[0]} has benchmarks, which JUnit XML cannot show"
        raise UserError(ErrorKind.UNSUITABLE_FORMAT, msg, "Name a file that ends in .html or .md")
    match kind:
        case "md":
            from assay.reports import pull_request  # noqa: PLC0415 - the other formats load more

            text = pull_request.render(found.ledgers, runs=found.runs)
        case "xml":
            from assay.reports import junit  # noqa: PLC0415

            places = index.places(index.read(index.tests_folder()))
            text = junit.render(found.ledgers, places=places, only=claims)
        case _:
            from assay.reports import html as report_page  # noqa: PLC0415 - loads matplotlib

            text = report_page.render(found.ledgers, runs=found.runs, surveys=found.surveys, passages=_passages(copy))
    if str(output) == STDOUT:
        print(text)
        return
    output_file.write(output, text, "report")
    print(f"report: {output}")
