"""Entry point of a run's main process: `python -m assay.runner`, which takes pytest's arguments."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

import pytest

from assay.adapters import parentage
from assay.errors import ErrorKind, ExitCode, label


def main() -> None:
    """Run the tests, and exit at once, without waiting for anything that an implementation has left in this process."""
    # Handled like a request to end: the run must end its workers and their children.
    parentage.end_with_parent(signal.SIGTERM)
    try:
        code = int(pytest.main(sys.argv[1:]))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed the pipe. The ledger has the rest.
        code = int(ExitCode.USAGE)
    except OSError as error:
        # pytest reports errors on standard output, which is what has failed here.
        problem = f"standard output cannot be written: {error.strerror}"
        _complain(f"assay: {label(ErrorKind.UNWRITABLE_FILE, problem)}\n")
        code = int(ExitCode.USAGE)
    except BaseException:  # noqa: BLE001 - Python's exit code, 1, would be a verdict
        _complain("assay: the process of the run broke; an implementation can break the process that it runs in\n")
        code = int(ExitCode.BROKEN)
    os._exit(code)


def _complain(message: str) -> None:
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(message)
        sys.stderr.flush()


if __name__ == "__main__":
    main()
