"""Comparison of two benchmark runs, for the terminal and for a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.bench.regression import Comparison
from assay.reports import markdown
from assay.reports.bench_tables import align

HEADER = ("step", "next to", "before", "now", "lowest by chance")


def as_text(comparison: Comparison) -> str:
    """Return the comparison for the terminal, the verdict last."""
    fallen = align([HEADER, *(change.cells for change in comparison.fallen)]) if comparison.fallen else []
    return "\n".join([*_remarks(comparison), *fallen, comparison.verdict])


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison for a pull request, the verdict first."""
    lines = [f"### Assay: {comparison.verdict}", ""]
    lines += [f"- {markdown.plain(remark)}" for remark in _remarks(comparison)]
    everything = markdown.table(HEADER, (change.cells for change in comparison.changes))
    if comparison.fallen:
        lines += ["", *markdown.table(HEADER, (change.cells for change in comparison.fallen))]
    return "\n".join([*lines, "", *markdown.details("all ratios", everything)])


def _remarks(comparison: Comparison) -> Iterator[str]:
    for what, (*before, run) in (("OLD", comparison.old), ("NEW", [comparison.new])):
        others = f", and {len(before)} before it" if before else ""
        yield f"{what}: {run.subject} and {', '.join(run.peers)}, {run.time}{others}, {run.machine['processor']}"
    for name, old in comparison.old[-1].implementations.items():
        new = comparison.new.implementations.get(name, old)
        if old["frameworks"] != new["frameworks"]:
            yield f"{name} runs on other versions: {_versions(old)} before, {_versions(new)} now"


def _versions(implementation: dict[str, Any]) -> str:
    return ", ".join(f"{package} {version}" for package, version in implementation["frameworks"].items())
