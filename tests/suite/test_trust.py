"""What an implementation can do to a run, and what happens then: the lines of docs/trust.md, each with a real fault."""

from __future__ import annotations

import gc
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from doubles import hostile

from assay.adapters import time_limit
from assay.adapters.plain_text import describe_error, plain
from assay.adapters.process_state import ProcessState, RandomState, Surroundings
from assay.adapters.time_limit import TimeLimitError, limit
from assay.errors import ErrorKind, ExitCode
from assay.runner import failure, long_comparison
from assay.runner.compute_once import compute_once
from assay.runner.launch import END_SECONDS
from assay.runner.options import RunOptions
from assay.specification.index import tests_folder

from .conftest import ENVIRONMENT, read_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended, Shell

# One claim for each function of the toys.
FUNCTIONS = {
    "dense": "dense.affine",
    "relu": "dense.relu",
    "tanh": "dense.tanh",
    "sigmoid": "dense.sigmoid",
    "zeros": "dense.zeros",
    "glorot_uniform": "dense.glorot-limit",
}
PASS = ("pass", "")
EACH = pytest.mark.parametrize("processes", [0, 2])


def run(shell: Shell, toy: str, *functions: str, processes: int = 0, options: tuple[object, ...] = ()) -> Ended:
    """Assay a toy on the claims of some of its functions, or of all."""
    claims = [f"--claim={FUNCTIONS[name]}" for name in functions or FUNCTIONS]
    name = f"doubles.hostile:{toy}"
    arguments = ("--no-fetch", *claims, "--results", "ledger.json", "-n", processes, *options)
    return shell.assay("run", name, *arguments)


def rows(ended: Ended) -> dict[str, tuple[str, str]]:
    """Return outcome and first line of the reason by function."""
    names = {claim: name for name, claim in FUNCTIONS.items()}
    return {names[id_]: row for id_, row in ended.rows.items()}


def all_pass(*functions: str) -> dict[str, tuple[str, str]]:
    """Expect that claims hold."""
    return dict.fromkeys(functions or FUNCTIONS, PASS)


def is_over(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(event: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not event() and time.monotonic() < end:
        time.sleep(0.1)
    return event()


# What it raises


@EACH
def test_no_exception_is_a_way_out_of_a_claim(processes: int, shell: Shell) -> None:
    assert rows(run(shell, "endings", processes=processes)) == {
        "relu": ("error", "ops.relu raised SkipTest: not today"),
        "tanh": ("error", "ops.tanh raised Exit: enough"),
        "sigmoid": ("error", "ops.sigmoid raised KeyboardInterrupt: "),
        "zeros": ("error", "ops.zeros raised UnprintableError: (it cannot be shown: str() raised OSError)"),
        "glorot_uniform": ("error", r"ops.glorot_uniform raised LoneSurrogateError: half \udcff pair"),
        "dense": ("error", "ops.dense raised XFailed: as expected"),
    }


@EACH
def test_no_exception_is_a_way_out_of_a_claim_on_keras(processes: int, shell: Shell) -> None:
    claims = ["variables-are-trainable", "units", "activation-default", "use-bias-default", "without-bias-variable"]
    claims += ["kernel-initializer-default", "bias-initializer-default"]
    options = [f"--claim=dense.{claim}" for claim in claims]
    ended = shell.assay(
        "run", "doubles.hostile:keras_endings", "--no-fetch", *options, "--results", "ledger.json", "-n", processes
    )
    outcomes = [ended.rows.get(f"dense.{claim}", ("", ""))[0] for claim in claims]
    assert outcomes == ["error"] * len(claims), ended.output


@pytest.mark.parametrize("error", [*hostile.ENDINGS, GeneratorExit()], ids=lambda error: type(error).__name__)
def test_who_raises_is_asked_where_it_is_no_call_of_the_contract(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.adapters.interrupt._watched", True)
    try:
        hostile.raising(error)()
    except BaseException as raised:  # noqa: BLE001 - that is what is looked at
        attributed = failure.attribute(raised)
    assert (failure.outcome_of(attributed).value, type(error).__name__ in str(attributed)) == ("error", True)


# Time


def test_a_late_answer_is_a_timeout(shell: Shell) -> None:
    cap = "4 s, 4 times its limit of 1 s (see --claim-timeout)"
    found = rows(run(shell, "late", "relu", "tanh", "sigmoid", "zeros", options=("--claim-timeout", 1)))
    # Where the machine is so busy that a second of it takes longer than four, the clock decides that, too.
    outcome, why = found.pop("sigmoid")
    assert (outcome, why.startswith("ops.sigmoid: not finished ")) == ("timeout", True), why
    assert found == {
        "relu": ("timeout", f"ops.relu: not finished after {cap}"),
        "tanh": ("timeout", f"ops.tanh: not finished after {cap}"),
        "zeros": PASS,
    }


def test_waiting_costs_less_than_work(shell: Shell) -> None:
    ended = run(shell, "patient", "relu", options=("--claim-timeout", 2))
    assert (rows(ended), ended.ledger["claims"][0]["seconds"] > 2) == ({"relu": PASS}, True)


def test_a_worker_that_says_nothing_any_more_is_ended(shell: Shell) -> None:
    found = rows(run(shell, "silent", "relu", "tanh", "zeros", processes=2, options=("--claim-timeout", 0.5)))
    said = "not finished after 12 s (--claim-timeout 0.5), and its process said nothing any more, and had to be ended"
    assert found == {"relu": ("timeout", said), "tanh": ("timeout", said), "zeros": PASS}


def test_the_alarm_of_somebody_else_goes_on() -> None:
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.3, 5)
    try:
        with pytest.raises(TimeLimitError), limit(0.05, None):
            time.sleep(1)
        assert (until(lambda: bool(rang), 5), signal.getitimer(signal.ITIMER_REAL)[1]) == (True, 5)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_alarm_is_set_again_after_every_call() -> None:
    with pytest.raises(TimeLimitError), limit(0.2, None):  # noqa: PT012 - the order is what is tested
        signal.setitimer(signal.ITIMER_REAL, 0)
        time_limit.check()
        time.sleep(5)


# The process


@EACH
def test_text_that_cannot_be_encoded_is_escaped(processes: int, shell: Shell) -> None:
    ended = run(shell, "lone_surrogates", processes=processes)
    shown = {key: ended.ledger["implementation"][key] for key in ("name", "version", "device")}
    assert shown == {"name": r"half \udcff pair", "version": r"half \udcff pair", "device": r"half \udcff paircpu"}
    assert (ended.code, rows(ended)) == (ExitCode.CONFORMANT, all_pass())


@EACH
def test_a_warning_of_any_class_is_shown(processes: int, shell: Shell) -> None:
    ended = run(shell, "nested_warnings", processes=processes)
    assert (ended.code, rows(ended)) == (ExitCode.CONFORMANT, all_pass())
    assert r"Generated: half \udcff pair" in ended.output


def test_the_first_process_imports_no_code_of_an_adapter(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    # One process describes the adapter, and each of two workers runs tests.
    running = shell.start(
        "-c",
        "import os, sys; os.environ['HOSTILE_TRACE'] = 'trace'; from assay.cli.main import main; sys.exit(main())",
        *("run", "doubles.hostile:imported_warnings", "--no-fetch", "-n", 2, "--claim=dense.relu"),
    )
    ended = running.wait()
    traces = (shell.folder / "trace").read_text().split()
    assert (ended.code, "ImportedWarning: careful" in ended.output, len(traces)) == (0, True, 2), (traces, ended.output)


@EACH
@pytest.mark.parametrize(
    "toy", ["closed_streams", "forks", "state", "surroundings", "descriptors", "clocks", "removed_folder"]
)
def test_what_an_adapter_does_to_its_process_costs_no_claim(toy: str, processes: int, shell: Shell) -> None:
    ended = run(shell, toy, processes=processes)
    assert (ended.code, rows(ended)) == (ExitCode.CONFORMANT, all_pass()), ended.output


def test_an_adapter_that_ends_the_only_process_with_success_is_told(shell: Shell) -> None:
    ended = run(shell, "ended")
    lost = "the only process of the run ended before its last claim: exit status 0"
    assert (ended.code, lost in ended.output) == (ExitCode.INCOMPLETE, True), ended.output


def test_state_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    alarm = signal.getsignal(signal.SIGALRM)
    before = Path.cwd(), dict(os.environ), np.geterr(), sys.getrecursionlimit()
    try:
        state = ProcessState()
        hostile.leave_state()
        state.restore()
    finally:
        signal.signal(signal.SIGALRM, alarm)
    assert (Path.cwd(), dict(os.environ), np.geterr(), sys.getrecursionlimit()) == before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == handlers


def test_surroundings_are_put_back() -> None:
    def now() -> list[object]:
        umask = os.umask(0)
        os.umask(umask)
        limits = [resource.getrlimit(each) for each in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)]
        hooks = [sys.excepthook, sys.unraisablehook, threading.excepthook, sys.getprofile()]
        state = [gc.isenabled(), sys.getswitchinterval(), np.get_printoptions(), umask]
        return [signal.pthread_sigmask(signal.SIG_BLOCK, ()), *limits, *hooks, *state]

    before = now()
    state, surroundings = ProcessState(), Surroundings()
    hostile.leave_surroundings()
    changed = now()
    state.restore()
    surroundings.restore()
    assert (now(), [one == other for one, other in zip(before, changed, strict=True)]) == (
        before,
        [False] * len(before),
    )


def test_the_global_generators_go_on_for_the_adapter_and_stay_for_others() -> None:
    own = RandomState()
    outside = np.random.get_state()[1].tolist()  # noqa: NPY002 - the global generator is meant
    drawn = []
    for _ in range(2):
        with own.activate():
            drawn.append(np.random.random())  # noqa: NPY002 - as above
    assert drawn[0] != drawn[1]
    assert np.random.get_state()[1].tolist() == outside  # noqa: NPY002 - as above


def test_a_process_that_is_broken_beyond_repair_is_no_verdict(shell: Shell) -> None:
    ended = run(shell, "broken_builtins", "relu", "tanh")
    assert (ended.code, rows(ended)) == (ExitCode.BROKEN, {}), ended.output
    assert "the process of the run broke" in ended.output
    # Where there are others, they go on, and their rows count.
    ended = run(shell, "broken_builtins", "relu", "tanh", processes=2)
    assert (ended.code, rows(ended)["relu"][0]) == (ExitCode.NOT_CONFORMANT, "crash"), ended.output


def test_an_adapter_that_does_not_describe_itself_is_an_error_of_one_sentence(shell: Shell) -> None:
    ended = shell.assay("run", "doubles.hostile:unnamed", "--no-fetch", "-n", 0, "--claim=dense.relu")
    said = ended.output.strip()
    assert (ended.code, read_kind(said), "\n" in said) == (ExitCode.USAGE, ErrorKind.BROKEN_ADAPTER, False), said
    assert ("'doubles.hostile:unnamed'" in said, "ValueError: no name" in said) == (True, True)


def test_a_test_that_ended_its_worker_is_not_run_again(shell: Shell) -> None:
    ended = shell.dense("endings", "--claim=dense.relu", "--claim=dense.zeros", "--dist=loadfile", processes=2)
    assert ended.rows == {
        "dense.relu": ("crash", "the process of the implementation ended: signal 11 (Segmentation fault)"),
        "dense.zeros": PASS,
    }


def test_a_crash_names_the_signal_and_the_place(shell: Shell) -> None:
    [row] = shell.dense("endings", "--claim=dense.relu", processes=1).ledger["claims"]
    assert "signal 11 (Segmentation fault)\nFatal Python error: Segmentation fault" in row["reason"]
    assert re.search(r'badly_behaved.py", line \d+ in read_address_zero$', row["reason"])


def test_threads_of_an_adapter_do_not_keep_pytest_alive(shell: Shell) -> None:
    options = ("-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", 0, "--no-fetch")
    toy = ("--implementation", "doubles.hostile:thread", "--claim=dense.relu")
    began = time.monotonic()
    ended = shell.python("-m", "pytest", tests_folder() / "test_dense.py", *options, *toy)
    assert (ended.code, time.monotonic() - began < 120) == (ExitCode.CONFORMANT, True), ended.output


def test_nothing_that_an_adapter_leaves_behind_is_waited_for(shell: Shell) -> None:
    began = time.monotonic()
    ended = run(shell, "leftovers", "relu")
    pids = [int(pid) for pid in (shell.folder / "pid").read_text().split()]
    assert (ended.code, time.monotonic() - began < 120) == (ExitCode.CONFORMANT, True)
    assert until(lambda: all(map(is_over, pids)))


# The user, and other processes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_ends_its_processes(number: signal.Signals, shell: Shell) -> None:
    arguments = ("doubles.hostile:sleeping", "--no-fetch", "--isolated", "--claim=dense.relu", "-n", 1)
    running = shell.start("-m", "assay", "run", *arguments)
    noted = shell.folder / "pid"
    assert until(lambda: noted.exists() and noted.read_text().endswith("\n"), 60)
    running.process.send_signal(number)
    ended = running.wait()
    assert until(lambda: is_over(int(noted.read_text())))
    assert ended.code == (-signal.SIGKILL if number is signal.SIGKILL else ExitCode.INTERRUPTED)


def test_a_run_in_the_background_outlives_its_terminal_and_ends_when_asked(shell: Shell) -> None:
    arguments = ("doubles.hostile:sleeping", "--no-fetch", "--isolated", "--claim=dense.relu", "-n", 1)
    running = shell.start("-m", "assay", "run", *arguments, background=True)
    noted = shell.folder / "pid"
    assert until(lambda: noted.exists() and noted.read_text().endswith("\n"), 60)
    running.process.send_signal(signal.SIGHUP)
    running.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(1)
    asked = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    ended = running.wait()
    # It was asked, and not killed.
    assert (ended.code, time.monotonic() - asked < END_SECONDS) == (ExitCode.INTERRUPTED, True), ended.output
    assert until(lambda: is_over(int(noted.read_text())))


def test_a_replay_command_takes_nothing_from_an_adapter_but_base64(shell: Shell) -> None:
    [row] = run(shell, "noting", "relu").ledger["claims"]
    assert (row["outcome"], ";" in row["replay"]) == ("error", False)


def test_a_replay_command_is_quoted() -> None:
    assert RunOptions("a b;c", device="gpu").replay_command(["dense.relu"], "AAA=") == (
        "python -m assay run 'a b;c' --seed 0 --device gpu --claim dense.relu --replay AAA="
    )


def test_an_adapter_can_cheat_in_one_process_with_assay_and_not_from_another(shell: Shell) -> None:
    inside = rows(run(shell, "cheating", "relu"))
    outside = rows(run(shell, "cheating", "relu", options=("--isolated",)))
    assert (inside["relu"][0], outside["relu"][0]) == ("pass", "fail")


@pytest.mark.parametrize("name", ["SystemExit", "IsADirectoryError"])
@pytest.mark.timeout(60)  # A lock in such a folder was once waited for without end.
def test_whatever_a_file_of_the_run_says_is_held_against_nobody(name: str) -> None:
    with pytest.raises(OSError) as raised:  # noqa: PT011 - of any kind
        compute_once(Path("/proc"), name, int)
    assert isinstance(failure.attribute(raised.value), failure.SuiteError)


def test_text_is_plain() -> None:
    assert plain("a\x1b[31m\0b\n\udcff") == "a\\x1b[31m\\x00b\n\\udcff"
    assert describe_error(hostile.UnprintableError()) == "UnprintableError: (it cannot be shown: str() raised OSError)"


def test_a_long_message_keeps_what_failed_and_why() -> None:
    shown = describe_error(ValueError("\n".join(["it failed", *["a file"] * 1_000, "a number is negative"])))
    assert shown.startswith("ValueError: it failed\n")
    assert "\n... (986 lines)\n" in shown
    assert shown.endswith("\na number is negative")


def test_a_long_wrong_answer_fails_in_ci_at_once(tmp_path: Path) -> None:
    # Line by line, as pytest compares in CI, this takes minutes.
    (tmp_path / "test_long.py").write_text('def test_long():\n    assert 2**16 * "\\r\\n" == 2**16 * "\\n"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "assay.runner.plugin", "-n", "0", "test_long.py"],
        env=ENVIRONMENT | {"CI": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "sequences of 131072 and 65536 items differ first at index 0." in ended.stdout


@pytest.mark.parametrize(
    ("left", "right", "explanation"),
    [
        (b"a" + 6000 * b"b", b"c" + 6000 * b"b", "sequences of 6001 and 6001 items differ first at index 0. From"),
        ([1] * 5000, [1] * 4999, "sequences of 5000 and 4999 items differ first at index 4999. From index 4979 on:"),
        ((1,) * 5000, (2,) * 5000, "sequences of 5000 and 5000 items differ first at index 0. From index 0 on:"),
        (dict.fromkeys(range(999), 1), dict.fromkeys(range(1000), 1), "two large dictionaries differ at 1 keys:"),
        ({*range(1500)}, {*range(1501)}, "two large sets differ:\n0 items only on the left: []\n1 items only"),
    ],
    ids=["bytes", "list", "tuple", "dictionary", "set"],
)
def test_long_values_are_shown_where_they_differ(left: object, right: object, explanation: str) -> None:
    lines = long_comparison.explain("==", left, right)
    assert "\n".join(lines or []).startswith(explanation)


def test_short_values_are_left_to_pytest() -> None:
    assert long_comparison.explain("==", ["a"], ["b"]) is None
    assert long_comparison.explain("in", 6000 * "a", 6001 * "a") is None


def test_an_interruption_between_lines_can_be_shown() -> None:
    def interrupted() -> None:
        raise TimeLimitError

    # Each byte gives eight instructions no line.
    interrupted.__code__ = interrupted.__code__.replace(co_linetable=b"\xff" * len(interrupted.__code__.co_code))
    late = ValueError("late")
    with pytest.raises(TimeLimitError) as raised:
        interrupted()
    late.__cause__ = raised.value

    def lines() -> list[int | None]:
        return [line for _, line in traceback.walk_tb(raised.value.__traceback__)]

    assert lines()[1] is None
    failure.number_lines(late)
    assert None not in lines()
    assert "TimeLimitError" in str(pytest.ExceptionInfo.from_exception(raised.value).getrepr())


SUITE = Path(__file__).parent
TABLES = (SUITE.parents[1] / "docs" / "trust.md").read_text(encoding="utf-8")
LINES = [line.strip("| ").split(" | ") for line in TABLES.splitlines() if line.startswith("| ") and "test_" in line]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_every_line_of_the_documentation_has_its_tests(line: list[str]) -> None:
    sources = [path.read_text(encoding="utf-8") for path in SUITE.glob("test_*.py")]
    defined = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}
    assert set(re.findall(r"`(test_\w+)`", line[-1])) - defined == set()
