"""The report as Markdown: short enough for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.ledger.verdict import Column, described, side_by_side
from assay.reports.markdown import LONGEST_REASON, MOST_DETAILS, block, code, cut, details, plain, table
from assay.specification import claims

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.specification.claims import Specification


def render(
    ledgers: Sequence[Mapping[str, Any]], specification: Specification | None = None, runs: Sequence[Run] = ()
) -> str:
    """Return the summaries of ledgers, one below the other, and the tables of the last run of benchmarks.

    Args:
        ledgers: as `assay.ledger.ledger.read` returns them.
        specification: what the ledgers are about; the one that comes with the suite unless given.
        runs: of benchmarks, the last one last.

    """
    spec = specification or claims.specification()
    lines = [line for column in side_by_side(ledgers, spec) for line in _summary(column, spec)]
    if runs:
        from assay.reports import bench_tables  # noqa: PLC0415 - of ledgers alone a report loads nothing of benchmarks

        lines.append(bench_tables.as_markdown(runs[-1]))
    return "\n".join(lines)


def explained(rows: Sequence[Mapping[str, Any]], spec: Specification) -> Iterator[str]:
    """Explain rows that are no pass, each when it is asked for, in lines of Markdown."""
    for row in rows[:MOST_DETAILS]:
        claim = spec.claims.get(row["id"])
        statement = plain(f"{claim.statement} ({spec.place(claim)})") if claim else "Not in this specification."
        reason, replay = cut(row.get("reason", ""), LONGEST_REASON), row.get("replay", "")
        yield from details(
            f"{code(row['id'])} {row['outcome']}: {statement}",
            [block(reason), *(["", "Replay:", "", block(replay)] if replay else [])],
        )
    if len(rows) > MOST_DETAILS:
        yield from (f"And {len(rows) - MOST_DETAILS} more, which the ledger has.", "")


def _summary(column: Column, spec: Specification) -> Iterator[str]:
    verdict = column.verdict
    yield from (f"### Assay: {plain(column.name)} is {verdict.word.lower()}", "")
    score = f"{column.passed} of {len(column.expected)} claims pass"
    yield from (f"{code(described(column.content))}: {score}. {verdict.why}", "")
    for remark in column.remarks:
        yield from (plain(remark), "")
    states = [*column.counts]
    yield from table(["section", *states], _sections(column, states, spec))
    yield ""
    yield from explained([column.rows[id_] for id_ in column.expected if column.cell(id_).against], spec)
    if given := [[code(id_), ", ".join(map(code, results))] for id_, results in _results(column)]:
        summary = f"What it does where the document decides nothing: {len(given)} claims"
        yield from details(summary, table(["claim", "allowed result"], given))


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
    if strangers := column.count([id_ for id_ in column.expected if id_ not in known]):
        yield ["claims unknown to this specification", *(str(strangers.get(state, "")) for state in states)]
