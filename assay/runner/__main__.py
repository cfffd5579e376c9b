"""The first process of a run: `python -m assay.runner`, which takes the arguments of pytest."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

import pytest

from assay.adapters import parentage
from assay.errors import ExitCode


def main() -> None:
    """Run the tests, and end at once: nothing that an implementation has left behind in this process is waited for."""
    # As if it were asked to end: it has to end its workers, and what they have started.
    parentage.end_with_parent(signal.SIGTERM)
    try:
        code = int(pytest.main(sys.argv[1:]))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough, and the ledger says the rest.
        code = int(ExitCode.USAGE)
    except OSError as error:
        # pytest writes what is wrong to standard output, which is what has failed here.
        _complain(f"assay: standard output cannot be written: {error.strerror}\n")
        code = int(ExitCode.USAGE)
    except BaseException:  # noqa: BLE001 - Python's own exit code for it, 1, would be a verdict
        _complain("assay: the process of the run broke, as an implementation can break the process that it is in\n")
        code = int(ExitCode.BROKEN)
    os._exit(code)


def _complain(message: str) -> None:
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(message)
        sys.stderr.flush()


if __name__ == "__main__":
    main()
