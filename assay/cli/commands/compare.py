"""`assay compare`: what changed, and whether any of it is a regression."""

from __future__ import annotations

from pathlib import Path

import click

from assay.bench import results
from assay.cli.command import Command
from assay.cli.values import PATH
from assay.files import output_file
from assay.ledger import ledger
from assay.reports import compare as ledgers


@click.command(
    cls=Command,
    help="Show what changed between two ledgers or benchmarks. The exit code is 1 for a regression.\n\n"
    "OLD is the ledger from before, or the benchmarks, with all runs of the file. NEW is judged: a ledger, or the last"
    " run of benchmarks.",
)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("-o", "--output", type=PATH, metavar="FILE", help="File to write the comparison to, as Markdown, too.")
def compare(old: Path, new: Path, output: Path | None) -> int:
    """Compare two files."""
    if results.is_one(old) or results.is_one(new):
        from assay.bench import regression  # noqa: PLC0415 - loads SciPy
        from assay.reports import bench_comparison  # noqa: PLC0415 - only benchmarks need it

        ratios = regression.compare(results.read(old), results.read(new)[-1])
        if output is not None:
            output_file.write(output, bench_comparison.as_markdown(ratios), "comparison")
        print(bench_comparison.as_text(ratios))
        return ratios.code
    comparison = ledgers.compare(ledger.read(old), ledger.read(new))
    if output is not None:
        output_file.write(output, ledgers.as_markdown(comparison), "comparison")
    print(ledgers.as_text(comparison))
    return comparison.code
