"""How long the reference may take, and whether it did: `python -m assay.cli.budgets LEDGER`.

A clock on a wall does not tell a slow suite from a machine that had other work. The processor time of a run tells more:
on two cores a run takes at least half of it, however idle the machine is. It varies too, as machines share memory and
caches with others: core of one commit took 195 to 303 s of it on one machine within an hour. A run is too slow for
certain if it took more than MARGIN times the budget of both cores. A run that was over in time is not. The rest is
reported only.
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

# Processor time of one commit varied by a factor of 303 / 195 = 1.55, and another machine may be slower still.
MARGIN = 2.0


def judge(ledger: Ledger) -> tuple[str, ExitCode]:
    """Compare the time of a run with the budget of its profile.

    Args:
        ledger: Ledger of a run.

    Returns:
        What came of it, for people, and the exit code: 1 for a run that is too slow.

    Raises:
        UserError: It is not the ledger of a complete run of a whole profile.

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
    if least > MARGIN * budget:
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
