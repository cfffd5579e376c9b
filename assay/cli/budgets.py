"""Check of a run's time against the budget of its profile: `python -m assay.cli.budgets LEDGER`.

Wall-clock time cannot distinguish a slow suite from a busy machine. Processor time can: on two cores, a run takes at
least half of it, even on an idle machine. It varies too, as machines share memory and caches with others: for core of
one commit it was 195 to 303 s on one machine within an hour. A run is certainly too slow if it used more than MARGIN
times the budget of both cores. A run that finished in time is not too slow. Other runs are only
reported.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import PATH
from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger import ledger as ledgers
from assay.ledger.ledger import Ledger
from assay.ledger.verdict import is_complete
from assay.specification.claims import specification
from assay.specification.profiles import CORES, SECONDS

# Processor time of one commit varied by a factor of 303 / 195 = 1.55, and other machines may be slower.
MARGIN = 2.0


def judge(ledger: Ledger) -> tuple[str, ExitCode]:
    """Compare the time of a run with the budget of its profile.

    Args:
        ledger: Ledger of a run.

    Returns:
        The result as text, and the exit code: 1 for a run that is too slow.

    Raises:
        UserError: The ledger is not from a complete run of a whole profile.

    """
    if ledger.time is None or ledger.shard is not None or not is_complete(ledger, specification()):
        msg = "the ledger is not that of a whole run"
        raise UserError(ErrorKind.INCOMPLETE_LEDGER, msg, "Run the whole profile, in one go")
    budget, time = SECONDS[ledger.profile], ledger.time
    least = time.processor / CORES
    said = (
        f"{ledger.profile}: {time.wall:.1f} s, budget {budget:.0f} s; at least {least:.1f} s on {CORES} cores,"
        f" by a processor time of {time.processor:.1f} s"
    )
    if least > MARGIN * budget:
        return f"{said}: too slow", ExitCode.NOT_CONFORMANT
    if time.wall > budget:
        return f"{said}: the machine had other work, or the processes waited for each other", ExitCode.CONFORMANT
    return f"{said}: within the budget", ExitCode.CONFORMANT


@click.command(cls=Command, help="Compare the time of a run with its budget.")
@click.argument("ledger", type=PATH)
def main(ledger: Path) -> int:
    """Run the command."""
    said, code = judge(ledgers.read(ledger))
    print(said)
    return code


if __name__ == "__main__":
    sys.exit(execute(main, "python -m assay.cli.budgets"))
