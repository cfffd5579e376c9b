"""The matrix of claims by version, and what it says since when each of them holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import ledger, typed

from assay.errors import ErrorKind, ExitCode, UserError
from assay.reports import matrix
from assay.specification.claims import specification

from .conftest import read_kind

if TYPE_CHECKING:
    from .conftest import Shell


THREE = {
    "old": ledger(relu="fail", tanh="pass"),
    "new": ledger(relu="pass", tanh="pass", unheard="pass"),
    "newest": ledger(relu="pass", tanh="skipped", unheard="error"),
}


def make(ledgers: dict[str, Any]) -> Any:
    return matrix.make({name: typed(content) for name, content in ledgers.items()})


@pytest.mark.parametrize(
    ("outcomes", "history"),
    [
        ("pass pass pass", "holds in all"),
        ("fail fail fail", "holds in none"),
        ("fail pass pass", "holds since b"),
        ("pass pass crash", "fails since c"),
        ("pass fail pass", "fails in b"),
        ("fail pass fail", "holds in b"),
        ("unexpected-pass expected-failure error", "fails since b"),
        ("skipped pass pass", "holds in all"),
        ("fail unsupported pass", "holds since c"),
        ("no-row skipped unsupported", "was tried in none"),
    ],
)
def test_the_history_says_since_when(outcomes: str, history: str) -> None:
    by_version = zip("abc", outcomes.split(), strict=True)
    assert matrix.history({version: outcome.replace("-", " ") for version, outcome in by_version}) == history


def test_ledgers_are_laid_side_by_side() -> None:
    made = make(THREE)
    assert [version["name"] for version in made["versions"]] == ["old", "new", "newest"]
    assert made["claims"] == [
        {
            "id": "dense.relu",
            "history": "holds since new",
            "outcomes": {"old": "fail", "new": "pass", "newest": "pass"},
            "reasons": {"old": "relu is off"},
        },
        {
            "id": "dense.tanh",
            "history": "holds in all",
            "outcomes": {"old": "pass", "new": "pass", "newest": "skipped"},
            "reasons": {"newest": "tanh is off"},
        },
        {
            "id": "dense.unheard",
            "history": "fails since newest",
            "outcomes": {"old": "no row", "new": "pass", "newest": "error"},
            "reasons": {"newest": "unheard is off"},
        },
    ]


def test_ledgers_of_different_suites_are_not_mixed() -> None:
    with pytest.raises(UserError) as raised:
        make({"old": THREE["old"] | {"suite": "0.0.2"}, "new": THREE["new"]})
    assert raised.value.kind == ErrorKind.MISMATCHED_RESULTS


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = make(THREE)
    (tmp_path / "matrix.json").write_text(matrix.as_json(made))
    assert matrix.read(tmp_path / "matrix.json") == made


def test_every_claim_has_a_line_of_its_own() -> None:
    made = make(THREE)
    lines = [line.strip().rstrip(",") for line in matrix.as_json(made).splitlines()]
    assert [json.loads(line) for line in lines if line.startswith('{"id"')] == made["claims"]


def test_the_page_tells_what_changes_and_then_everything() -> None:
    _, changes, everything = matrix.as_page(make(THREE)).split("<h2 id=")
    assert ["dense.relu" in changes, "dense.tanh" in changes, "dense.unheard" in changes] == [True, False, True]
    assert all(id_ in everything for id_ in ("dense.relu", "dense.tanh", "dense.unheard"))
    assert "old: relu is off" in " ".join(changes.split())
    assert specification().claims["dense.relu"].statement in changes


def test_every_claim_of_the_page_has_an_anchor_and_a_link() -> None:
    text = matrix.as_page(make(THREE))
    for id_ in ("claim-dense.relu", "claim-dense.tanh", "unknown-dense.unheard"):
        assert text.count(f' id="{id_}"') == 1
        assert f'href="#{id_}"' in text


def test_the_page_takes_names_and_reasons_as_text() -> None:
    strange = ledger(relu="fail")
    strange["claims"][0]["reason"] = "<script>alert()</script>"
    assert "<script>alert" not in matrix.as_page(make({"<b>": strange, "new": THREE["new"]}))


def test_the_command_makes_the_same_page_of_its_data(shell: Shell) -> None:
    for name, content in THREE.items():
        (shell.folder / f"{name}.json").write_text(json.dumps(content))
    sources = [f"{name}={name}.json" for name in THREE]
    first = shell.assay("matrix", *sources, "--data", "matrix.json", "-o", "one.html")
    again = shell.assay("matrix", "matrix.json", "-o", "other.html")
    assert (first.code, first.output) == (ExitCode.CONFORMANT, "matrix: matrix.json\npage: one.html\n")
    assert (again.code, again.output) == (ExitCode.CONFORMANT, "page: other.html\n")
    assert (shell.folder / "one.html").read_text() == (shell.folder / "other.html").read_text()


@pytest.mark.parametrize(
    ("sources", "kind", "named"),
    [
        (["old=old.json", "new"], ErrorKind.INVALID_ARGUMENT, "'new'"),
        (["old=old.json", "old=old.json"], ErrorKind.INVALID_ARGUMENT, "'old'"),
        (["old=missing.json"], ErrorKind.MISSING_FILE, "missing.json"),
        (["old.json"], ErrorKind.INVALID_FORMAT, "old.json"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(shell: Shell, sources: list[str], kind: ErrorKind, named: str) -> None:
    (shell.folder / "old.json").write_text(json.dumps(THREE["old"]))
    ended = shell.assay("matrix", *sources)
    assert (ended.code, read_kind(ended.output)) == (ExitCode.USAGE, kind), ended.output
    assert (named in ended.output, len(ended.output.splitlines())) == (True, 1), ended.output
