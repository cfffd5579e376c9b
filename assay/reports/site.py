"""The report as a site: its first page, a page for each claim, the document by line, a badge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay import __version__
from assay.files import output_file
from assay.ledger.ledger import Ledger
from assay.reports import badge, html, page
from assay.reports import entries as layout
from assay.reports.columns import side_by_side
from assay.reports.derivation import derive
from assay.specification import claims, document, index

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.reports.entries import Entry
    from assay.reports.passages import Passages
    from assay.specification.claims import Specification
    from assay.survey.summary import Survey


def write(
    folder: Path,
    ledgers: Sequence[Ledger],
    specification: Specification | None = None,
    runs: Sequence[Run] = (),
    surveys: Sequence[Survey] = (),
    passages: Passages | None = None,
) -> int:
    """Write a site, and return the number of its pages.

    Args:
        folder: Folder of the site, created if missing. Files of the same name are replaced, others stay.
        ledgers: Ledgers of runs, one column each.
        specification: Specification of the ledgers (default: the suite's).
        runs: Runs of benchmarks, latest last.
        surveys: Findings of surveys.
        passages: The document; None without a copy.

    Raises:
        UserError: The folder or a file in it cannot be written.

    """
    spec = specification or claims.specification()
    (folder / "claims").mkdir(parents=True, exist_ok=True)
    written = 0
    for name, text in _pages(ledgers, spec, runs, surveys, passages):
        output_file.write(folder / name, text, "page")
        written += name.endswith(".html")
    return written


def _pages(
    ledgers: Sequence[Ledger],
    spec: Specification,
    runs: Sequence[Run],
    surveys: Sequence[Survey],
    passages: Passages | None,
) -> Iterator[tuple[str, str]]:
    yield "assay.css", (page.HERE / "page.css").read_text(encoding="utf-8")
    yield "index.html", html.render(ledgers, spec, runs, surveys, passages, site=True)
    if len(ledgers) == 1:
        yield "badge.svg", badge.render(ledgers[0], spec)
    entries = _entries(ledgers, spec)
    if passages is not None:
        yield (
            "document.html",
            page.template("document.html.jinja").render(
                passages=passages,
                shown={entry.id for entry in entries},
                linked="",
                suite=__version__,
                document=spec.document,
            ),
        )
    template = page.template("claim.html.jinja")
    tests = index.read(index.tests_folder())
    headings = document.identity().headings
    for before, entry, after in zip([None, *entries], entries, [*entries[1:], None], strict=False):
        if entry.claim is not None:
            yield (
                f"claims/{entry.id}.html",
                template.render(
                    entry=entry,
                    claim=entry.claim,
                    heading=headings.get(entry.claim.section, ""),
                    derivation=derive(entry.claim, tests),
                    ledgers=list(zip(entry.cells, ledgers, strict=True)),
                    before=before,
                    after=after,
                    passages=passages,
                    linked="../",
                    suite=__version__,
                    document=spec.document,
                ),
            )


def _entries(ledgers: Sequence[Ledger], spec: Specification) -> list[Entry]:
    columns = side_by_side(ledgers, spec)
    entries = [entry for chapter in layout.chapters(columns, spec) for entry in chapter.entries]
    layout.exhibits(columns, entries, spec)
    return entries
