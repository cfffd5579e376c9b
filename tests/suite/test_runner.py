"""The runner: whatever an implementation does, its row says what happened, and no other row is lost."""

from __future__ import annotations

import json
import re
import shlex
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay import __version__, implementations
from assay.errors import ExitCode, UserError
from assay.guard import AdapterError
from assay.once import once
from assay.watchdog import TimeLimitError

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
RAISED = "raised OSError: out of order"


def all_but_unsupported(outcome: str, reason: str) -> dict[str, tuple[str, str]]:
    """Expect one outcome of every claim that the toys support."""
    return {id_: (outcome, reason) if row[0] == "pass" else row for id_, row in GOOD.items()}


# What an implementation does


@pytest.mark.parametrize(
    ("toy", "expected"),
    [
        pytest.param("good", {}, id="nothing wrong"),
        pytest.param(
            "wrong_results",
            {
                "dense.relu": ("fail", "relu is of float64, and has to be of float32"),
                "dense.tanh": ("fail", "tanh has shape [2, 1], and has to have [1, 2]"),
                "dense.sigmoid": (
                    "fail",
                    "sigmoid: 2 of 2 elements differ, most at [0, 0]: actual nan, expected 0.5 (off by nan, allowed 3.58e-07)",
                ),
                "dense.zeros": (
                    "error",
                    "ops.zeros returned a builtins.NoneType, where the contract asks for NumPy arrays or plain numbers",
                ),
                "dense.glorot-limit": ("fail", "the kernel has shape [], and has to have [784, 100]"),
            },
            id="wrong results",
        ),
        pytest.param(
            "wrong_manners",
            {
                "dense.relu": ("fail", "ops.relu changed an array that it was given"),
                "dense.tanh": (
                    "error",
                    "ops.tanh returned a badly_behaved.Tensor, where the contract asks for NumPy arrays or plain numbers",
                ),
                "dense.zeros": ("error", "ops.zeros raised SystemExit: 3"),
                "dense.glorot-limit": ("error", f"ops.glorot_uniform {RAISED}"),
            },
            id="wrong manners",
        ),
        pytest.param(
            "without_relu",
            {"dense.relu": ("fail", "the group ops is declared but has no relu(inputs: Array) -> Array")},
            id="a function missing",
        ),
        pytest.param(
            "sleeping_dense",
            {"dense.affine": ("timeout", "ops.dense: not finished after 1 s")},
            id="one function sleeps",
        ),
        pytest.param("start_raises", all_but_unsupported("error", f"start() {RAISED}"), id="start raises"),
        pytest.param("start_leaves", all_but_unsupported("error", "start() raised SystemExit: 3"), id="start leaves"),
        pytest.param(
            "start_sleeps", all_but_unsupported("timeout", "start(): not finished after 1 s"), id="start sleeps"
        ),
        pytest.param("group_raises", all_but_unsupported("error", f"the group ops {RAISED}"), id="the group raises"),
    ],
)
def test_a_row_says_what_happened_and_the_other_rows_are_as_ever(
    toy: str, expected: dict[str, tuple[str, str]], shell: Shell
) -> None:
    assert shell.dense(toy, *THESE, "--claim-timeout", 1).rows == GOOD | expected


@pytest.mark.parametrize(
    ("toy", "expected"),
    [
        pytest.param(
            "endings",
            {
                "dense.relu": ("crash", "the process of the implementation ended"),
                "dense.tanh": ("timeout", "not finished after 11 s, and its process had to be ended"),
                "dense.sigmoid": ("timeout", "ops.sigmoid: not finished after 1 s"),
                "dense.glorot-limit": ("crash", "the process of the implementation ended"),
            },
            id="functions end it",
        ),
        pytest.param(
            "start_ends",
            all_but_unsupported("error", "start() ended another process of this run")
            | {"dense.affine": ("crash", "the process of the implementation ended in start()")},
            id="start ends it",
        ),
        pytest.param(
            "start_hangs",
            all_but_unsupported("error", "start() ended another process of this run")
            | {"dense.affine": ("timeout", "not finished after 11 s, and its process had to be ended")},
            id="start holds it up",
        ),
    ],
)
def test_a_process_that_is_lost_costs_one_row(
    toy: str, expected: dict[str, tuple[str, str]], shell: Shell
) -> None:
    assert shell.dense(toy, *THESE, "--claim-timeout", 1, processes=1).rows == GOOD | expected


def test_a_claim_of_a_declared_group_that_is_not_there_is_an_error(shell: Shell) -> None:
    command = ["run", "badly_behaved:group_missing", "-n", 0, "--results", "ledger.json"]
    reason = shell.assay(*command, "--claim", "linear_model.forward").rows
    assert {outcome for outcome, _ in reason.values()} == {"error"}


# What the exit code says


@pytest.mark.parametrize(
    ("toy", "arguments", "code"),
    [
        pytest.param("good", ["--claim", "dense.relu"], ExitCode.CONFORMANT, id="the claims asked for hold"),
        pytest.param("good", ["-k", "relu"], ExitCode.INCOMPLETE, id="narrowed with -k"),
        pytest.param("good", ["-k", "nothing"], ExitCode.NOTHING_COLLECTED, id="narrowed to nothing"),
        pytest.param("without_relu", ["--claim", "dense.relu"], ExitCode.NOT_CONFORMANT, id="one does not hold"),
        pytest.param(
            "without_groups", ["--claim", "dense.relu"], ExitCode.CONFORMANT, id="nothing but opting out"
        ),
    ],
)
def test_the_exit_code_is_the_verdict(toy: str, arguments: list[str], code: ExitCode, shell: Shell) -> None:
    assert shell.dense(toy, *arguments).code == code


def test_claims_that_were_not_decided_are_named(shell: Shell) -> None:
    output = shell.dense("good", "-k", "relu").output
    assert re.search(r"toy: incomplete, so no verdict: \d+ claims were not decided \(.*, \.\.\.\); 1 of \d+ ", output)


def test_the_header_says_what_is_assayed(shell: Shell) -> None:
    output = shell.dense("good", "--claim", "dense.relu", "--seed", 7).output
    found = [line for line in output.splitlines() if line.startswith((f"assay {__version__}", "profile", "data:"))]
    assert re.fullmatch(
        rf"assay {__version__}: toy 1\.0 \(numpy [\d.]+\) on cpu, Python [\d.]+\n"
        r"profile core \(\d+ claims\), seed 7\n"
        r"data: mnist: .+\n"
        r"data: nietzsche: .+",
        "\n".join(found),
    )


# What the user did


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--profile", "huge"], "there is no profile 'huge'. Profiles: smoke, core, full"),
        (["--claim", "dense.reul"], "there is no claim 'dense.reul'. Nearest: dense.relu"),
        (["--seed", "-1"], "--seed '-1' is neither a whole number from 0 on nor `random`"),
        (["--replay", "AEEAACi/8AAAAAAAAA=="], "--replay names a case, but not of which claim. Add --claim ID"),
        (["--claim", "dense.relu", "--replay", "AAA"], "--replay 'AAA' is not the code of a case. Copy it whole"),
        (["--claim-timeout", "-1"], "--claim-timeout -1 leaves no time at all"),
        (["--implementation", "nowhere"], "there is no implementation 'nowhere': no module named 'nowhere'"),
        (["--results", "no/ledger.json"], "the ledger no/ledger.json cannot be written: No such file or directory"),
        (["--results", "/dev/null/ledger.json"], "the ledger /dev/null/ledger.json cannot be written: Not a directory"),
        (["--results", "."], "the ledger . cannot be written: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_answered_in_one_line(arguments: list[str], complaint: str, shell: Shell) -> None:
    ended = shell.start_dense("good", *arguments).wait()
    assert (ended.code, ended.output.strip().startswith(f"ERROR: {complaint}"), ended.output.strip().count("\n")) == (
        ExitCode.USAGE,
        True,
        0,
    ), ended.output


@pytest.mark.skipif("os.geteuid() == 0", reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(shell: Shell) -> None:
    shell.folder.chmod(0o555)
    assert "the ledger ledger.json cannot be written: Permission denied" in shell.dense("good").output


# Which implementation


@pytest.fixture
def probe_seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that sets how long an import may take."""
    return lambda seconds: monkeypatch.setattr(implementations, "PROBE_SECONDS", seconds)


@pytest.fixture(autouse=True)
def toys_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the names of this folder's modules be names of implementations."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def complaint(name: str) -> str:
    """Return what is said of the name of an implementation."""
    with pytest.raises(UserError) as raised:
        implementations.probe(name)
    return str(raised.value)


def test_an_implementation_is_described_before_it_starts() -> None:
    found = implementations.probe("badly_behaved:good")
    assert (found.name, found.version, list(found.frameworks), found.groups) == ("toy", "1.0", ["numpy"], ("ops",))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere", "there is no implementation 'nowhere': no module named 'nowhere'. Known here: "),
        ("referense", "there is no implementation 'referense': no module named 'referense'. Did you mean 'reference'?"),
        ("badly_behaved.deeper", "there is no implementation 'badly_behaved.deeper': no module named "),
        (".", "'.' does not name an implementation. An implementation is named as package.module[:attribute]"),
        ("badly_behaved:best", "implementation 'badly_behaved:best': module badly_behaved has no attribute 'best'"),
        ("badly_behaved:FOR_EVER", "'badly_behaved:FOR_EVER' is not an implementation: it has no 'name'"),
        ("badly_behaved:without_name", "'badly_behaved:without_name' is not an implementation: it has no 'name'"),
        ("badly_behaved:without_start", "'badly_behaved:without_start' is not an implementation: it has no 'start'"),
        (
            "badly_behaved:unknown_group",
            "'badly_behaved:unknown_group' declares the group 'opera', which the contract does not have. It has ops, ",
        ),
        (
            "badly_behaved:unknown_package",
            "implementation 'badly_behaved:unknown_package' needs the package 'there-is-no-such-package', which is not "
            "installed. Install it with pip",
        ),
    ],
)
def test_a_name_of_no_implementation_is_told_from_one(name: str, expected: str) -> None:
    assert complaint(name).startswith(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("1 / 0", "importing module raised ZeroDivisionError: division by zero. Try ", id="raises"),
        pytest.param("implementation =", "importing module raised SyntaxError: invalid syntax", id="is no Python"),
        pytest.param("raise SystemExit(3)", "implementation 'module' ended the process that imported it", id="leaves"),
        pytest.param(
            "import os, sys; sys.stderr.write('out of memory\\n'); sys.stderr.flush(); os._exit(3)",
            "implementation 'module' ended the process that imported it (exit status 3). It said: out of memory",
            id="ends",
        ),
        pytest.param("import nowhere", "implementation 'module' needs the package 'nowhere', which is not", id="lacks"),
        pytest.param("import time; time.sleep(1000)", "'module' was not imported within 2 s. Load frame", id="sleeps"),
        pytest.param(
            "import badly_behaved; badly_behaved.hang_in_c()", "'module' was not imported within 2 s", id="hangs"
        ),
        pytest.param("implementation = None", "'module' is not an implementation: it has no 'name'", id="is None"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(
    source: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    probe_seconds: Callable[[float], None],
) -> None:
    (tmp_path / "module.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    probe_seconds(2)
    assert expected in complaint("module")


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
    (tmp_path / "module.py").write_text(f"{source}\nfrom badly_behaved import implementation")
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    assert (implementations.probe("module").name, time.monotonic() - began < 8) == ("toy", True)


# The ledger


def test_the_number_of_processes_changes_nothing_but_the_seconds(shell: Shell) -> None:
    claims = [part for id_ in ("dense.relu", "dense.affine", "dense.zeros") for part in ("--claim", id_)]
    ledgers = [
        shell.dense("wrong_results", *claims, processes=processes, ledger=f"{processes}.json") for processes in (0, 2)
    ]
    one, two = (json.loads((ended.folder / f"{count}.json").read_text()) for count, ended in zip((0, 2), ledgers))
    assert without_seconds(one) == without_seconds(two)


def without_seconds(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a ledger what differs from run to run."""
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in content["claims"]]
    return content | {"claims": rows}


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


@pytest.fixture
def failure(shell: Shell) -> Ended:
    """Let relu fail, and forget how often it was called."""
    ended = shell.dense("wrong_from_one", "--claim", "dense.relu")
    (shell.folder / "calls").unlink()
    return ended


def replay(ended: Ended, **changes: str) -> list[str]:
    """Return the command that the only row of a ledger gives, with another implementation or none."""
    command = shlex.split(ended.ledger["claims"][0]["replay"])
    return [changes.get(part.partition(":")[2], part) for part in command[1:]] + ["-n", "0"]


def test_a_failure_says_what_where_and_with_which_input(failure: Ended) -> None:
    assert """
FAIL dense.relu: relu is max(x, 0) of every element, exactly.
  document: The Dense layer, line 89
  relu: 2 of 2 elements differ, most at [0, 0]: actual -1, expected 0 (off by 1, allowed 0)
    actual   = [[-1., -1.]]
    expected = [[0., 0.]]
    smallest input: inputs=array([[-1., -1.]], dtype=float32)
  replay: python -m assay run badly_behaved:wrong_from_one --seed 0 --claim dense.relu --replay """ in failure.output


def test_a_replay_fails_in_the_same_way_on_that_one_case(failure: Ended, shell: Shell) -> None:
    again = shell.python(*replay(failure), "--results", "ledger.json")
    assert (failure.rows, (shell.folder / "calls").read_text()) == (again.rows, "x")


def test_a_replay_shows_the_failure(failure: Ended, shell: Shell) -> None:
    output = shell.python(*replay(failure)).output
    shown = [line in output for line in failure.ledger["claims"][0]["reason"].splitlines() if "smallest" not in line]
    assert all(shown), output


def test_a_replay_of_what_holds_by_now_passes(failure: Ended, shell: Shell) -> None:
    assert shell.python(*replay(failure, wrong_from_one="badly_behaved:good")).code == ExitCode.CONFORMANT


# Collecting


def test_collecting_takes_under_three_seconds_and_imports_no_framework(
    shell: Shell, seconds_of: Callable[[Callable[[], object]], float]
) -> None:
    script = """if True:
        import sys, pytest
        from assay.index import tests_folder
        options = ["-p", "assay.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", "0", "-q"]
        code = pytest.main([str(tests_folder()), "--collect-only", *options])
        frameworks = {"tensorflow", "keras", "torch", "jax", "flax"} & sys.modules.keys()
        print("imported:", code, *sorted(frameworks))
    """
    outputs: list[str] = []
    seconds = seconds_of(lambda: outputs.append(shell.python("-c", script).output))
    assert ("imported: 0\n" in outputs[0], seconds < 3) == (True, True), (seconds, outputs[0][-500:])


# What is done once

ONCE = """if True:
    import sys, time
    from pathlib import Path
    from assay.guard import AdapterError
    from assay.once import once

    def work():
        with Path("calls").open("a") as calls:
            calls.write("x")
        time.sleep(0.5)
        {}

    try:
        print(once(Path("."), "work", work))
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
            once(tmp_path, "work", work)
        complaints.append(str(raised.value))
    assert (complaints, calls) == ([str(error)] * 2, ["x"])
