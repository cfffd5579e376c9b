"""Runs with many seeds in one process: `python -m assay.runner.repeat SEEDS FOLDER SECONDS ARGUMENTS_OF_PYTEST...`.

The implementation is loaded and started once. Each finished run leaves the ledger `SEED.json` in the folder.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from assay.adapters import parentage
from assay.adapters.loading import Description
from assay.adapters.protocol.implementation import SUFFIX
from assay.adapters.proxy import ImplementationProxy
from assay.errors import ExitCode
from assay.runner.stash import description_key, implementation_key, run_key

GOES_ON = {ExitCode.CONFORMANT, ExitCode.NOT_CONFORMANT, ExitCode.INCOMPLETE}


class _ImplementationCarrier:
    """A pytest plugin that passes the started implementation from one run to the next."""

    def __init__(self) -> None:
        self._started: ImplementationProxy | None = None
        self._description: Description | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        # This runs before the plugins are configured.
        if self._description is not None:
            config.stash[description_key] = self._description
        if self._started is not None:
            config.stash[implementation_key] = self._started

    @pytest.hookimpl(wrapper=True)
    def pytest_unconfigure(self, config: pytest.Config) -> Generator[None, None, None]:
        if (run := config.stash.get(run_key, None)) is not None:
            self._description = run.description
            # A run ends the processes of its peers, so each seed starts a new peer.
            if not (run.isolated or run.implementation.endswith(SUFFIX)):
                self._started = config.stash.get(implementation_key, None)
        if self._started is not None:
            del config.stash[implementation_key]
        yield


def main() -> None:
    """Run one or more seeds in sequence, until the time is up."""
    parentage.end_with_parent(signal.SIGTERM)
    seeds, folder, seconds, *words = sys.argv[1:]
    until, carrier = time.monotonic() + float(seconds), _ImplementationCarrier()
    for seed in seeds.split(","):
        # Under a temporary name until the run ends, so that a partial ledger is never taken for a complete one.
        partial = Path(folder) / f"{seed}.partial"
        code = pytest.main([*words, f"--seed={seed}", f"--results={partial}"], plugins=[carrier])
        if code not in GOES_ON or not partial.exists():
            break
        partial.rename(partial.with_suffix(".json"))
        if time.monotonic() > until:
            break
    sys.stdout.flush()
    # Do not wait for threads that an implementation has left running.
    os._exit(0)


if __name__ == "__main__":
    main()
