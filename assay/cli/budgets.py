"""How long the reference may take, and whether it did: `python -m assay.cli.budgets LEDGER`.

A clock on a wall does not tell a slow suite from a machine that had other work. What the processors did for a run tells
more: it can be done no faster than in its share for each of them, however idle the machine is. So a run that has more
of it than its budget holds for two of them is too slow for certain, and one that was over in time is not. What lies
between is said and held against nobody.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import PATH
from assay.errors import ExitCode, UserError
from assay.ledger import ledger as ledgers
from assay.ledger.ledger import Ledger
from assay.ledger.verdict import is_complete
from assay.specification.claims import specification
from assay.specification.profiles import CORES, SECONDS


def judge(ledger: Ledger) -> tuple[str, ExitCode]:
    """Compare the time of a run with the budget of its profile.

    Args:
        ledger: Ledger of a run.

    Returns:
        What came of it, for people, and the exit code: 1 for a run that is too slow.

    Raises:
        UserError: it is not the ledger of a complete run of a whole profile.

    """
    if ledger.time is None or ledger.shard is not None or not is_complete(ledger, specification()):
        msg = "the ledger is not that of a whole run"
        raise UserError(msg, "Run the whole profile, in one go")
    budget, time = SECONDS[ledger.profile], ledger.time
    least = time.processor / CORES
    said = (
        f"{ledger.profile}: {time.wall:.1f} s, of {budget:.0f}; on {CORES} cores not less than {least:.1f} s,"
        f" as processors worked for {time.processor:.1f}"
    )
    if least > budget:
        return f"{said}: too slow", ExitCode.NOT_CONFORMANT
    if time.wall > budget:
        return f"{said}: the machine had other work, or the processes waited for each other", ExitCode.CONFORMANT
    return f"{said}: within the budget", ExitCode.CONFORMANT


@click.command(cls=Command, help="Compare the time of a run with its budget.")
@click.argument("ledger", type=PATH)
def main(ledger: Path) -> int:
    """Carry out the command."""
    said, code = judge(ledgers.read(ledger))
    print(said)
    return code


if __name__ == "__main__":
    sys.exit(execute(main, "python -m assay.cli.budgets"))
