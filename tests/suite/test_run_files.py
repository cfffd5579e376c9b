"""The files, the configuration and the surroundings of a run: what a user has there, and what comes of it."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay.errors import ExitCode, UserError
from assay.files import lock, output_file

from .conftest import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended, Shell

RELU = ("--no-fetch", "--claim", "dense.relu", "-n", "0")
GOOD = "doubles.badly_behaved:good"


def run(shell: Shell, *arguments: object, toy: str = GOOD) -> Ended:
    """Assay a toy on one claim."""
    return shell.assay("run", toy, *RELU, *arguments)


def is_ledger(text: str) -> bool:
    """Whether a text is a ledger with one row."""
    return [row["outcome"] for row in json.loads(text)["claims"]] == ["pass"]


def says(ended: Ended, words: str) -> tuple[int, bool]:
    """Return exit code, and whether there is one sentence that begins so, and no traceback."""
    lines = ended.output.strip().splitlines()
    return ended.code, lines[-1].startswith(words) and "Traceback" not in ended.output


# Where the ledger goes


def test_a_link_stays_and_its_file_is_written(shell: Shell) -> None:
    (shell.folder / "there").mkdir()
    (shell.folder / "link.json").symlink_to("there/ledger.json")
    ended = run(shell, "--results", "link.json")
    assert (ended.code, (shell.folder / "link.json").is_symlink()) == (ExitCode.CONFORMANT, True)
    assert is_ledger((shell.folder / "there" / "ledger.json").read_text())


def test_a_pipe_gets_the_ledger_once(shell: Shell) -> None:
    pipe, found = shell.folder / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()), daemon=True)
    reader.start()
    ended = run(shell, "--results", "pipe")
    reader.join(10)
    assert (ended.code, stat.S_ISFIFO(pipe.stat().st_mode), is_ledger(found[0])) == (ExitCode.CONFORMANT, True, True)


def test_pytest_writes_to_a_pipe_once(shell: Shell) -> None:
    pipe, found = shell.folder / "ledger.json", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()), daemon=True)
    reader.start()
    ended = shell.dense("good", "--claim", "dense.relu")
    reader.join(10)
    assert (ended.code, stat.S_ISFIFO(pipe.stat().st_mode), is_ledger(found[0])) == (ExitCode.CONFORMANT, True, True)


def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe cannot be written: nothing reads from this pipe"):
        output_file.write(tmp_path / "pipe", "text", "ledger")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_device_stays_one_and_may_be_full(shell: Shell) -> None:
    code, said = says(run(shell, "--results", "/dev/full"), "assay: the ledger /dev/full cannot be written: No space")
    assert (code, said, stat.S_ISCHR(Path("/dev/full").stat().st_mode)) == (ExitCode.USAGE, True, True)


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--results", ".", "assay: the ledger . cannot be written: Is a directory"),
        ("--results", "no/ledger.json", "assay: the ledger no/ledger.json cannot be written: No such file or dir"),
        ("--results", "a" * 300, f"assay: the ledger {'a' * 300} cannot be written: File name too long"),
        ("--report", "no/page.html", "assay: the report no/page.html cannot be written: No such file or directory"),
        ("--claim-timeout", "1e300", "ERROR: --claim-timeout 1e+300 is not a number of seconds above 0, and 86400"),
        ("--claim-timeout", "inf", "ERROR: --claim-timeout inf is not a number of seconds above 0, and 86400 at"),
        ("-n", "many", "assay run: --processes: 'many' is neither a whole number nor `auto`"),
    ],
)
def test_what_cannot_be_is_said_before_the_run(option: str, name: str, words: str, shell: Shell) -> None:
    ended = run(shell, option, name)
    assert (says(ended, words), "collected" in ended.output) == ((ExitCode.USAGE, True), False), ended.output


@pytest.mark.parametrize("processes", [0, 2])
def test_a_disk_that_is_full_costs_the_ledger_and_no_claim(processes: int, shell: Shell) -> None:
    # The ledger's head fits, and its rows do not; what pytest captures is short.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2600, before[1]))
    try:
        running = shell.start_dense("wrong_manners", "--results", "ledger.json", "-rN", processes=processes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    ended = running.wait()
    assert (ended.code, "the ledger " in ended.output, "cannot be written: File too large" in ended.output) == (
        ExitCode.USAGE,
        True,
        True,
    ), ended.output[-3000:]


def test_a_ledger_is_written_by_one_run_at_a_time(shell: Shell) -> None:
    held = lock.acquire((shell.folder / "ledger.json").resolve(), "ledger")
    try:
        code, said = says(run(shell, "--results", "ledger.json"), "ERROR: another run is writing the ledger ")
    finally:
        assert held is not None
        held.release()
    assert (code, said) == (ExitCode.USAGE, True)


def test_collecting_writes_nothing(shell: Shell) -> None:
    assert shell.dense("good", "--collect-only").code == ExitCode.CONFORMANT
    assert [*shell.folder.iterdir()] == []


# The configuration of pytest


@pytest.mark.parametrize(
    ("files", "variables"),
    [
        pytest.param({"pytest.ini": "[pytest]\npython_files = none.py\npython_functions = no_*"}, {}, id="other tests"),
        pytest.param({"pytest.ini": "[pytest]\naddopts = --no-such-option"}, {}, id="other options"),
        pytest.param({"tox.ini": "[pytest]\nfilterwarnings = error\nxfail_strict = maybe"}, {}, id="other warnings"),
        pytest.param(
            {"conftest.py": "import pytest\n@pytest.fixture(autouse=True)\ndef fail():\n    pytest.skip('ours')"},
            {},
            id="a fixture",
        ),
        pytest.param({}, {"PYTEST_ADDOPTS": "--no-such-option"}, id="PYTEST_ADDOPTS"),
        pytest.param({}, {"PYTEST_PLUGINS": "no_such_plugin"}, id="PYTEST_PLUGINS"),
        pytest.param({}, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, id="PYTEST_DISABLE_PLUGIN_AUTOLOAD"),
        pytest.param({}, {"PYTHONOPTIMIZE": "2"}, id="PYTHONOPTIMIZE"),
        pytest.param({}, {"PYTHONWARNINGS": "error"}, id="PYTHONWARNINGS"),
    ],
)
def test_the_users_pytest_changes_no_verdict(
    files: dict[str, str], variables: dict[str, str], shell: Shell, environment: Callable[..., None]
) -> None:
    for name, content in files.items():
        (shell.folder / name).write_text(content)
    environment(**variables)
    found = run(shell, "--results", "ledger.json", toy="doubles.badly_behaved:wrong_from_one")
    assert (found.code, found.rows["dense.relu"][0]) == (ExitCode.NOT_CONFORMANT, "fail"), found.output


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets variables for the processes that are started."""

    def add(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setitem(ENVIRONMENT, name, value)

    return add


def test_a_folder_named_like_a_framework_does_not_hide_it(shell: Shell, environment: Callable[..., None]) -> None:
    # As where the environment is `mlx/.venv`: Assay lies below the folder, and the framework elsewhere.
    here, there = shell.folder / "mlx" / ".venv", shell.folder / "site"
    (here).mkdir(parents=True)
    (there / "mlx").mkdir(parents=True)
    (there / "mlx" / "core.py").write_text("def answer():\n    return 42\n")
    (shell.folder / "adapter.py").write_text(
        "from doubles.badly_behaved import Ops, having\n"
        "def start(self, device):\n    import mlx.core\n    assert mlx.core.answer() == 42\n    return device\n"
        "implementation = having(start=start)\n"
    )
    package = Path(output_file.__file__).parents[1]
    (here / "assay").symlink_to(package)
    environment(PYTHONPATH=os.pathsep.join([str(here), str(there), ENVIRONMENT["PYTHONPATH"]]))
    ended = run(shell, "--results", "ledger.json", toy="adapter")
    assert (ended.code, ended.rows) == (ExitCode.CONFORMANT, {"dense.relu": ("pass", "")}), ended.output


# The surroundings


def shown(*command: str, shell: Shell, **options: Any) -> tuple[int, str]:
    """Return exit code and standard error of a command whose standard output is not a pipe."""
    ended = subprocess.run(
        command, cwd=shell.folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, check=False, **options
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("arguments", ["claims list", f"run {GOOD} --no-fetch --claim dense.relu -n 0"])
@pytest.mark.parametrize(
    ("redirection", "words"), [(">&-", "assay: standard output is closed."), ("> /dev/full", "assay: ")]
)
def test_output_that_goes_nowhere_is_an_error_of_one_sentence(
    arguments: str, redirection: str, words: str, shell: Shell
) -> None:
    code, said = shown("sh", "-c", f"{sys.executable} -m assay {arguments} {redirection}", shell=shell)
    assert (code, said.startswith(words), said.count("\n")) == (ExitCode.USAGE, True, 1), said


@pytest.mark.parametrize("arguments", ["claims list", f"run {GOOD}"])
def test_a_folder_that_is_gone_is_an_error_of_one_sentence(arguments: str, shell: Shell) -> None:
    command = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m assay {arguments}"
    assert shown("sh", "-c", command, shell=shell) == (
        ExitCode.USAGE,
        "assay: the current folder does not exist any more. Change to one that does\n",
    )


def test_a_terminal_without_unicode_is_written_to_all_the_same(shell: Shell, environment: Callable[..., None]) -> None:
    environment(PYTHONIOENCODING="ascii")
    ended = shell.assay("smoke", "nowhere")
    assert (ended.code, ended.output.startswith("\\u2717 unknown implementation")) == (1, True), ended.output
