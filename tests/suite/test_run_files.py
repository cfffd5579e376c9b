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

from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import lock, output_file

from .conftest import ENVIRONMENT, read_kind

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


def says(ended: Ended, name: str) -> tuple[int, str, bool]:
    """Return the exit code, the kind of error, and whether its line contains a name, without a traceback."""
    last = ended.output.strip().splitlines()[-1]
    return ended.code, read_kind(last), name in last and "Traceback" not in ended.output


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
    with pytest.raises(UserError) as raised:
        output_file.write(tmp_path / "pipe", "text", "ledger")
    assert (raised.value.kind, str(tmp_path / "pipe") in str(raised.value)) == (ErrorKind.UNWRITABLE_FILE, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_device_stays_one_and_may_be_full(shell: Shell) -> None:
    said = says(run(shell, "--results", "/dev/full"), "/dev/full")
    assert said == (ExitCode.USAGE, ErrorKind.UNWRITABLE_FILE, True)
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.parametrize(
    ("option", "value", "kind", "named"),
    [
        ("--results", ".", ErrorKind.UNWRITABLE_FILE, " . "),
        ("--results", "no/ledger.json", ErrorKind.UNWRITABLE_FILE, "no/ledger.json"),
        ("--results", "a" * 300, ErrorKind.UNWRITABLE_FILE, "a" * 300),
        ("--report", "no/page.html", ErrorKind.UNWRITABLE_FILE, "no/page.html"),
        ("--claim-timeout", "1e300", ErrorKind.INVALID_ARGUMENT, "--claim-timeout 1e+300"),
        ("--claim-timeout", "inf", ErrorKind.INVALID_ARGUMENT, "--claim-timeout inf"),
        ("-n", "many", ErrorKind.INVALID_ARGUMENT, "--processes: 'many'"),
    ],
)
def test_what_cannot_be_is_said_before_the_run(
    option: str, value: str, kind: ErrorKind, named: str, shell: Shell
) -> None:
    ended = run(shell, option, value)
    assert (says(ended, named), "collected" in ended.output) == ((ExitCode.USAGE, kind, True), False), ended.output


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
    kind = f"[{ErrorKind.UNWRITABLE_FILE}]"
    assert (ended.code, "ledger.json" in ended.output, kind in ended.output) == (ExitCode.USAGE, True, True)


def test_a_ledger_is_written_by_one_run_at_a_time(shell: Shell) -> None:
    held = lock.acquire((shell.folder / "ledger.json").resolve(), "ledger")
    try:
        said = says(run(shell, "--results", "ledger.json"), "ledger.json")
    finally:
        assert held is not None
        held.release()
    assert said == (ExitCode.USAGE, ErrorKind.FILE_IN_USE, True)


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


def run_without_pipe(*command: str, shell: Shell, **options: Any) -> tuple[int, str]:
    """Return exit code and standard error of a command whose standard output is not a pipe."""
    ended = subprocess.run(
        command, cwd=shell.folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, check=False, **options
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("arguments", "redirection", "kind"),
    [
        ("claims list", ">&-", ErrorKind.UNWRITABLE_FILE),
        ("claims list", "> /dev/full", ErrorKind.SYSTEM_ERROR),
        (f"run {GOOD} --no-fetch --claim dense.relu -n 0", ">&-", ErrorKind.UNWRITABLE_FILE),
        (f"run {GOOD} --no-fetch --claim dense.relu -n 0", "> /dev/full", ErrorKind.UNWRITABLE_FILE),
    ],
)
def test_output_that_goes_nowhere_is_an_error_of_one_sentence(
    arguments: str, redirection: str, kind: ErrorKind, shell: Shell
) -> None:
    code, said = run_without_pipe("sh", "-c", f"{sys.executable} -m assay {arguments} {redirection}", shell=shell)
    assert (code, read_kind(said), said.startswith("assay: "), said.count("\n")) == (ExitCode.USAGE, kind, True, 1), (
        said
    )


@pytest.mark.parametrize("arguments", ["claims list", f"run {GOOD}"])
def test_a_folder_that_is_gone_is_an_error_of_one_sentence(arguments: str, shell: Shell) -> None:
    command = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m assay {arguments}"
    code, said = run_without_pipe("sh", "-c", command, shell=shell)
    assert (code, read_kind(said)) == (ExitCode.USAGE, ErrorKind.MISSING_FILE), said
    assert (said.startswith("assay: "), said.count("\n")) == (True, 1)


def test_a_terminal_without_unicode_is_written_to_all_the_same(shell: Shell, environment: Callable[..., None]) -> None:
    environment(PYTHONIOENCODING="ascii")
    ended = shell.assay("smoke", "nowhere")
    assert (ended.code, ended.output.startswith("\\u2717 ")) == (ExitCode.NOT_CONFORMANT, True), ended.output
    assert read_kind(ended.output) == ErrorKind.UNKNOWN_IMPLEMENTATION
