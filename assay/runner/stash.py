"""State shared by the hooks and fixtures of a run, which pytest keeps with its configuration and each test."""

from __future__ import annotations

import gc
from typing import Any, TextIO

import pytest

from assay.adapters.loading import Description
from assay.adapters.proxy import ImplementationProxy
from assay.ledger.environment import available_cores
from assay.runner.run import Run
from assay.specification.claims import Claim, specification
from assay.testing.permitted import Results

description_key = pytest.StashKey[Description]()
run_key = pytest.StashKey[Run]()
implementation_key = pytest.StashKey[ImplementationProxy]()
session_key = pytest.StashKey[pytest.Session]()
unsupported_key = pytest.StashKey[bool]()
stack_key = pytest.StashKey[TextIO]()
ended_worker_key = pytest.StashKey[bool]()
seconds_key = pytest.StashKey[float]()
evidence_key = pytest.StashKey[dict[str, Any]]()
results_key = pytest.StashKey[Results]()


def claims_of(item: pytest.Item) -> list[Claim]:
    """Return the claims that a test names."""
    claims = specification().claims
    return [claims[id_] for mark in item.iter_markers("claim") for id_ in mark.args]


def start(config: pytest.Config) -> ImplementationProxy:
    """Return the implementation under test, started once in this process.

    Raises:
        AdapterError: The implementation cannot be started.
        TimeLimitError: The start takes too long.

    """
    if implementation_key not in config.stash:
        config.stash[implementation_key] = config.stash[run_key].start(threads(config))
        # The objects of a framework live to the end, so the garbage collector need not scan them repeatedly.
        gc.freeze()
    return config.stash[implementation_key]


def threads(config: pytest.Config) -> int | None:
    """Return the number of threads for an implementation in this process: as requested, or its share of the cores.

    Threads wait for each other by spinning, so more threads than cores are many times slower than a single thread.
    """
    if (asked := config.stash[run_key].threads) is not None or not hasattr(config, "workerinput"):
        return asked
    return max(1, available_cores() // int(config.workerinput["workercount"]))
