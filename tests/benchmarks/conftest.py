"""How a benchmark is timed: by pytest-benchmark, and in turn with those of others where a scheduler has them all."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from assay.adapters.loading import load
from assay.bench.rounds import Rounds
from assay.bench.turn_channel import Alone, open_channel
from assay.bench.workloads import Prepare, Work
from assay.contract import Implementation
from assay.datasets.data import AbsentError
from assay.runner import failure
from assay.runner.stash import run_key

turns_key = pytest.StashKey[Alone]()


def pytest_configure(config: pytest.Config) -> None:
    """Hear of the scheduler, if there is one."""
    config.stash[turns_key] = open_channel()


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Implementation:
    """Return the implementation, started: without the guard that stands before it elsewhere and would cost time."""
    run = request.config.stash[run_key]
    implementation = load(run.implementation, Path(run.folder))
    request.config.stash[turns_key].tell(device=str(implementation.start(run.device)))
    return implementation


@pytest.fixture(scope="session")
def prepare(subject: Implementation) -> Callable[[Work], Prepare]:
    """Return a function that makes a work ready, once for its call and its loop."""
    prepares: dict[str, Prepare] = {}

    def prepare(work: Work) -> Prepare:
        if work.name not in prepares:
            prepares[work.name] = work.prepare(subject)
        return prepares[work.name]

    return prepare


@pytest.fixture
def time_rounds(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> Callable[..., None]:
    """Return a function that times a work in rounds, each in its turn and on inputs of its own."""
    options, name = request.config.option, request.node.callspec.id

    def time_rounds(make: Callable[[], Prepare], *, loop: bool) -> None:
        rounds = Rounds(name, request.config.stash[turns_key], lambda: benchmark.stats.stats.data[-1])
        rounds.warm_up(make, float(options.benchmark_max_time) if loop else None)
        benchmark.extra_info |= {"steps": rounds.count, "first": rounds.first}
        benchmark.pedantic(
            rounds.target, setup=rounds.setup, teardown=rounds.teardown, rounds=options.benchmark_min_rounds
        )

    return time_rounds


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip what needs a data set that is nowhere."""
    try:
        return (yield)
    except AbsentError as error:
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the scheduler what ends without a result, and why."""
    report = yield
    if call.excinfo is not None:
        outcome = "skipped" if report.skipped else failure.outcome_of(call.excinfo.value).value
        item.config.stash[turns_key].tell(
            ended=item.callspec.id, outcome=outcome, reason=failure.reason(call.excinfo.value)
        )
    return report
