"""The ledger: how rows are joined, counted, written and read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from assay.errors import ErrorKind, UserError
from assay.ledger.draft import Draft
from assay.ledger.ledger import Row, Subject, as_json, read, row_as_json, write
from assay.ledger.outcomes import Outcome

FROM_BEST_TO_WORST = [
    *("pass", "unsupported", "skipped", "expected failure", "unexpected pass"),
    *("fail", "error", "timeout", "crash"),
]


def row(outcome: str, id_: str = "a.one", seconds: float = 1.0) -> Row:
    """Make a row, with a reason where it needs one."""
    if outcome == "pass":
        return Row(id_, Outcome.PASS, seconds)
    return Row(id_, Outcome(outcome), seconds, f"why {outcome}", f"replay {outcome}")


def ledger(*rows: tuple[Row, str]) -> Draft:
    """Make the draft of a ledger of a profile of three claims, of which the first has two tests."""
    made = Draft(
        precision="float32",
        suite="0.1.0",
        document="0" * 64,
        implementation=Subject(
            name="toy",
            version="1.0",
            frameworks={"numpy": "2.0"},
            device=None,
            measured_precision=None,
            groups=("ops",),
        ),
        profile="core",
        seed=0,
        data={"mnist": "somewhere"},
        awaited={"a.one": {"test_one", "test_other"}, "a.two": {"test_two"}, "b.one": {"test_three"}},
    )
    for each, test in rows:
        made.add(each)
        made.close([each.id], test)
    return made


ALL = (
    (row("pass"), "test_one"),
    (row("pass"), "test_other"),
    (row("fail", "a.two"), "test_two"),
    (row("unsupported", "b.one"), "test_three"),
)


# Rows


def test_outcomes_are_ranked_from_the_best_to_the_worst() -> None:
    assert [outcome.value for outcome in Outcome] == FROM_BEST_TO_WORST


def test_only_these_outcomes_conform() -> None:
    conforming = {outcome.value for outcome in Outcome if outcome.conforms}
    assert conforming == {"pass", "unsupported", "skipped", "expected failure"}


@pytest.mark.parametrize("worse", FROM_BEST_TO_WORST)
@pytest.mark.parametrize("better", FROM_BEST_TO_WORST)
def test_the_worse_of_two_tests_decides_whichever_comes_first(better: str, worse: str) -> None:
    if FROM_BEST_TO_WORST.index(better) > FROM_BEST_TO_WORST.index(worse):
        better, worse = worse, better
    expected = row(worse, seconds=2.0)
    assert (row(better).merge(row(worse)), row(worse).merge(row(better))) == (expected, expected)


def test_of_two_failures_the_first_is_told() -> None:
    first, second = Row("a.one", Outcome.FAIL, 1.0, "first", "1"), Row("a.one", Outcome.FAIL, 1.0, "second", "2")
    assert first.merge(second).reason == "first"


def test_numbers_that_json_lacks_become_null() -> None:
    row = Row("a.one", Outcome.PASS, 1.0, evidence={"losses": [0.5, math.nan, math.inf]})
    assert row_as_json(row)["evidence"] == {"losses": [0.5, None, None]}


def test_the_evidence_of_both_tests_is_kept() -> None:
    first = Row("a.one", Outcome.PASS, 1.0, evidence={"accuracy": 0.9})
    second = Row("a.one", Outcome.FAIL, 1.0, "why", evidence={"loss": 0.1})
    assert first.merge(second).evidence == {"accuracy": 0.9, "loss": 0.1}


def test_a_pass_has_neither_reason_nor_replay() -> None:
    assert row_as_json(row("pass")) == {"id": "a.one", "outcome": "pass", "seconds": 1.0}


# The whole


def test_rows_are_counted_by_outcome() -> None:
    counts = {outcome.value: count for outcome, count in ledger(*ALL).ledger().counts.items() if count}
    assert counts == {"pass": 1, "fail": 1, "unsupported": 1}


@pytest.mark.parametrize("rows", [ALL, ()], ids=["rows", "none"])
def test_the_file_has_what_the_ledger_is(tmp_path: Path, rows: Any) -> None:
    found = ledger(*rows)
    found.write(tmp_path / "one.json")
    write(tmp_path / "other.json", found.ledger())
    assert (tmp_path / "one.json").read_text() == (tmp_path / "other.json").read_text()


def test_a_row_that_changes_is_written_anew(tmp_path: Path) -> None:
    found = ledger(ALL[0])
    found.write(tmp_path / "ledger.json")
    found.add(row("fail"))
    found.write(tmp_path / "ledger.json")
    assert json.loads((tmp_path / "ledger.json").read_text()) == json.loads(json.dumps(as_json(found.ledger())))


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        pytest.param(ALL, [], id="all have reported"),
        pytest.param((), ["a.one", "a.two", "b.one"], id="none has"),
        pytest.param(ALL[1:], ["a.one"], id="one of two tests of a claim has not"),
        pytest.param(ALL[:3], ["b.one"], id="the test of a claim has not"),
    ],
)
def test_a_ledger_is_complete_when_every_test_has_reported(rows: Any, missing: list[str]) -> None:
    found = ledger(*rows)
    assert (found.missing, found.ledger().complete) == (missing, not missing)


def test_a_claim_without_a_row_is_missing_though_no_test_is_awaited() -> None:
    found = ledger(*ALL)
    found.awaited["b.two"] = set()
    assert found.missing == ["b.two"]


def test_rows_stand_in_the_order_of_the_document_and_strangers_last() -> None:
    rows = [(row("pass", "c.one"), "test_four"), *reversed(ALL)]
    assert [each["id"] for each in as_json(ledger(*rows).ledger())["claims"]] == ["a.one", "a.two", "b.one", "c.one"]


# The file


@pytest.mark.parametrize("rows", [(), ALL, *[((row(outcome), "test_one"),) for outcome in FROM_BEST_TO_WORST]])
def test_what_is_written_is_read(rows: Any, tmp_path: Path) -> None:
    ledger(*rows).write(tmp_path / "ledger.json")
    assert read(tmp_path / "ledger.json") == ledger(*rows).ledger()


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    ledger(*ALL).write(tmp_path / "ledger.json")
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]


def test_the_old_ledger_stays_whole_until_the_new_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "ledger.json"
    ledger().write(path)
    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(UserError) as raised:
        ledger(*ALL).write(path)
    assert (raised.value.kind, str(path) in str(raised.value)) == (ErrorKind.UNWRITABLE_FILE, True)
    assert (read(path), list(tmp_path.iterdir())) == (ledger().ledger(), [path])


@pytest.mark.parametrize("place", ["no/ledger.json", ".", "/", "/dev/null/ledger.json"])
def test_a_place_that_cannot_be_written_is_named(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as raised:
        ledger().write(Path(place))
    assert (raised.value.kind, f" {place} " in str(raised.value)) == (ErrorKind.UNWRITABLE_FILE, True)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        pytest.param({"format": 2}, "format", id="another format"),
        pytest.param({"profile": "huge"}, "profile", id="profile"),
        pytest.param({"seed": -1}, "seed", id="seed"),
        pytest.param({"colour": "red"}, "top level", id="unknown key"),
        pytest.param(
            {"claims": [{"id": "a.one", "outcome": "fail", "seconds": 1}]},
            "claims.0",
            id="no reason",
        ),
        pytest.param(
            {"claims": [{"id": "a.one", "outcome": "fine", "seconds": 1}]},
            "claims.0.outcome",
            id="outcome",
        ),
        pytest.param({"counts": {"pass": 1}}, "top level", id="counts"),
        pytest.param(
            {"claims": [{"id": "a.one", "outcome": "pass", "seconds": 1}] * 2},
            "top level",
            id="a claim twice",
        ),
    ],
)
def test_a_file_that_is_no_ledger_is_told_with_the_place(changes: dict[str, Any], where: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(as_json(ledger(*ALL).ledger()) | changes))
    with pytest.raises(UserError) as raised:
        read(path)
    assert raised.value.kind == ErrorKind.INVALID_FORMAT
    assert (str(path) in str(raised.value), f"at {where}: " in str(raised.value)) == (True, True)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"", ErrorKind.INVALID_SYNTAX, id="empty"),
        pytest.param(b'{"format": 1,', ErrorKind.INVALID_SYNTAX, id="half"),
        pytest.param(b"\xff", ErrorKind.INVALID_SYNTAX, id="not UTF-8"),
        pytest.param(b"[]", ErrorKind.INVALID_FORMAT, id="a list"),
    ],
)
def test_a_damaged_file_is_told(content: bytes, kind: ErrorKind, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        read(path)
    assert (raised.value.kind, str(path) in str(raised.value)) == (kind, True)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    with pytest.raises(UserError) as raised:
        read(path)
    assert (raised.value.kind, str(path) in str(raised.value)) == (ErrorKind.MISSING_FILE, True)
