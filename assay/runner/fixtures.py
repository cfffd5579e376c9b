"""Fixtures for tests of claims: the groups of the implementation, the seed, and the recording of results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assay.adapters.proxy import GroupProxy, ImplementationProxy
from assay.runner.compute_once import compute_once as once_in
from assay.runner.compute_once import outcome_of
from assay.runner.stash import claims_of, evidence_key, results_key, run_key, start, threads
from assay.testing.permitted import Results
from assay.testing.seeded_results import SEEDED


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> ImplementationProxy:
    """Return the implementation under test, started in this process or in a child of it."""
    return start(request.config)


@pytest.fixture(scope="session")
def ops(implementation: ImplementationProxy) -> GroupProxy:
    """Return single operations: see `assay.contract.Ops`."""
    return implementation.group("ops")


@pytest.fixture(scope="session")
def models(implementation: ImplementationProxy) -> GroupProxy:
    """Return the document's models: see `assay.contract.Models`."""
    return implementation.group("models")


@pytest.fixture(scope="session")
def training(implementation: ImplementationProxy) -> GroupProxy:
    """Return whole training runs: see `assay.contract.Training`."""
    return implementation.group("training")


@pytest.fixture(scope="session")
def datasets(implementation: ImplementationProxy) -> GroupProxy:
    """Return the document's data loader: see `assay.contract.Datasets`."""
    return implementation.group("datasets")


@pytest.fixture(scope="session")
def applications(implementation: ImplementationProxy) -> GroupProxy:
    """Return the predefined networks: see `assay.contract.Applications`."""
    return implementation.group("applications")


@pytest.fixture(scope="session")
def flowers(implementation: ImplementationProxy) -> GroupProxy:
    """Return the data set tf_flowers: see `assay.contract.Flowers`."""
    return implementation.group("flowers")


@pytest.fixture(scope="session")
def text(implementation: ImplementationProxy) -> GroupProxy:
    """Return the document's text loader and character-level program: see `assay.contract.Text`."""
    return implementation.group("text")


@pytest.fixture(scope="session")
def environments(implementation: ImplementationProxy) -> GroupProxy:
    """Return the environments of an agent: see `assay.contract.Environments`."""
    return implementation.group("environments")


@pytest.fixture(scope="session")
def agent(implementation: ImplementationProxy) -> GroupProxy:
    """Return deep Q-learning: see `assay.contract.Agent`."""
    return implementation.group("agent")


@pytest.fixture(scope="session")
def keras(implementation: ImplementationProxy) -> GroupProxy:
    """Return the Keras-shaped namespace: see `assay.contract.Keras`."""
    return implementation.group("keras")


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of the run, for draws outside Hypothesis."""
    return request.config.stash[run_key].seed


@pytest.fixture(scope="session")
def compute_once(request: pytest.FixtureRequest) -> Callable[[str, Callable[[], Any]], Any]:
    """Return a function (name, work) that does the work once per run, in the first process that asks."""
    folder = Path(request.config.stash[run_key].folder)
    return lambda name, work: once_in(folder, name, work)


@pytest.fixture(scope="session")
def results_elsewhere(request: pytest.FixtureRequest, compute_once: Callable[..., Any]) -> Callable[[str], Any]:
    """Return a function from a name in `SEEDED` to its results, or its failure, in a new process."""
    run, count = request.config.stash[run_key], threads(request.config)

    def compute_all() -> dict[str, Any]:
        other = run.start_elsewhere(count)
        try:
            return {
                name: outcome_of(partial(call, other.group(group), run.seed))
                for name, call in SEEDED.items()
                if (group := name.partition(".")[0]) in run.groups
            }
        finally:
            other.stop()

    def find(name: str) -> Any:  # noqa: ANN401 - results, or a failure
        return compute_once("results_elsewhere", compute_all)[name]

    return find


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that records measurements in the claim's row: `evidence(accuracy=...)`."""
    return request.node.stash[evidence_key].update


@pytest.fixture
def permitted(request: pytest.FixtureRequest) -> Results:
    """Return a function that records which permitted result is observed: see `assay.testing.permitted`."""
    (claim,) = claims_of(request.node)
    results = request.node.stash[results_key] = Results(claim)
    return results
