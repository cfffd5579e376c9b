"""The runner: whatever an implementation does, its row says what happened, and no other row is lost."""

from __future__ import annotations

import re
import shlex
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from assay import __version__
from assay.adapters import loading
from assay.adapters.proxy import AdapterError, ImplementationProxy
from assay.adapters.time_limit import TimeLimitError
from assay.errors import ErrorKind, ExitCode, UserError
from assay.runner.compute_once import compute_once
from assay.specification.index import tests_folder

from .conftest import read_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended, Shell

# One claim for each function of the toys, and one that they do not support.
GOOD = {
    "dense.affine": ("pass", ""),
    "dense.use-bias-default": ("unsupported", "the implementation does not declare the group keras"),
    "dense.relu": ("pass", ""),
    "dense.tanh": ("pass", ""),
    "dense.sigmoid": ("pass", ""),
    "dense.zeros": ("pass", ""),
    "dense.glorot-limit": ("pass", ""),
}
THESE = [part for id_ in GOOD for part in ("--claim", id_)]
# More processor time than any of these claims takes, and what may pass by the clock.
SECONDS = 2
CAP = f"{4 * SECONDS} s, 4 times its limit of {SECONDS} s (see --claim-timeout)"
NOT_A_NUMBER = "actual nan, expected 0.5 (off by nan, allowed 3.58e-07)"
NO_ARRAY = "where the contract asks for Array"

# What the recorder adds where it had to end a process.
ENDED = ", and its process had to be ended"


def instead(outcome: str, reason: str) -> dict[str, tuple[str, str]]:
    """Expect this of every claim that would pass."""
    return {id_: (outcome, reason) for id_, (good, _) in GOOD.items() if good == "pass"}


@pytest.fixture(autouse=True)
def toys_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the names of this folder's modules be names of implementations."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


# What an implementation does


@pytest.mark.parametrize(
    ("toy", "processes", "expected"),
    [
        pytest.param(
            "wrong_results",
            0,
            {
                "dense.relu": ("fail", "relu has dtype float64, expected float32"),
                "dense.tanh": ("fail", "tanh has shape [2, 1], expected [1, 2]"),
                "dense.sigmoid": (
                    "fail",
                    f"sigmoid: 2 of 2 elements differ, most at [0, 0]: {NOT_A_NUMBER}",
                ),
                "dense.zeros": ("error", f"ops.zeros returned builtins.NoneType, {NO_ARRAY}"),
                "dense.glorot-limit": ("fail", "the kernel has shape [], expected [784, 100]"),
            },
            id="wrong results",
        ),
        pytest.param(
            "wrong_manners",
            0,
            {
                "dense.relu": ("fail", "ops.relu changed an array that it was given"),
                "dense.tanh": ("error", f"ops.tanh returned doubles.badly_behaved.Tensor, {NO_ARRAY}"),
                "dense.zeros": ("error", "ops.zeros raised SystemExit: 3"),
                "dense.glorot-limit": ("error", "ops.glorot_uniform raised OSError: out of order"),
            },
            id="wrong manners",
        ),
        pytest.param(
            "missing_and_sleeping",
            0,
            {
                "dense.relu": ("fail", "the group ops is declared but has no relu(inputs: Array) -> Array"),
                "dense.affine": ("timeout", f"ops.dense: not finished after {CAP}"),
            },
            id="a function is missing, another one sleeps",
        ),
        pytest.param(
            "endings",
            1,
            {
                "dense.relu": ("crash", "the process of the implementation ended: signal 11 (Segmentation fault)"),
                "dense.tanh": (
                    "timeout",
                    f"not finished after {4 * SECONDS + 10} s (--claim-timeout {SECONDS}){ENDED}",
                ),
                "dense.sigmoid": ("timeout", f"ops.sigmoid: not finished after {CAP}"),
            },
            id="a crash, a hang and a sleep",
        ),
        pytest.param("start_leaves", 0, instead("error", "start() raised SystemExit: 3"), id="start leaves"),
        pytest.param(
            "start_sleeps",
            0,
            instead("timeout", f"start(): not finished after {CAP}"),
            id="start sleeps",
        ),
        pytest.param(
            "start_ends",
            1,
            instead("error", "start() ended another process of this run")
            | {"dense.affine": ("crash", "the process of the implementation ended in start(): exit status 0")},
            id="start ends the process",
        ),
    ],
)
def test_a_row_says_what_happened_and_the_other_rows_are_as_ever(
    toy: str, processes: int, expected: dict[str, tuple[str, str]], shell: Shell
) -> None:
    ended = shell.dense(toy, *THESE, "--claim-timeout", SECONDS, processes=processes)
    assert (ended.code, ended.rows) == (ExitCode.NOT_CONFORMANT, GOOD | expected)


@pytest.mark.parametrize(
    ("toy", "expected"),
    [
        ("start_raises", r"start\(\) .*OSError: out of order"),
        ("group_raises", r"group ops .*OSError: out of order"),
        ("group_is_missing", r"group ops .*AttributeError: "),
        ("skips", r"ops\.relu .*Skipped: I would rather not"),
        ("wrong_manners", r"ops\.glorot_uniform .*OSError: out of order"),
    ],
)
def test_what_an_implementation_raises_is_its_own_error(toy: str, expected: str) -> None:
    # The call, and the error of the implementation.
    with pytest.raises(AdapterError, match=expected):
        use_every_function(toy)


def test_two_answers_to_one_call_are_a_failure_that_shows_both(shell: Shell) -> None:
    ended = shell.dense("inconsistent", "--claim", "dense.affine")
    outcome, reason = ended.rows["dense.affine"]
    assert (outcome, reason.split(":")[0]) == ("fail", "dense with activation None")
    shown = re.search(
        r"^ +The same case held when it was tried again: .*\n +call: ops\.dense\(.*"
        r"^ +returned: (.*)^ +returned when it was called again: (.*)^ +replay: .* --claim dense\.affine$",
        ended.output,
        re.DOTALL | re.MULTILINE,
    )
    assert shown
    assert shown[1].split() != shown[2].split()


@pytest.mark.parametrize("processes", [0, 1])
def test_threads_of_openmp_wait_without_spinning(processes: int, shell: Shell) -> None:
    ended = shell.dense("start_tells_wait_policy", "--claim", "dense.zeros", processes=processes)
    assert ended.rows["dense.zeros"] == ("error", "start() raised OSError: PASSIVE")


def use_every_function(toy: str) -> None:
    """Start an implementation and call what may raise."""
    ops = ImplementationProxy(lambda: loading.load(f"doubles.badly_behaved:{toy}"), "cpu").group("ops")
    ops.relu(np.zeros(1, np.float32))
    ops.glorot_uniform((1, 1), 0)


# What the exit code says


def test_what_holds_is_conformant(shell: Shell) -> None:
    supported = [f"--claim={id_}" for id_, row in GOOD.items() if row == ("pass", "")]
    assert shell.dense("good", *supported).code == ExitCode.CONFORMANT


def test_a_claim_asked_for_that_is_unsupported_leaves_no_verdict(shell: Shell) -> None:
    ended = shell.dense("good", *THESE)
    assert (ended.code, ended.rows) == (ExitCode.INCOMPLETE, GOOD)


def test_a_narrowed_run_is_incomplete_and_says_so(shell: Shell) -> None:
    ended = shell.dense("good", "-k", "zeros")
    said = re.search(r"toy: no verdict, the run is incomplete. \d+ of \d+ claims not decided: .*, \.\.\.", ended.output)
    assert (ended.code, bool(said), ended.ledger["complete"]) == (ExitCode.INCOMPLETE, True, False)


def test_a_run_narrowed_to_nothing_is_no_verdict(shell: Shell) -> None:
    assert shell.dense("good", "-k", "nothing").code == ExitCode.NOTHING_COLLECTED


def test_the_header_says_what_is_assayed(shell: Shell) -> None:
    output = shell.dense("good", "--claim", "dense.zeros", "--seed", 7).output
    found = [
        line for line in output.splitlines() if line.startswith((f"assay {__version__}", "on cpu", "profile", "data:"))
    ]
    assert re.fullmatch(
        rf"assay {__version__}: toy 1\.0 \(numpy [\d.]+\)\n"
        r"on cpu, Python [\d.]+\n"
        r"profile core \(\d+ claims\), seed 7\n"
        r"data: mnist: .+\n"
        r"data: nietzsche: .+",
        "\n".join(found),
    )


# What the user did


@pytest.mark.parametrize(
    ("arguments", "kind", "named"),
    [
        (["--profile", "huge"], ErrorKind.INVALID_ARGUMENT, "'huge'"),
        (["--claim", "dense.reul"], ErrorKind.UNKNOWN_CLAIM, "'dense.reul'"),
        (["--seed", "-1"], ErrorKind.INVALID_ARGUMENT, "--seed '-1'"),
        (["--seed", "1048576"], ErrorKind.INVALID_ARGUMENT, "from 0 to 1048575"),
        (["--replay", "AEEAACi/8AAAAAAAAA=="], ErrorKind.CONFLICTING_OPTIONS, "--claim"),
        (["--claim", "dense.relu", "--replay", "AAA"], ErrorKind.INVALID_ARGUMENT, "--replay 'AAA'"),
        (["--shard", "0/3"], ErrorKind.INVALID_ARGUMENT, "--shard '0/3'"),
        (["--shard", "4/3"], ErrorKind.INVALID_ARGUMENT, "--shard '4/3'"),
        (["--shard", "half"], ErrorKind.INVALID_ARGUMENT, "--shard 'half'"),
        (["--shard", "1/99999"], ErrorKind.INVALID_ARGUMENT, "99999 shards"),
        (["--shard", "1/2", "--claim", "dense.relu"], ErrorKind.CONFLICTING_OPTIONS, "--shard and --claim"),
        (["--claim-timeout", "-1"], ErrorKind.INVALID_ARGUMENT, "--claim-timeout -1"),
        (["--claim-timeout", "inf"], ErrorKind.INVALID_ARGUMENT, "--claim-timeout inf"),
        (["--claim-timeout", "nan"], ErrorKind.INVALID_ARGUMENT, "--claim-timeout nan"),
        (["--claim-timeout", "1e300"], ErrorKind.INVALID_ARGUMENT, "--claim-timeout 1e+300"),
        (["--implementation", "nowhere"], ErrorKind.UNKNOWN_IMPLEMENTATION, "'nowhere'"),
        (["--results", "no/ledger.json"], ErrorKind.UNWRITABLE_FILE, "no/ledger.json"),
        (["--results", "/dev/null/ledger.json"], ErrorKind.UNWRITABLE_FILE, "/dev/null/ledger.json"),
        (["--results", "."], ErrorKind.UNWRITABLE_FILE, " . "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_answered_in_one_line(
    arguments: list[str], kind: ErrorKind, named: str, shell: Shell
) -> None:
    # No test is needed to find out.
    command = ["-m", "pytest", "-p", "assay.runner.plugin", "-p", "no:cacheprovider"]
    ended = shell.python(*command, "--implementation", "doubles.badly_behaved", *arguments)
    said = ended.output.strip()
    assert (ended.code, read_kind(said)) == (ExitCode.USAGE, kind), said
    assert (said.startswith("ERROR: "), named in said, "\n" in said) == (True, True, False), said


@pytest.mark.skipif("os.geteuid() == 0", reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(shell: Shell) -> None:
    shell.folder.chmod(0o555)
    output = shell.dense("good").output
    assert (read_kind(output), "ledger.json" in output) == (ErrorKind.UNWRITABLE_FILE, True)


# Which implementation


@pytest.fixture
def probe_seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that sets how long an import may take."""
    return lambda seconds: monkeypatch.setattr(loading, "PROBE_SECONDS", seconds)


def probe_error(name: str) -> UserError:
    """Return the error about the name of an implementation."""
    with pytest.raises(UserError) as raised:
        loading.probe(name)
    return raised.value


def test_an_implementation_is_described_before_it_starts() -> None:
    found = loading.probe("doubles.badly_behaved:good")
    assert (found.name, found.version, list(found.frameworks), found.groups) == (
        "toy",
        "1.0",
        ["numpy"],
        ("ops",),
    )


@pytest.mark.parametrize(
    ("legacy", "installed", "expected"),
    [
        (None, {"keras", "tf-keras"}, "keras"),
        ("0", {"keras", "tf-keras"}, "keras"),
        ("1", {"keras", "tf-keras"}, "tf-keras"),
        (None, {"keras", "keras-nightly"}, "keras-nightly"),
    ],
)
def test_of_several_keras_the_one_that_runs_is_named(
    monkeypatch: pytest.MonkeyPatch, legacy: str | None, installed: set[str], expected: str
) -> None:
    if legacy is None:
        monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    else:
        monkeypatch.setenv("TF_USE_LEGACY_KERAS", legacy)
    there = installed | {"tensorflow", "gymnasium"}
    monkeypatch.setattr(loading, "_version", lambda package: "1.0" if package in there else None)
    assert list(loading.describe("reference").frameworks) == ["tensorflow", expected, "gymnasium"]


@pytest.mark.parametrize(
    ("name", "kind", "named"),
    [
        ("nowhere", ErrorKind.UNKNOWN_IMPLEMENTATION, "reference"),
        ("referense", ErrorKind.UNKNOWN_IMPLEMENTATION, "'reference'"),
        ("doubles.deeper", ErrorKind.UNKNOWN_IMPLEMENTATION, "'doubles.deeper'"),
        (".", ErrorKind.UNKNOWN_IMPLEMENTATION, "package.module[:attribute]"),
        ("doubles.badly_behaved:best", ErrorKind.UNKNOWN_IMPLEMENTATION, "'best'"),
        ("doubles.badly_behaved:FOR_EVER", ErrorKind.INVALID_ADAPTER, "'name'"),
        ("doubles.badly_behaved:without_name", ErrorKind.INVALID_ADAPTER, "'name'"),
        ("doubles.badly_behaved:without_start", ErrorKind.INVALID_ADAPTER, "'start'"),
        ("doubles.badly_behaved:unknown_group", ErrorKind.INVALID_ADAPTER, "'opera'"),
        ("doubles.badly_behaved:unknown_package", ErrorKind.MISSING_PACKAGE, "'there-is-no-such-package'"),
    ],
)
def test_a_name_of_no_implementation_is_told_from_one(name: str, kind: ErrorKind, named: str) -> None:
    error = probe_error(name)
    assert (error.kind, repr(name) in str(error), named in str(error)) == (kind, True, True), error


@pytest.mark.parametrize(("absent", "what"), [("tf-keras", "tf-keras"), ("tensorflow", "-e '.[reference]'")])
def test_the_hint_is_the_extra_only_where_it_brings_the_package(
    absent: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    monkeypatch.setattr(loading, "_version", lambda package: None if package.startswith(absent) else "1.0")
    with pytest.raises(UserError) as raised:
        loading.describe("reference")
    assert raised.value.kind == ErrorKind.MISSING_PACKAGE
    assert f"`pip install {what}`" in raised.value.hint


@pytest.mark.parametrize(
    ("source", "kind", "named"),
    [
        pytest.param("1 / 0", ErrorKind.BROKEN_ADAPTER, ["ZeroDivisionError: division by zero"], id="raises"),
        pytest.param("implementation =", ErrorKind.BROKEN_ADAPTER, ["SyntaxError"], id="is no Python"),
        pytest.param("raise SystemExit(3)", ErrorKind.BROKEN_ADAPTER, ["exit status 3"], id="leaves"),
        pytest.param(
            "import os, sys; sys.stderr.write('out of memory\\n'); sys.stderr.flush(); os._exit(3)",
            ErrorKind.BROKEN_ADAPTER,
            ["exit status 3", "out of memory"],
            id="ends",
        ),
        pytest.param("import nowhere", ErrorKind.MISSING_PACKAGE, ["'nowhere'"], id="lacks"),
        pytest.param("import time; time.sleep(1000)", ErrorKind.BROKEN_ADAPTER, ["2 s"], id="sleeps"),
        pytest.param(
            "from doubles import badly_behaved; badly_behaved.hang_in_c()",
            ErrorKind.BROKEN_ADAPTER,
            ["2 s"],
            id="hangs",
        ),
        pytest.param("implementation = None", ErrorKind.INVALID_ADAPTER, ["'name'"], id="is None"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(
    source: str,
    kind: ErrorKind,
    named: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    probe_seconds: Callable[[float], None],
) -> None:
    (tmp_path / "module.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    probe_seconds(2)
    error = probe_error("module")
    assert error.kind == kind
    assert [name for name in ("'module'", *named) if name not in str(error)] == [], error


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import time; time.sleep(1)", id="is slow"),
        pytest.param("print('chatter ' * 1_250_000)", id="prints"),
        pytest.param("import threading, time; threading.Thread(target=time.sleep, args=[9]).start()", id="works on"),
    ],
)
def test_a_module_may_do_what_it_likes_while_it_is_imported(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "module.py").write_text(f"{source}\nfrom doubles.badly_behaved import implementation")
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    assert (loading.probe("module").name, time.monotonic() - began < 8) == ("toy", True)


# The ledger


def test_the_number_of_processes_changes_nothing_but_the_seconds(shell: Shell) -> None:
    claims = [part for id_ in ("dense.relu", "dense.affine", "dense.zeros") for part in ("--claim", id_)]
    one, two = (shell.dense("wrong_results", *claims, processes=processes).ledger for processes in (0, 2))
    assert without_seconds(one) == without_seconds(two)


@pytest.mark.parametrize("processes", [0, 2])
def test_a_run_has_rows_of_the_claims_that_were_asked_for_and_no_other(processes: int, shell: Shell) -> None:
    # One test judges a claim of smoke together with one of core.
    tests = tests_folder() / "test_training_flag_normalization.py::test_gamma_of_0"
    named = ("--implementation", "numpy", "--results", "ledger.json", "--no-fetch", "-n", processes)
    options = ("-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", *named)
    ended = shell.python("-m", "pytest", tests, *options, "--profile", "smoke")
    assert [*ended.rows] == ["training_flag.inference-normalizes"], ended.output
    ended = shell.python("-m", "pytest", tests, *options, "--claim", "training_flag.training-normalizes")
    assert [*ended.rows] == ["training_flag.training-normalizes"], ended.output


def without_seconds(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a ledger what differs from run to run."""
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in content["claims"]]
    return {key: value for key, value in content.items() if key != "time"} | {"claims": rows}


def test_a_run_that_is_killed_loses_only_the_test_in_flight(shell: Shell) -> None:
    # Claims are decided in the order of the tests: relu comes after affine, and never ends.
    file = shell.folder / "ledger.json"
    running = shell.start_dense("sleeping_relu", "--results", file, *THESE)
    killed = running.kill_once(lambda: file.exists() and '"dense.affine"' in file.read_text())
    assert (killed.code, killed.ledger["complete"], killed.rows) == (
        -signal.SIGKILL,
        False,
        {"dense.affine": GOOD["dense.affine"]},
    )


# A failure can be had again


# In one process, so that what fails is run once.
REPLAYS = pytest.mark.xdist_group("replays")


@pytest.fixture(scope="module")
def failure(tmp_path_factory: pytest.TempPathFactory, shell_in: Callable[[Path], Shell]) -> Ended:
    """Let relu fail."""
    return shell_in(tmp_path_factory.mktemp("failure")).dense("wrong_from_one", "--claim", "dense.relu")


def replay(ended: Ended, **changes: str) -> list[str]:
    """Return the command that the only row of a ledger gives, with another implementation if asked for."""
    command = shlex.split(ended.ledger["claims"][0]["replay"])
    command = [changes.get(part.partition(":")[2], part) for part in command[1:]]
    return [*command, "-n", "0", "--results", "ledger.json"]


@REPLAYS
def test_a_failure_says_what_where_and_with_which_call(failure: Ended) -> None:
    assert re.search(
        r"""
FAIL dense.relu: relu is max\(x, 0\) of every element, exactly.
  document: The Dense layer, line 89
  test: tests/test_dense.py:\d+ \(test_relu\)
  relu: 2 of 2 elements differ, most at \[0, 0\]: actual -1, expected 0 \(off by 1, allowed 0\)
    actual   = \[\[-1., -1.\]\]
    expected = \[\[0., 0.\]\]
    call: ops.relu\(inputs\)
      inputs: float32\[1, 2\] \[\[-1., -1.\]\]
    returned: float32\[1, 2\] \[\[-1., -1.\]\]
  replay: python -m assay run doubles.badly_behaved:wrong_from_one --seed 0 --claim dense.relu --replay \S+
  snippet:
    import numpy as np
""",
        failure.output,
    )


@REPLAYS
def test_a_replay_fails_in_the_same_way_on_that_one_case(failure: Ended, shell: Shell) -> None:
    again = shell.python(*replay(failure))
    calls = (shell.folder / "calls").read_text()
    assert (again.rows, calls, replay(again)) == (failure.rows, "x", replay(failure))


@REPLAYS
def test_a_replay_of_what_holds_by_now_passes(failure: Ended, shell: Shell) -> None:
    assert shell.python(*replay(failure, wrong_from_one="doubles.badly_behaved:good")).code == ExitCode.CONFORMANT


# Collecting


# How many times as long as the libraries that it needs take to be imported: 2.4 on an idle machine, where that is 1 s.
COLLECTION = 4


def test_collecting_is_fast_and_imports_no_framework(
    shell: Shell, seconds_of: Callable[[Callable[[], object]], float]
) -> None:
    script = """if True:
        import sys, pytest
        from assay.specification.index import tests_folder
        options = ["-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", "0", "-q"]
        code = pytest.main([str(tests_folder()), "--collect-only", "--implementation", "reference", *options])
        frameworks = {"tensorflow", "keras", "torch", "jax", "flax"} & sys.modules.keys()
        print("imported:", code, *sorted(frameworks))
    """
    outputs: list[str] = []
    libraries = "import hypothesis.strategies, jsonschema, numpy, pytest, scipy.stats"
    # In turns, and the shortest of each: other work on the machine makes processes slower.
    turns = [
        (
            seconds_of(lambda: outputs.append(shell.python("-c", script).output)),
            seconds_of(lambda: shell.python("-c", libraries)),
        )
        for _ in range(3)
    ]
    collecting, importing = map(min, zip(*turns, strict=True))
    assert ("imported: 0\n" in outputs[0], collecting < COLLECTION * importing) == (True, True), (
        turns,
        outputs[0][-500:],
    )


def test_the_help_of_pytest_asks_nothing_of_the_implementation(shell: Shell) -> None:
    ended = shell.python("-m", "pytest", "-p", "assay.runner.plugin", "--help", "--implementation", "nobody")
    assert (ended.code, "--claim-timeout" in ended.output) == (ExitCode.CONFORMANT, True)


def test_a_run_leaves_nothing_where_it_was_started(shell: Shell) -> None:
    shell.dense("good", "--claim", "dense.relu")
    assert [path.name for path in shell.folder.iterdir()] == ["ledger.json"]


# What is done once

ONCE = """if True:
    import sys, time
    from pathlib import Path
    from assay.adapters.proxy import AdapterError
    from assay.runner.compute_once import compute_once

    def work():
        with Path("calls").open("a") as calls:
            calls.write("x")
        time.sleep(0.5)
        {}

    try:
        print(compute_once(Path("."), "work", work))
    except AdapterError as error:
        print(f"AdapterError: {{error}}")
"""


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        pytest.param("return 'done'", "done", id="done"),
        pytest.param("raise AdapterError('broken')", "AdapterError: broken", id="failed"),
    ],
)
def test_work_is_done_once_for_two_processes(end: str, answer: str, shell: Shell) -> None:
    processes = [shell.start("-c", ONCE.format(end)) for _ in range(2)]
    answers = [process.wait().output.strip() for process in processes]
    assert (answers, (shell.folder / "calls").read_text()) == ([answer, answer], "x")


def test_work_that_ended_its_process_is_reported_and_not_tried_again(shell: Shell) -> None:
    answers = [shell.python("-c", ONCE.format("import os; os._exit(1)")).output.strip() for _ in range(2)]
    expected = "AdapterError: work was begun before in this run, and its process did not live to finish it"
    assert (answers, (shell.folder / "calls").read_text()) == (["", expected], "x")


@pytest.mark.parametrize("error", [AdapterError("broken"), TimeLimitError("not finished after 1 s")], ids=repr)
def test_a_failure_of_work_is_remembered(error: BaseException, tmp_path: Path) -> None:
    calls = []

    def work() -> None:
        calls.append("x")
        raise error

    complaints = []
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            compute_once(tmp_path, "work", work)
        complaints.append(str(raised.value))
    assert (complaints, calls) == ([str(error)] * 2, ["x"])


def test_a_ledger_far_away_does_not_lead_the_workers_astray(shell_in: Callable[[Path], Shell], tmp_path: Path) -> None:
    options = ["--implementation", "doubles.badly_behaved:good", "-n", 1, "--claim", "dense.relu"]
    ended = shell_in(Path(__file__).resolve().parents[2]).python(
        "-m", "pytest", *options, "--results", tmp_path / "ledger.json"
    )
    assert (ended.code, "1 passed" in ended.output) == (ExitCode.CONFORMANT, True)
