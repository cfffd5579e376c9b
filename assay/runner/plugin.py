"""The pytest plugin: what is collected, and how a test of a claim is run and judged. The keeper does the books."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.core import decode_failure

from assay.adapters import loading
from assay.adapters.protocol.process import end_all
from assay.adapters.proxy import GroupProxy, ImplementationProxy
from assay.adapters.time_limit import limit
from assay.contract import GROUPS
from assay.datasets import data
from assay.errors import UserError
from assay.ledger import expectations
from assay.ledger.outcomes import Outcome
from assay.runner import failure
from assay.runner.cases import CaseCounter
from assay.runner.compute_once import compute_once as once_in
from assay.runner.recorder import Recorder
from assay.runner.run import Run
from assay.spec.error_bounds.precision import GRADES, set_precision
from assay.specification import index, shards
from assay.specification.claims import Claim, specification
from assay.specification.profiles import CLAIM_SECONDS, EXAMPLES, PROFILES
from assay.testing.permitted import Results

DEFAULT_IMPLEMENTATION = "reference"

run_key = pytest.StashKey[Run]()
implementation_key = pytest.StashKey[ImplementationProxy]()
seconds_key = pytest.StashKey[float]()
evidence_key = pytest.StashKey[dict[str, Any]]()
results_key = pytest.StashKey[Results]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    group = parser.getgroup("assay", "Assay: put an implementation to the claims")
    group.addoption(
        "--implementation",
        metavar="NAME",
        help="package.module[:attribute], an entry point, or the .toml file of a peer; naming one leaves the suite's"
        f" own tests out (default: {DEFAULT_IMPLEMENTATION})",
    )
    group.addoption("--profile", default="core", metavar="NAME", help="smoke, core or full (default: core)")
    group.addoption("--shard", metavar="I/N", help="run the I-th of N parts of the profile, about equally long")
    group.addoption("--results", type=Path, metavar="FILE", help="write the ledger to this file")
    group.addoption("--seed", default="0", help="of everything drawn: a number, or `random` (default: 0)")
    group.addoption("--device", default="cpu", choices=("cpu", "gpu"), help="where to run (default: cpu)")
    held = "the format that factors of products may be rounded to (default: float32)"
    group.addoption("--grade", default="float32", choices=tuple(GRADES), help=held)
    group.addoption("--claim", action="append", default=[], metavar="ID", help="run this claim alone; repeatable")
    group.addoption("--replay", metavar="CODE", help="with --claim: run the one case that a failure named")
    known = "the failures that are known, in TOML; repeatable"
    group.addoption("--expectations", type=Path, action="append", default=[], metavar="FILE", help=known)
    needed = "fail unless the implementation declares this group; repeatable; `all` stands for every group"
    group.addoption("--require", action="append", default=[], metavar="GROUP", help=needed)
    group.addoption("--no-fetch", action="store_true", help="look for data sets on this machine only")
    group.addoption("--claim-timeout", type=float, metavar="SECONDS", help="limit for each test of a claim")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the specification and the implementation's description; a worker takes over what its run has."""
    config.addinivalue_line("markers", "claim(*ids): the claims that the test decides")
    if hasattr(config, "workerinput"):
        run = Run.from_dict(config.workerinput["assay"])
    else:
        tests = index.read(index.tests_folder())
        try:
            run = _new_run(config, tests)
        except UserError as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(Recorder(config, run, tests), "assay-keeper")
        # The workers share the cores. NumPy's own threads, one for each core in each worker, would wait for each other,
        # and make a definition up to six times as slow.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        _join_words(config)
    config.stash[run_key] = run
    config.pluginmanager.register(CaseCounter(run.cases), "assay-cases")
    set_precision(run.grade)
    # Nothing of a run is kept, and nothing is left in the folder that it was started from.
    set_hypothesis_home_dir(run.folder)
    config.option.benchmark_storage = f"file://{run.folder}/benchmarks"
    hypothesis.settings.register_profile(
        "assay",
        max_examples=EXAMPLES[run.profile],
        deadline=None,
        database=None,
        # Hypothesis has other defaults in a CI; a run is the same everywhere, and its seed decides what is drawn.
        derandomize=False,
        print_blob=True,
        report_multiple_bugs=False,
        # A failure shows actual and expected; which parts of the input do not matter takes long to find out.
        phases=set(hypothesis.Phase) - {hypothesis.Phase.explain},
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("assay")
    # A crash is an outcome, however many there are: xdist gives up after four for each worker unless told.
    if config.getoption("maxworkerrestart", None) is None:
        config.option.maxworkerrestart = str(len(specification().claims))


def _join_words(config: pytest.Config) -> None:
    """Make one word of an option and its file, for the workers.

    They read the command line before they know the options of this plugin, and take a file that is there for tests to
    collect. If it is far away from these, they look for their configuration there, find none, and end.
    """
    words: list[str] = []
    for word in map(str, config.invocation_params.args):
        if words and words[-1] in {"--results", "--expectations"}:
            words[-1] += f"={word}"
        else:
            words.append(word)
    config.invocation_params = dataclasses.replace(config.invocation_params, args=tuple(words))


def _new_run(config: pytest.Config, tests: tuple[index.ExecutableClaim, ...]) -> Run:
    profile = config.getoption("profile")
    if profile not in PROFILES:
        msg = f"there is no profile {profile!r}"
        raise UserError(msg, f"Profiles: {', '.join(PROFILES)}")
    claims = tuple(specification().claim(id_).id for id_ in config.getoption("claim"))
    shard = shards.parse(config.getoption("shard")) if config.getoption("shard") is not None else None
    if shard and claims:
        msg = "--shard and --claim both say what to run"
        raise UserError(msg, "Leave one of them out")
    if config.getoption("replay") and not claims:
        msg = "--replay names a case, but not of which claim"
        raise UserError(msg, "Add --claim ID")
    _check_replay(config.getoption("replay"))
    seconds = config.getoption("claim_timeout")
    if seconds is not None and not seconds > 0:
        msg = f"--claim-timeout {seconds:g} leaves no time at all"
        raise UserError(msg)
    index.check(specification(), tests)
    held = tuple(specification().of_profile(profile))
    if shard:
        held = shards.claims_of(shard, held, tests, shards.costs(profile))
    expected = expectations.read(*config.getoption("expectations"))
    name = config.getoption("implementation") or DEFAULT_IMPLEMENTATION
    description = None
    if not any(config.getoption(name, default=False) for name in ("collectonly", "help", "version")):
        description = loading.probe(name)
        expectations.check(expected, description.groups)
        if not config.getoption("no_fetch"):
            _fetch_data()
    return Run(
        implementation=name,
        description=description,
        profile=profile,
        seed=_seed(config.getoption("seed")),
        device=config.getoption("device"),
        grade=config.getoption("grade"),
        shard=shard,
        held=held,
        claims=claims,
        claim_seconds=seconds or CLAIM_SECONDS[profile],
        expectations=expected,
        folder=tempfile.mkdtemp(prefix="assay-run-"),
        required=_required(config.getoption("require")),
    )


def _required(groups: Sequence[str]) -> tuple[str, ...]:
    if "all" in groups:
        return GROUPS
    if unknown := [group for group in groups if group not in GROUPS]:
        msg = f"--require {unknown[0]}: there is no such group"
        raise UserError(msg, f"Groups: {', '.join(GROUPS)}, or all")
    return tuple(dict.fromkeys(groups))


def _fetch_data() -> None:
    """Get MNIST and the text ready before the tests' time runs, where the progress bar can be seen.

    Raises:
        UserError: the file that the user named is damaged.

    """
    # The claims that need them are skipped without them, with the reason.
    for get in (data.mnist, data.nietzsche):
        with contextlib.suppress(data.AbsentError):
            get()


def _check_replay(code: str | None) -> None:
    try:
        if code is not None:
            decode_failure(code.encode())
    except hypothesis.errors.InvalidArgument:
        msg = f"--replay {code!r} is not the code of a case"
        raise UserError(msg, "Copy it whole from the failure") from None


def _seed(text: str) -> int:
    if text == "random":
        return random.SystemRandom().randrange(2**31)
    if not text.isdecimal():
        msg = f"--seed {text!r} is neither a whole number from 0 on nor `random`"
        raise UserError(msg)
    return int(text)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist publishes no type for it
    """Hand the run over to a worker."""
    node.workerinput["assay"] = node.config.stash[run_key].as_dict()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End a peer, and remove what the processes of the run shared, with the peers that outlived their workers."""
    if started := config.stash.get(implementation_key, None):
        started.stop()
        # The process ends. To look for garbage in it, as pytest and Python do at the end, would take seconds.
        gc.freeze()
    if run_key in config.stash and not hasattr(config, "workerinput"):
        folder = Path(config.stash[run_key].folder)
        end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what says nothing of claims: benchmarks, unless they are asked for, and tests of the suite itself.

    These run where no implementation is named.
    """
    # In a checkout the folder can be reached by two paths: `tests` and the link `assay/tests`.
    folder, collection_path = index.tests_folder().resolve(), collection_path.resolve()
    if collection_path == folder / "benchmarks":
        asked = (Path(word.partition("::")[0]).resolve() for word in config.args)
        return None if any(path.is_relative_to(collection_path) for path in asked) else True
    named = config.getoption("implementation") is not None
    return True if named and collection_path == folder / "suite" else None


def claims_of(item: pytest.Item) -> list[Claim]:
    """Return the claims that a test names."""
    claims = specification().claims
    return [claims[id_] for mark in item.iter_markers("claim") for id_ in mark.args]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the profile, of the shard, or of the claims asked for, and seed them."""
    run = config.stash[run_key]
    held = set(run.claims or run.held)
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        claims = {claim.id for claim in claims_of(item)}
        wanted = bool(claims & held) if claims else not run.claims
        (kept if wanted else left).append(item)
        function: Any = getattr(item, "obj", None)
        if claims and hypothesis.is_hypothesis_test(function):
            hypothesis.seed(run.seed)(function)
            if replay := config.getoption("replay"):
                hypothesis.reproduce_failure(hypothesis.__version__, replay.encode())(function)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Do not try what the implementation does not declare, and give the rest its time."""
    item.stash[seconds_key], item.stash[evidence_key] = 0.0, {}
    run = item.config.stash[run_key]
    if absent := run.absent_groups(claims_of(item)):
        pytest.skip(f"the implementation does not declare the group {absent[0]}")
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Give the test of a claim its time and no more; a case that failed once and now holds is a pass."""
    try:
        return (yield from _limited(item))
    except hypothesis.errors.DidNotReproduce as error:
        if "completed successfully" not in str(error):
            raise
        return None


def _limited(item: pytest.Item) -> Generator[None, object, object]:
    if not claims_of(item):
        return (yield)
    run = item.config.stash[run_key]
    # Only a worker may be ended: the other tests of the only process would be lost with it.
    last_words = run.last_words(item.nodeid) if hasattr(item.config, "workerinput") else None
    with limit(run.claim_seconds, last_words):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what happened into a row for the ledger, and its traceback into words."""
    report = yield
    item.stash[seconds_key] += call.duration
    claims = claims_of(item)
    if not claims or (report.when != "call" and report.passed):
        return report
    run = item.config.stash[run_key]
    ids = [claim.id for claim in claims]
    row = {"outcome": Outcome.PASS, "seconds": item.stash[seconds_key], "evidence": item.stash[evidence_key]}
    if call.excinfo is not None:
        error = call.excinfo.value
        outcome = Outcome.UNSUPPORTED if run.absent_groups(claims) else failure.outcome_of(error)
        case = failure.blob(error) or item.config.getoption("replay") or ""
        why, replay = failure.reason(error), run.replay.command(ids, case)
        row |= {"outcome": outcome, "reason": why, "replay": replay}
        if report.failed and not item.config.getoption("fulltrace"):
            report.longrepr = failure.text(claims, outcome, why, replay)
            # What a framework says while it is loaded is no part of the failure.
            report.sections = [section for section in report.sections if not section[0].endswith("setup")]
        if report.failed and run.expects(ids, outcome):
            failure.mark_expected(report, why)
    elif results_key in item.stash:
        row["results"] = item.stash[results_key].seen
    # xdist carries the attributes of a report, as plain values, from a worker to the keeper.
    report.assay_row = row | {"outcome": row["outcome"].value}  # type: ignore[attr-defined]
    if started := item.config.stash.get(implementation_key, None):
        report.assay_device = started.device  # type: ignore[attr-defined]
    return report


def start(config: pytest.Config) -> ImplementationProxy:
    """Return the implementation under test, started once in this process.

    Raises:
        AdapterError: it cannot be started.
        TimeLimitError: it takes too long.

    """
    if implementation_key not in config.stash:
        config.stash[implementation_key] = config.stash[run_key].start()
        # What a framework is made of stays to the end: the garbage collector need not look through it again and again.
        gc.freeze()
    return config.stash[implementation_key]


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> ImplementationProxy:
    """Return the implementation under test, started in this process or from it."""
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
    """Return the document's loader and program of characters: see `assay.contract.Text`."""
    return implementation.group("text")


@pytest.fixture(scope="session")
def environments(implementation: ImplementationProxy) -> GroupProxy:
    """Return what an agent acts in: see `assay.contract.Environments`."""
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
    """Return the seed of the run, for what Hypothesis does not draw."""
    return request.config.stash[run_key].seed


@pytest.fixture(scope="session")
def compute_once(request: pytest.FixtureRequest) -> Callable[[str, Callable[[], Any]], Any]:
    """Return a function (name, work) that does the work once in the run, whichever process asks first."""
    folder = Path(request.config.stash[run_key].folder)
    return lambda name, work: once_in(folder, name, work)


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that puts what the test measured into the claim's row: `evidence(accuracy=...)`."""
    return request.node.stash[evidence_key].update


@pytest.fixture
def permitted(request: pytest.FixtureRequest) -> Results:
    """Return a function that records which of the permitted results is seen: see `assay.testing.permitted`."""
    (claim,) = claims_of(request.node)
    results = request.node.stash[results_key] = Results(claim)
    return results
