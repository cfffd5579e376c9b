"""The pytest plugin: collection, execution and judgement of tests of claims. The recorder writes the ledger."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import functools
import gc
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from assay.adapters import interrupt, parentage
from assay.adapters.plain_text import plain
from assay.adapters.protocol.process import end_all
from assay.adapters.proxy import UnsupportedError
from assay.errors import UserError
from assay.runner import long_comparison
from assay.runner.cases import CaseCounter
from assay.runner.containment import close_streams, contain
from assay.runner.new_run import new_run
from assay.runner.options import RunOptions, add_options
from assay.runner.recorder import Recorder
from assay.runner.report_rows import attach_row
from assay.runner.run import Run
from assay.runner.stash import (
    claims_of,
    description_key,
    ended_worker_key,
    evidence_key,
    implementation_key,
    run_key,
    seconds_key,
    session_key,
    stack_key,
    unsupported_key,
)
from assay.spec.semantics.precision import set_precision
from assay.specification import index
from assay.specification.claims import specification
from assay.specification.profiles import EXAMPLES
from assay.testing import decisions, headroom
from assay.testing.seeds import set_first_seed

pytest_plugins = ["assay.runner.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    add_options(parser.getgroup("assay", "Assay: test an implementation for conformance").addoption)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the specification and the implementation's description; a worker receives both from its run."""
    config.addinivalue_line("markers", "claim(*ids): the claims that the test decides")
    if hasattr(config, "workerinput"):
        run = Run.from_dict(config.workerinput["assay"])
    else:
        run = _begin_run(config)
        _set_environment(config)
        _join_words(config)
    config.stash[run_key] = run
    config.pluginmanager.register(CaseCounter(run.shared.cases), "assay-cases")
    set_precision(run.precision)
    set_first_seed(run.seed)
    _configure_hypothesis(run)
    config.option.benchmark_storage = f"file://{run.folder}/benchmarks"
    # A crash is an outcome, however many occur. By default, xdist gives up after four per worker.
    if config.getoption("maxworkerrestart", None) is None:
        config.option.maxworkerrestart = str(len(specification().claims))


def _begin_run(config: pytest.Config) -> Run:
    """Read the options of the run, and register its recorder."""
    tests = index.read(index.tests_folder())
    try:
        options, known = RunOptions.from_namespace(config.option), config.stash.get(description_key, None)
        run = new_run(options, tests, collects_only=_collects_only(config), description=known)
        config.stash[run_key] = run
        recorder = Recorder(config, run, tests)
    except UserError as error:
        raise pytest.UsageError(error.describe()) from None
    config.pluginmanager.register(recorder, "assay-recorder")
    return recorder.run


def _collects_only(config: pytest.Config) -> bool:
    return any(config.getoption(name, default=False) for name in ("collectonly", "help", "version"))


def _set_environment(config: pytest.Config) -> None:
    """Set variables that speed up this process and its workers, unless the user has set them."""
    # The workers share the cores. If NumPy had one thread per core in each worker, they would wait for each other, and
    # definitions would be up to six times as slow.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # OpenMP threads spin while they wait, and so block the cores for the threads they wait for. Next to another busy
    # process, a step of PyTorch takes up to 36 times as long. A benchmark has the cores to itself.
    if not config.option.benchmark_enable:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # By default, glibc returns freed memory to the system at once and requests it again for the next array, which takes
    # a fifth of the time of a large network's training. These are the largest threshold, and one that is never reached.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(32 << 20))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(1 << 40))


def _configure_hypothesis(run: Run) -> None:
    """Make the seed of the run determine all draws, and store no files."""
    set_hypothesis_home_dir(run.folder)
    hypothesis.settings.register_profile(
        "assay",
        max_examples=EXAMPLES[run.profile],
        deadline=None,
        database=None,
        # Hypothesis has different defaults in CI, but a run must be the same everywhere.
        derandomize=False,
        print_blob=True,
        report_multiple_bugs=False,
        # A failure shows actual and expected values. Explaining which parts of the input matter takes too long.
        phases=set(hypothesis.Phase) - {hypothesis.Phase.explain},
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("assay")


def _join_words(config: pytest.Config) -> None:
    """Join an option and its file into one word, for the workers.

    Workers parse the command line before they know the options of this plugin, and take an existing file for tests to
    collect. If it is far from the tests, they look for their configuration there, find none, and exit.
    """
    words: list[str] = []
    for word in map(str, config.invocation_params.args):
        if words and words[-1] in {"--results", "--expectations"}:
            words[-1] += f"={word}"
        else:
            words.append(word)
    config.invocation_params = dataclasses.replace(config.invocation_params, args=tuple(words))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist publishes no type for it
    """Send the run to a worker."""
    node.workerinput["assay"] = node.config.stash[run_key].as_dict()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Make a worker end with the run, and dump its stack if a signal ends it."""
    config = session.config
    config.stash[session_key] = session
    if hasattr(config, "workerinput"):
        parentage.end_with_parent()
        run, worker = config.stash[run_key], config.workerinput["workerid"]
        run.shared.note_worker(worker)
        config.stash[stack_key] = run.shared.crash_stack(worker).open("w")
        faulthandler.enable(config.stash[stack_key])
    interrupt.watch()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the peers, including those that outlived their workers, and remove the shared folder of the run."""
    close_streams()
    if started := config.stash.get(implementation_key, None):
        started.stop()
        # The process is ending. The garbage collections of pytest and Python at exit would take seconds.
        gc.freeze()
    if run_key in config.stash and not hasattr(config, "workerinput"):
        folder = Path(config.stash[run_key].folder)
        end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if stack_key in config.stash:
        faulthandler.disable()
        config.stash[stack_key].close()
    if implementation_key in config.stash and not hasattr(config, "workerinput"):
        _leave(config)


def _leave(config: pytest.Config) -> None:
    """End the only process of a run if threads of the implementation would keep it alive."""
    left = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    # A program that called pytest must continue.
    if left and session_key in config.stash and Path(sys.argv[0]).stem in {"pytest", "__main__"}:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(int(config.stash[session_key].exitstatus))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore benchmarks unless they are requested, and tests of the suite itself if an implementation is named."""
    # In a checkout, the folder has two paths: `tests` and the link `assay/tests`.
    folder, collection_path = index.tests_folder().resolve(), collection_path.resolve()
    if collection_path == folder / "benchmarks":
        asked = (Path(word.partition("::")[0]).resolve() for word in config.args)
        return None if any(path.is_relative_to(collection_path) for path in asked) else True
    named = config.getoption("implementation") is not None
    return True if named and collection_path == folder / "suite" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the profile, the shard, or the requested claims, and seed them."""
    run = config.stash[run_key]
    pending = run.pending
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        claims = {claim.id for claim in claims_of(item)}
        (kept if (claims & pending if claims else not run.claims) else left).append(item)
        function: Any = getattr(item, "obj", None)
        if claims and hypothesis.is_hypothesis_test(function):
            hypothesis.seed(run.seed)(function)
            if replay := config.getoption("replay"):
                hypothesis.reproduce_failure(hypothesis.__version__, replay.encode())(function)
            _note_cases(config, function)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def _note_cases(config: pytest.Config, function: Any) -> None:  # noqa: ANN401 - as Hypothesis makes it
    """Record the arguments of every case that Hypothesis tries, as a failure shows the last one."""
    test = getattr(function.hypothesis.inner_test, "assay_inner", function.hypothesis.inner_test)

    @functools.wraps(test)
    def noting(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - of any test
        started = config.stash.get(implementation_key, None)
        if started is None:
            return test(*args, **kwargs)
        started.calls.start_case(kwargs)
        try:
            return test(*args, **kwargs)
        except AssertionError:
            started.calls.note_failure()
            raise

    noting.assay_inner = test  # type: ignore[attr-defined]  # so that a later run in this process wraps the test itself
    function.hypothesis.inner_test = noting


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Skip tests that the implementation does not support, and limit the time of the others."""
    item.stash[seconds_key], item.stash[evidence_key] = 0.0, {}
    headroom.take()
    decisions.take()
    run = item.config.stash[run_key]
    item.stash[unsupported_key] = bool(reason := run.why_unsupported(claims_of(item)))
    if reason:
        pytest.skip(reason)
    try:
        return (yield from contain(item, draws=implementation_key not in item.config.stash))
    except UnsupportedError as error:
        _skip_unsupported(item, error)


def _skip_unsupported(item: pytest.Item, error: UnsupportedError) -> NoReturn:
    item.stash[unsupported_key] = True
    pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Limit the time of a test of a claim. A replayed case that no longer fails is a pass."""
    if started := item.config.stash.get(implementation_key, None):
        # Calls made by the fixtures of this test are kept.
        started.calls.case = getattr(item, "funcargs", {})
    try:
        return (yield from contain(item))
    except UnsupportedError as error:
        _skip_unsupported(item, error)
    except hypothesis.errors.DidNotReproduce as error:
        if "completed successfully" not in str(error):
            raise
        return None


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(op: str, left: object, right: object) -> None:
    """Explain a comparison of long values, for which pytest may need minutes.

    The explanation is raised as the failure itself, because pytest asks all plugins, and so itself, before it takes
    the first explanation.

    Raises:
        AssertionError: The values are long, with where they first differ.

    """
    lines = None
    # `repr` and `==` of items run code of the implementation.
    with contextlib.suppress(Exception):
        lines = long_comparison.explain(op, left, right)
    if lines:
        raise AssertionError("\n".join(lines))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Record which test a worker is running: if the test ends the worker, no other worker runs it again."""
    run = item.config.stash[run_key]
    note = run.shared.running(item.nodeid) if hasattr(item.config, "workerinput") else None
    item.stash[ended_worker_key] = note is not None and note.exists()
    try:
        return (yield)
    finally:
        if started := item.config.stash.get(implementation_key, None):
            # Release the calls of the test.
            started.calls.start_test()
        if note is not None and not item.stash[ended_worker_key]:
            note.unlink(missing_ok=True)


@pytest.hookimpl(specname="pytest_runtest_protocol", tryfirst=True)
def pytest_leave_out_what_ended_a_worker(item: pytest.Item) -> bool | None:
    """Skip a test that has ended a worker; schedulers that keep a file together would run it again."""
    return True if item.stash[ended_worker_key] else None


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Convert a warning into plain text: to show a custom class, the main process would import that class."""
    message = warning_message.message
    builtin = next(kind for kind in warning_message.category.__mro__ if kind.__module__ == "builtins")
    text = plain(message)
    if builtin is not warning_message.category:
        text = f"{plain(warning_message.category.__name__)}: {text}"
    warning_message.category, warning_message.message = builtin, builtin(text)
    warning_message.filename, warning_message.line = plain(warning_message.filename), None
    warning_message.source = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the row for the ledger to the report of the phase that decides the outcome."""
    report = yield
    item.stash[seconds_key] += call.duration
    if claims_of(item) and (report.when == "call" or not report.passed):
        attach_row(item, call, report)
    return report
