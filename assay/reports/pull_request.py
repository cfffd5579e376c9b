"""The report as Markdown: short enough for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assay.ledger.ledger import Ledger, Row
from assay.reports.columns import Column, side_by_side
from assay.reports.markdown import LONGEST_REASON, MOST_DETAILS, block, code, details, plain, table, truncate
from assay.specification import claims

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.specification.claims import Specification


def render(ledgers: Sequence[Ledger], specification: Specification | None = None, runs: Sequence[Run] = ()) -> str:
    """Return the summaries of ledgers, and the tables of the last benchmark run.

    Args:
        ledgers: Ledgers of runs.
        specification: Specification of the ledgers (default: the suite's).
        runs: Runs of benchmarks, latest last.

    """
    spec = specification or claims.specification()
    lines = [line for column in side_by_side(ledgers, spec) for line in _summary(column, spec)]
    if runs:
        from assay.reports import bench_tables  # noqa: PLC0415 - not needed for ledgers alone

        lines.append(bench_tables.as_markdown(runs[-1]))
    return "\n".join(lines)


def explain(rows: Sequence[Row], spec: Specification) -> Iterator[str]:
    """Yield lines of Markdown that explain rows that did not pass, each in a collapsible block."""
    for row in rows[:MOST_DETAILS]:
        claim = spec.claims.get(row.id)
        statement = plain(f"{claim.statement} ({spec.place(claim)})") if claim else "Not in this specification."
        reason, replay = truncate(row.reason, LONGEST_REASON), row.replay
        yield from details(
            f"{code(row.id)} {row.outcome.value}: {statement}",
            [block(reason), *(["", "Replay:", "", block(replay)] if replay else [])],
        )
    if len(rows) > MOST_DETAILS:
        yield from (f"And {len(rows) - MOST_DETAILS} more, which the ledger has.", "")


def _summary(column: Column, spec: Specification) -> Iterator[str]:
    verdict = column.verdict
    yield from (f"### Assay: {plain(column.name)}: {verdict.conformance.value}", "")
    yield from (f"{code(column.ledger.described)} {plain(verdict.sentence)}.", "")
    for remark in column.remarks:
        yield from (plain(remark), "")
    states = [*column.counts]
    yield from table(["section", *states], _sections(column, states, spec))
    yield ""
    yield from explain([column.rows[id_] for id_ in column.expected if column.cell(id_).counts_against], spec)
    if given := [[code(id_), ", ".join(map(code, results))] for id_, results in _results(column)]:
        summary = f"What it does where the document specifies nothing: {len(given)} claims"
        yield from details(summary, table(["claim", "permitted result"], given))


def _results(column: Column) -> Iterator[tuple[str, Sequence[str]]]:
    for id_ in column.expected:
        if results := column.cell(id_).results:
            yield id_, results


def _sections(column: Column, states: Sequence[str], spec: Specification) -> Iterator[list[str]]:
    known = {id_: claim.section for id_, claim in spec.claims.items()}
    for section in spec.sections:
        counts = column.count([id_ for id_ in column.expected if known.get(id_) == section.name])
        if counts:
            yield [plain(section.title), *(str(counts.get(state, "")) for state in states)]
    if unknown := column.count([id_ for id_ in column.expected if id_ not in known]):
        yield ["claims unknown to this specification", *(str(unknown.get(state, "")) for state in states)]
