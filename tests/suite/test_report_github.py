"""Annotations and job summaries for GitHub Actions."""

from __future__ import annotations

from pathlib import Path

import pytest
from doubles.ledgers import ledger, typed

from assay.reports import github


def test_a_claim_that_does_not_hold_is_annotated() -> None:
    (line,) = github.annotate([typed(ledger(relu="fail", tanh="pass", sigmoid="skipped"))])
    assert line == (
        "::error title=toy%3A FAIL dense.relu::relu is max(x, 0) of every element, exactly.%0Arelu is off%0Aby 1"
        "%0Apython -m assay run toy --claim dense.relu"
    )


def test_a_conformant_run_is_not_annotated() -> None:
    assert [*github.annotate([typed(ledger(relu="pass"))])] == []


def test_a_run_without_a_verdict_is_annotated() -> None:
    (line,) = github.annotate([typed(ledger(relu="pass", undecided=("tanh",)))])
    assert line.startswith("::error::toy: no verdict, the run is incomplete. ")


def test_no_more_are_written_than_are_shown() -> None:
    names = ("relu", "tanh", "sigmoid", "zeros", "affine", "units", "any-rank", "any-size", "saturated", "bias-shape")
    ten = typed(ledger(**dict.fromkeys(names, "fail")))
    eleven = typed(ledger(**dict.fromkeys((*names, "kernel-shape"), "fail")))
    assert [len([*github.annotate([each])]) for each in (ten, eleven)] == [10, 10]
    assert [*github.annotate([eleven])][-1].startswith("::error::2 more claims count against toy")


def test_what_an_implementation_says_writes_no_command_of_its_own() -> None:
    content = ledger(relu="fail")
    content["claims"][0]["reason"] = "a\n::add-mask::b\r\n::error::100%"
    lines = [*github.annotate([typed(content)])]
    assert (len(lines), "\n" in lines[0], "\r" in lines[0], "100%25" in lines[0]) == (1, False, False, True)


def test_the_place_is_named_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = ledger(relu="fail")
    content["claims"][0]["failure"] = {"file": "tests/test_dense.py", "line": 30, "test": "test_relu"}
    monkeypatch.chdir(tmp_path)
    assert ",file=" not in next(github.annotate([typed(content)]))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_dense.py").touch()
    assert ",file=tests/test_dense.py,line=30::" in next(github.annotate([typed(content)]))


def test_the_report_is_added_to_the_summary_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    github.add_summary([typed(ledger(relu="fail"))])
    assert path.read_text().startswith("before\n### Assay: toy: not conformant\n")
