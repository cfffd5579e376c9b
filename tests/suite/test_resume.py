"""Runs that were killed and go on: the journal, what is taken over from it, and when that is refused."""

from __future__ import annotations

import json
import signal
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from doubles import ledgers

from assay.adapters.source import digest_of_module, digest_of_peer
from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger import ledger
from assay.ledger.journal import Journal
from assay.runner import resume
from assay.specification.index import tests_folder

from .conftest import read_kind

if TYPE_CHECKING:
    from .conftest import Ended, Running, Shell

# The last one has three cases, of which the third hangs.
CLAIMS = ("dense.affine", "dense.relu", "dense.tanh", "dense.sigmoid", "dense.zeros")


def start(shell: Shell, *options: object, processes: int, command: str = "pytest") -> Running:
    """Begin to test the toy that notes its calls."""
    named = ("--results", "ledger.json", "--no-fetch", "-n", processes, *(f"--claim={id_}" for id_ in CLAIMS), *options)
    if command == "assay":
        return shell.start("-m", "assay", "run", "doubles.hostile:noted", *named)
    plugins = ("-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib")
    tests = tests_folder() / "test_dense.py"
    return shell.start("-m", "pytest", tests, *plugins, "--implementation", "doubles.hostile:noted", *named)


def kill_in_the_last_claim(shell: Shell, command: str, processes: int) -> Ended:
    """Kill a run once all is decided but a case of the last claim."""
    (shell.folder / "hang").write_text("zeros")
    file = shell.folder / "ledger.json"

    def is_there() -> bool:
        rows = {row.id: row.decided for row in ledger.read(file).claims} if file.exists() else {}
        return rows == {id_: id_ != CLAIMS[-1] for id_ in CLAIMS}

    killed = start(shell, command=command, processes=processes).kill_once(is_there)
    (shell.folder / "hang").unlink()
    (shell.folder / "calls").unlink()
    return killed


def without_times(content: dict[str, Any]) -> dict[str, Any]:
    """Leave the times of a ledger out."""
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in content["claims"]]
    return {key: value for key, value in content.items() if key != "time"} | {"claims": rows}


@pytest.mark.parametrize(("command", "processes"), [("pytest", 0), ("pytest", 2), ("assay", 2)])
def test_a_run_that_was_killed_goes_on_where_it_was(command: str, processes: int, shell: Shell) -> None:
    killed = kill_in_the_last_claim(shell, command, processes)
    assert (killed.code, killed.ledger["complete"]) == (-signal.SIGKILL, False)
    if command == "pytest":
        # As a process leaves it that was killed while it wrote.
        with (shell.folder / "ledger.json").open("a") as file:
            file.write('{"id": "dense.zeros", "outc')
    resumed = start(shell, "--resume", command=command, processes=processes).wait()
    assert (resumed.code, "resumed: 4 claims are decided already" in resumed.output) == (ExitCode.CONFORMANT, True)
    assert (shell.folder / "calls").read_text().split() == ["zeros"] * 3
    found = without_times(resumed.ledger)
    assert found == without_times(start(shell, command=command, processes=processes).wait().ledger)
    assert found["complete"] is False  # Only single claims were asked for.
    assert [row["id"] for row in found["claims"]] == [*CLAIMS]


def test_a_run_that_has_nothing_left_to_do_says_its_verdict(shell: Shell) -> None:
    before = start(shell, processes=0).wait()
    (shell.folder / "calls").unlink()
    again = start(shell, "--resume", processes=0, command="assay").wait()
    assert (again.code, (shell.folder / "calls").exists()) == (ExitCode.CONFORMANT, False), again.output
    assert without_times(again.ledger) == without_times(before.ledger)


def test_a_failure_before_the_kill_still_counts(shell: Shell) -> None:
    file = shell.folder / "ledger.json"
    options = ("--results", file, "--claim=dense.relu", "--claim=dense.zeros")
    first = shell.dense("wrong_from_one", *options)
    assert first.rows["dense.relu"][0] == "fail"
    again = shell.dense("wrong_from_one", *options, "--resume")
    assert (again.code, again.rows) == (ExitCode.NOT_CONFORMANT, first.rows)


def test_a_run_under_other_conditions_is_not_resumed(shell: Shell) -> None:
    start(shell, processes=0).wait()
    before = (shell.folder / "ledger.json").read_bytes()
    refused = start(shell, "--resume", "--seed=7", "--precision=tf32", processes=0, command="assay").wait()
    assert (refused.code, read_kind(refused.output)) == (ExitCode.USAGE, ErrorKind.CHANGED_CONDITIONS)
    named = (str(shell.folder / "ledger.json"), "precision is float32", "is tf32", "seed is 0", "is 7")
    assert [name for name in named if name not in refused.output] == []
    assert (shell.folder / "ledger.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--resume", "--claim=dense.relu"], "--results"),
        (["--resume", "--results=/dev/null"], "/dev/null"),
        (["--resume", "--results=a.json", "--claim=dense.relu", "--replay=AAA="], "--replay"),
    ],
)
def test_what_cannot_be_resumed_is_said(options: list[str], named: str, shell: Shell) -> None:
    ended = shell.assay("run", "doubles.badly_behaved:good", "-n", 0, *options)
    assert (ended.code, read_kind(ended.output)) == (ExitCode.USAGE, ErrorKind.CONFLICTING_OPTIONS), ended.output
    assert ("--resume" in ended.output, named in ended.output, "Traceback" in ended.output) == (True, True, False)


# Conditions


CONDITIONS = {"seed": "0", "version of numpy": "2.0", "digest of the adapter's source": "aa", "shard": ""}


def resumable(folder: Path, conditions: dict[str, str]) -> Path:
    """Write a ledger that was made under conditions."""
    path = folder / "ledger.json"
    path.write_text(json.dumps(ledgers.ledger(relu="pass") | {"conditions": conditions}), encoding="utf-8")
    return path


def test_the_same_conditions_have_no_difference(tmp_path: Path) -> None:
    before = resume.read(resumable(tmp_path, CONDITIONS), CONDITIONS)
    assert before is not None
    assert [row.id for row in before.claims] == ["dense.relu"]
    assert resume.read(tmp_path / "none.json", CONDITIONS) is None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": "1"}, ["seed", "0", "1"]),
        ({"shard": "1/2"}, ["shard", "none", "1/2"]),
        ({"version of torch": "2.1"}, ["version of torch", "none", "2.1"]),
        ({"digest of the adapter's source": "bb"}, ["the adapter's source"]),
        ({"digest of the adapter's source": ""}, ["the adapter's source"]),
    ],
)
def test_a_difference_is_one_sentence(changed: dict[str, str], named: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        resume.read(resumable(tmp_path, CONDITIONS), CONDITIONS | changed)
    assert raised.value.kind == ErrorKind.CHANGED_CONDITIONS
    named = [str(tmp_path / "ledger.json"), *named]
    assert [name for name in named if name not in raised.value.problem] == []
    assert (raised.value.problem.count(". "), raised.value.hint) == (1, resume.HINT)


def test_a_ledger_without_conditions_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        resume.read(resumable(tmp_path, {}), CONDITIONS)
    assert raised.value.kind == ErrorKind.CHANGED_CONDITIONS


def digest_of(path: Path) -> str:
    """Return the digest of a module that has no package."""
    module = types.ModuleType("mine")
    module.__file__, module.__package__ = str(path), ""
    return digest_of_module(module)


def test_the_source_of_a_module_is_what_it_imports_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def start():\n    import helper")
    (tmp_path / "helper.py").write_text("from parts.one import x")
    (tmp_path / "parts").mkdir()
    digests = []
    for name in ("parts/one.py", "helper.py", "mine.py", "other.py"):
        digests.append(digest_of(tmp_path / "mine.py"))
        with (tmp_path / name).open("a") as file:
            file.write("\n# changed")
    digests.append(digest_of(tmp_path / "mine.py"))
    # All but the one that nothing imports.
    assert (len(set(digests)), digests[-1] == digests[-2]) == (4, True)


def test_the_source_of_a_peer_is_its_file_and_its_program(tmp_path: Path) -> None:
    (tmp_path / "peer.toml").write_text("")
    digests = []
    for name in ("main.js", "peer.toml", "other.js"):
        digests.append(digest_of_peer(tmp_path / "peer.toml", ["node", "main.js"]))
        (tmp_path / name).write_text("changed")
    digests.append(digest_of_peer(tmp_path / "peer.toml", ["node", "main.js"]))
    assert (len(set(digests)), digests[-1] == digests[-2]) == (3, True)


# The journal

SECONDS_OF_100_000 = 2.0
HEAD = {key: value for key, value in ledgers.ledger().items() if key != "claims"}
ROW = {"id": "dense.tanh", "outcome": "pass", "seconds": 1.0}


def write(path: Path) -> Journal:
    """Write a journal with one row, and add another one."""
    made = Journal(path)
    made.begin(HEAD, [ROW])
    made.add([ROW | {"id": "dense.relu"}, {"seed": 5}])
    return made


def test_a_journal_is_read_as_a_ledger_that_is_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    made = write(path)
    made.add([ROW | {"seconds": 2.0}])
    found = ledger.read(path)
    # In the document's order, the last row of each claim.
    assert [(row.id, row.seconds) for row in found.claims] == [("dense.relu", 1.0), ("dense.tanh", 2.0)]
    assert (found.complete, found.seed, found.time) == (False, 5, None)


def test_a_journal_only_grows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    made = write(path)
    before, place = path.read_bytes(), path.stat().st_ino
    made.add([ROW | {"seconds": 3.0}])
    assert (path.read_bytes().startswith(before), path.stat().st_ino) == (True, place)


@pytest.mark.parametrize("cut", [1, 20])
def test_a_last_line_that_is_not_whole_is_left_out(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    write(path).add([ROW | {"id": "dense.sigmoid"}])
    path.write_bytes(path.read_bytes()[:-cut])
    assert [row.id for row in ledger.read(path).claims] == ["dense.relu", "dense.tanh"]


@pytest.mark.parametrize(
    ("line", "kind", "place"),
    [
        ("{", ErrorKind.INVALID_SYNTAX, "line 5"),
        ("[]", ErrorKind.INVALID_FORMAT, "line 5"),
        ('{"id": 3}', ErrorKind.INVALID_FORMAT, "line 5"),
        ('{"id": "a", "id": "b"}', ErrorKind.INVALID_SYNTAX, "line 5"),
        ("[" * 100_000, ErrorKind.INVALID_SYNTAX, "line 5"),
        ('{"id": "a.b", "outcome": "good", "seconds": 1}', ErrorKind.INVALID_FORMAT, "claims.2.outcome"),
    ],
)
def test_a_line_that_is_wrong_is_named(line: str, kind: ErrorKind, place: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    write(path)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError) as raised:
        ledger.read(path)
    assert (raised.value.kind, place in str(raised.value)) == (kind, True)


def test_what_could_not_be_written_is_written_with_what_comes_next(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    made = write(path)
    # A file that is not there any more stands for every error: the journal begins again with all of it.
    path.unlink()
    with pytest.raises(UserError) as raised:
        made.add([ROW])
    assert (raised.value.kind, made.is_open) == (ErrorKind.UNWRITABLE_FILE, False)
    made.begin(HEAD, [ROW])
    assert [row.id for row in ledger.read(path).claims] == ["dense.tanh"]


def test_a_journal_of_100_000_rows_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    Journal(path).begin(HEAD, [ROW | {"id": f"a.claim-{number}"} for number in range(100_000)])
    began = time.process_time()
    found = ledger.read(path)
    assert (len(found.claims), time.process_time() - began < SECONDS_OF_100_000) == (100_000, True)
