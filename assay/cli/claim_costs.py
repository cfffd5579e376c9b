"""Update of the costs of claims from a core or full run of the reference: `python -m assay.cli.claim_costs LEDGER`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import PATH
from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import json_file
from assay.ledger import ledger as ledgers
from assay.ledger.ledger import Ledger
from assay.ledger.verdict import is_complete
from assay.specification import index
from assay.specification.claims import specification
from assay.specification.index import ExecutableClaim
from assay.specification.profiles import MEASURED_FOR
from assay.specification.shards import COSTS


def measure(ledger: Ledger, tests: Iterable[ExecutableClaim]) -> dict[str, float]:
    """Return the cost of each claim of a ledger, in seconds.

    Args:
        ledger: Ledger of a run.
        tests: Tests of the claims. The time of a test that decides several claims is divided among them.

    """
    sizes: dict[str, list[int]] = defaultdict(list)
    for test in tests:
        for id_ in test.claims:
            sizes[id_].append(len(test.claims))
    return {
        id_: round(row.seconds * len(sizes[id_]) / sum(sizes[id_]), 4)
        for id_, row in ledger.rows.items()
        if id_ in sizes
    }


def update(path: Path) -> None:
    """Store the costs of a ledger.

    Raises:
        UserError: The ledger does not have all claims of core or full, or not all of them hold: a test that hits a
            limit does not have its normal cost.

    """
    ledger = ledgers.read(path)
    whole = ledger.shard is None and is_complete(ledger, specification()) and ledger.profile in MEASURED_FOR.values()
    if not whole or any(not row.outcome.conforms for row in ledger.claims):
        msg = f"{path} does not have the costs of all claims"
        raise UserError(
            ErrorKind.INCOMPLETE_LEDGER, msg, "Run the whole core or full profile, with an implementation that conforms"
        )
    known = json.loads(COSTS.read_text(encoding="utf-8"))
    subject = ledger.implementation
    known[ledger.profile] = {
        "suite": ledger.suite,
        **{key: getattr(subject, key) for key in ("name", "version", "frameworks", "device")},
        "seconds": measure(ledger, index.read(index.tests_folder())),
    }
    json_file.write(COSTS, known, "file of costs")


@click.command(cls=Command, help="Store the costs of claims from a ledger.")
@click.argument("ledger", type=PATH)
def main(ledger: Path) -> int:
    """Run the command."""
    update(ledger)
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(execute(main, "python -m assay.cli.claim_costs"))
