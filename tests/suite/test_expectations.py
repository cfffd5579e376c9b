"""Expectations: a failure that is listed changes nothing, and nothing else about the list goes unnoticed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import ledger, typed

from assay import alternatives, reference
from assay.contract import GROUPS
from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger import expect, expectations
from assay.ledger.expectations import Expectation
from assay.ledger.ledger import Ledger, Row
from assay.ledger.outcomes import Outcome

from .conftest import read_kind

if TYPE_CHECKING:
    from .conftest import Shell

LINK = "https://example.org/issues/1"
RELU = Expectation("dense.relu", "it computes in float64", LINK)
ENTRY = f'[[expectation]]\nclaim = "dense.relu"\nreason = "it computes in float64"\nlink = "{LINK}"\n'
FOLDERS = [Path(package.__file__).parent / "expectations" for package in (reference, alternatives)]
FILES = sorted(path for folder in FOLDERS for path in folder.iterdir())
CLAIMS = ("dense.affine", "dense.relu", "dense.tanh", "dense.sigmoid")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a file of expectations may stand."""
    return tmp_path / "expectations.toml"


def make_entries(*claims: str, outcome: Outcome = Outcome.FAIL) -> list[Expectation]:
    return [Expectation(claim, "known", LINK, outcome) for claim in claims]


# The file


def test_an_entry_is_read_with_what_it_leaves_out(file: Path) -> None:
    file.write_text(ENTRY)
    assert expectations.read(file) == (RELU,)


def test_what_is_written_is_read_again(file: Path) -> None:
    before = (RELU, Expectation("dense.tanh", 'it says "no"', LINK, Outcome.CRASH, date(2027, 1, 31)))
    expect.write(file, before)
    assert expectations.read(file) == before


def test_a_file_may_expect_nothing(file: Path) -> None:
    file.write_text("")
    assert expectations.read(file) == ()


@pytest.mark.parametrize(
    ("content", "place", "named"),
    [
        pytest.param(ENTRY + ENTRY, "dense.relu", "expectations.toml", id="twice the same claim"),
        pytest.param(ENTRY.replace("reason", "why"), "entry 1 (dense.relu)", "`why`", id="an unknown key"),
        pytest.param(ENTRY.partition("link")[0], "entry 1 (dense.relu)", "`link`", id="no link"),
        pytest.param(ENTRY.replace("https", "see "), "entry 1 (dense.relu).link", "", id="an invalid link"),
        pytest.param(ENTRY + 'outcome = "pass"', "entry 1 (dense.relu)", "'pass'", id="a pass"),
        pytest.param(ENTRY + 'expires = "soon"', "entry 1 (dense.relu).expires", "", id="no day"),
        pytest.param('[expectations]\n"dense.relu" = "no"', "", "`expectations`", id="another form"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(file: Path, content: str, place: str, named: str) -> None:
    file.write_text(content)
    with pytest.raises(UserError) as raised:
        expectations.read(file)
    where, _, what = str(raised.value).removeprefix(str(file)).removeprefix(", ").partition(": ")
    assert (raised.value.kind, where, named in what) == (ErrorKind.INVALID_EXPECTATIONS, place, True), what


def test_a_file_that_is_not_toml_is_refused(file: Path) -> None:
    file.write_text("expectation = [")
    with pytest.raises(UserError) as raised:
        expectations.read(file)
    assert (raised.value.kind, str(file) in str(raised.value)) == (ErrorKind.INVALID_SYNTAX, True)


def test_two_files_about_the_same_claim_are_refused(file: Path) -> None:
    other = file.with_name("other.toml")
    for path in (file, other):
        path.write_text(ENTRY)
    with pytest.raises(UserError) as raised:
        expectations.read(file, other)
    named = (str(file), str(other), "dense.relu")
    assert raised.value.kind == ErrorKind.INVALID_EXPECTATIONS
    assert [name for name in named if name not in str(raised.value)] == []


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(UserError) as raised:
        expectations.read(file)
    assert (raised.value.kind, str(file) in str(raised.value)) == (ErrorKind.MISSING_FILE, True)


@pytest.mark.parametrize(
    ("expectation", "named"),
    [
        pytest.param(Expectation("dense.rely", "a slip", LINK), "unknown claim", id="no claim"),
        pytest.param(Expectation("dense.use-bias-default", "opted out", LINK), "group keras", id="opted out"),
        pytest.param(Expectation("dense.relu", "old", LINK, expires=date(2026, 11, 23)), "2026-11-23", id="expired"),
    ],
)
def test_what_can_never_come_true_is_refused(expectation: Expectation, named: str) -> None:
    with pytest.raises(UserError) as raised:
        expectations.check([expectation], ["ops"], date(2026, 11, 24))
    assert raised.value.kind == ErrorKind.STALE_EXPECTATION
    assert (expectation.claim in str(raised.value), named in str(raised.value)) == (True, True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_expected_can_come_true(path: Path) -> None:
    # That an entry has expired is for a run to say, whose news it is.
    expectations.check(expectations.read(path), GROUPS, date.min)


def test_an_expectation_is_believed_on_its_last_day() -> None:
    last = Expectation("dense.relu", "old", LINK, expires=date(2026, 11, 24))
    expectations.check([last], ["ops"], date(2026, 11, 24))


# Outcomes


@pytest.mark.parametrize(
    ("expected", "found", "decided", "settled"),
    [
        ("fail", "fail", True, "expected failure"),
        ("fail", "fail", False, "expected failure"),
        ("fail", "pass", True, "unexpected pass"),
        ("fail", "pass", False, "pass"),
        ("fail", "error", True, "error"),
        ("error", "fail", True, "expected failure"),
        ("crash", "timeout", True, "expected failure"),
        ("fail", "skipped", True, "skipped"),
        ("fail", "unsupported", True, "unsupported"),
    ],
)
def test_what_was_expected_settles_what_was_found(expected: str, found: str, decided: Any, settled: str) -> None:
    expectation = Expectation("dense.relu", "known", LINK, Outcome(expected))
    row = Row("dense.relu", Outcome(found), 1.0, "why", "again", decided=decided)
    assert expectation.settle(row).outcome == Outcome(settled)


def test_an_expected_failure_tells_both_why_and_what() -> None:
    row = Row("dense.relu", Outcome.FAIL, 1.0, "relu has dtype float64", "again", digest="1a")
    settled = RELU.settle(row)
    assert settled.reason == f"expected: it computes in float64 ({LINK})\nrelu has dtype float64"
    assert (settled.replay, settled.digest) == ("again", "1a")


# A run


def run_with(shell: Shell, toy: str, entries: list[Expectation], *options: object, processes: int = 0) -> Any:
    expect.write(shell.folder / "known.toml", entries)
    claims = [part for claim in CLAIMS for part in ("--claim", claim)]
    return shell.dense(toy, "--expectations", "known.toml", *claims, *options, processes=processes)


@pytest.mark.parametrize("processes", [0, 1])
def test_a_run_with_no_other_failures_conforms(shell: Shell, processes: int) -> None:
    ended = run_with(shell, "wrong_results", make_entries(*CLAIMS[1:]), processes=processes)
    assert ended.code == ExitCode.CONFORMANT
    assert "3 fail as expected" in ended.output
    assert {id_: outcome for id_, (outcome, _) in ended.rows.items()} == {
        "dense.affine": "pass",
        **dict.fromkeys(CLAIMS[1:], "expected failure"),
    }


def test_an_unexpected_pass_fails_the_run(shell: Shell) -> None:
    ended = run_with(shell, "good", make_entries("dense.relu"))
    assert ended.code == ExitCode.NOT_CONFORMANT
    assert f"UNEXPECTED PASS dense.relu: holds, but was expected not to: known ({LINK})" in ended.output
    assert ended.rows["dense.relu"][0] == "unexpected pass"


def test_a_failure_that_is_not_listed_fails_the_run(shell: Shell) -> None:
    ended = run_with(shell, "wrong_results", make_entries("dense.relu", "dense.tanh"))
    assert ended.code == ExitCode.NOT_CONFORMANT
    assert ended.rows["dense.sigmoid"][0] == "fail"


def test_a_crash_can_be_expected_and_a_timeout_too(shell: Shell) -> None:
    known = make_entries("dense.relu", "dense.tanh", "dense.sigmoid", outcome=Outcome.CRASH)
    ended = run_with(shell, "endings", known, "--claim-timeout", 2, processes=1)
    assert ended.code == ExitCode.CONFORMANT
    assert {ended.rows[id_][0] for id_ in CLAIMS[1:]} == {"expected failure"}


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        (make_entries("dense.rely"), "dense.rely"),
        (make_entries("dense.use-bias-default"), "group keras"),
        ([Expectation("dense.relu", "old", LINK, expires=date(2020, 1, 1))], "2020-01-01"),
    ],
)
def test_a_dead_entry_ends_the_run_before_it_begins(shell: Shell, entries: list[Expectation], named: str) -> None:
    ended = run_with(shell, "good", entries)
    assert (ended.code, read_kind(ended.output)) == (ExitCode.USAGE, ErrorKind.STALE_EXPECTATION)
    assert named in ended.output
    assert not (shell.folder / "ledger.json").exists()


# From a ledger


def ledger_of(**outcomes: str) -> Ledger:
    return typed(ledger(**outcomes))


def test_what_fails_becomes_an_expectation() -> None:
    found = expect.update((), ledger_of(tanh="error", relu="fail", affine="pass", zeros="skipped"), LINK)
    assert found == [
        Expectation("dense.relu", "relu is off", LINK),
        Expectation("dense.tanh", "tanh is off", LINK, Outcome.ERROR),
    ]


def test_what_people_wrote_is_kept_as_long_as_it_is_true() -> None:
    known = make_entries("dense.affine", "dense.relu", "dense.tanh", "dense.sigmoid", "dense.zeros")
    found = ledger_of(affine="expected_failure", relu="crash", tanh="unexpected_pass", sigmoid="pass")
    assert expect.update(known, found, "https://example.org/new") == [
        *make_entries("dense.affine"),
        *make_entries("dense.relu", outcome=Outcome.CRASH),
        *make_entries("dense.zeros"),
    ]


def test_what_another_file_expects_is_not_written_again() -> None:
    assert expect.update((), ledger_of(relu="expected_failure"), LINK) == []


def test_the_command_writes_what_makes_the_next_run_conform(shell: Shell) -> None:
    first = run_with(shell, "wrong_results", [])
    assert first.code == ExitCode.NOT_CONFORMANT
    written = shell.assay("expect", "ledger.json", "-o", "found.toml", "--link", LINK, "--expires", "2999-12-31")
    assert written.output == "found.toml: 3 expectations, 3 of them new; 0 removed\n"
    again = run_with(shell, "wrong_results", list(expectations.read(shell.folder / "found.toml")))
    assert again.code == ExitCode.CONFORMANT


@pytest.mark.parametrize(
    "options", [["--link", "nowhere"], ["--link", LINK, "--expires", "soon"], []], ids=["link", "day", "none"]
)
def test_the_command_refuses_what_the_file_would(shell: Shell, options: list[str]) -> None:
    ended = shell.assay("expect", "ledger.json", "-o", "found.toml", *options)
    assert ended.code == ExitCode.USAGE
    assert len(ended.output.splitlines()) == 1
