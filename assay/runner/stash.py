"""What the hooks and the fixtures of a run share: kept by pytest with its configuration and with each test."""

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
        AdapterError: It cannot be started.
        TimeLimitError: It takes too long.

    """
    if implementation_key not in config.stash:
        config.stash[implementation_key] = config.stash[run_key].start(_threads(config))
        # What a framework is made of stays to the end: the garbage collector need not look through it again and again.
        gc.freeze()
    return config.stash[implementation_key]


def _threads(config: pytest.Config) -> int | None:
    """Return how many threads an implementation may work with in this process: as asked, or its share of the cores.

    Threads wait for each other by turning: more of them than cores are many times as slow as one.
    """
    if (asked := config.stash[run_key].threads) is not None or not hasattr(config, "workerinput"):
        return asked
    return max(1, available_cores() // int(config.workerinput["workercount"]))
