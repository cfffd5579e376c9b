"""Print the page of error rates: `python -m assay.cli.error_rates [--limits] [LEDGER...]`.

The decisions that ledgers show are stored first. They are those of any implementation that passes. With `--limits`, the
limits of all thresholds are computed again from their runs, as the level of a decision asks for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from assay.cli.parser import answered
from assay.errors import ExitCode
from assay.files import output
from assay.ledger import ledger
from assay.survey import error_rates


def main() -> int:
    """Store the decisions of ledgers, and print the page."""
    files = [word for word in sys.argv[1:] if word != "--limits"]
    if len(files) < len(sys.argv) - 1:
        error_rates.renew_limits()
    if files:
        known = error_rates.read() if error_rates.DECISIONS.exists() else {}
        found = error_rates.collect([ledger.read(Path(file)) for file in files], known)
        output.write(error_rates.DECISIONS, json.dumps(found, indent=1) + "\n", "list of decisions")
    print(error_rates.as_markdown(), end="")  # noqa: T201 - what the command says
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(answered("error_rates", main))
