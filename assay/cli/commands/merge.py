"""`assay merge`: merge the ledgers of shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.values import PATH
from assay.ledger import ledger
from assay.ledger.merge import merge as merge_ledgers
from assay.ledger.verdict import verdict
from assay.specification.claims import specification


@click.command(cls=Command, help="Merge the ledgers of shards.")
@click.argument("ledgers", nargs=-1, required=True, type=PATH, metavar="LEDGER...")
@click.option("-o", "--output", type=PATH, required=True, metavar="FILE", help="File to write the whole ledger to.")
def merge(ledgers: Sequence[Path], output: Path) -> int:
    """Write the merged ledger, and print the verdict."""
    whole = merge_ledgers([(path, ledger.read(path)) for path in ledgers], specification())
    ledger.write(output, whole.ledger)
    found = verdict(whole.ledger, specification())
    name = whole.ledger.implementation.name
    print("\n".join([f"ledger: {output}", *whole.missing, f"{name}: {found.sentence}"]))
    return found.code
