"""The report as one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.ledger.ledger import Ledger
from assay.reports import entries as layout
from assay.reports import page
from assay.reports.columns import MEANINGS, side_by_side
from assay.specification import claims
from assay.survey.summary import MEANINGS as MEANINGS_OF_KINDS

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.reports.passages import Passages
    from assay.specification.claims import Specification
    from assay.survey.summary import Survey


def render(
    ledgers: Sequence[Ledger],
    specification: Specification | None = None,
    runs: Sequence[Run] = (),
    surveys: Sequence[Survey] = (),
    passages: Passages | None = None,
    *,
    site: bool = False,
) -> str:
    """Return the page, the same for the same ledgers, benchmarks and surveys.

    Args:
        ledgers: Ledgers of runs, one column each.
        specification: Specification of the ledgers (default: the suite's).
        runs: Runs of benchmarks, latest last.
        surveys: Findings of surveys.
        passages: The document; None without a copy.
        site: Whether the page is the first one of a site that has a page for each claim.

    """
    spec = specification or claims.specification()
    columns = side_by_side(ledgers, spec)
    chapters = layout.chapters(columns, spec)
    unknown = layout.unknown_claims(columns, spec)
    entries = [*(entry for chapter in chapters for entry in chapter.entries), *unknown]
    exhibits, notes = layout.exhibits(columns, entries, spec) if columns else ([], [])
    text: str = page.template("report.html.jinja").render(
        columns=columns,
        names=[column.name for column in columns],
        chapters=chapters,
        unknown=unknown,
        entries=entries,
        failures=[entry for entry in entries if entry.counts_against],
        most_in_brief=page.MOST_IN_BRIEF,
        gaps=layout.gaps(entries),
        speed=_speed(runs) if runs else None,
        surveys=surveys,
        kinds=MEANINGS_OF_KINDS,
        exhibits=exhibits,
        notes=notes,
        meanings=MEANINGS,
        passages=passages,
        site=site,
        suite=__version__,
        document=spec.document,
    )
    return text


def _speed(runs: Sequence[Run]) -> dict[str, Any]:
    from assay.reports import bench_chart, bench_tables  # noqa: PLC0415 - not needed for ledgers alone

    return {
        "last": runs[-1],
        "tables": bench_tables.for_page(runs[-1]),
        "pictures": bench_chart.pictures(runs),
        "starts": runs[-1].settings["starts"],
    }
