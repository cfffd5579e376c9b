"""Comparing: a regression is reported whatever it hides behind, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import ledger, typed

from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger.outcomes import Outcome
from assay.reports import compare as comparing
from assay.reports.compare import Change, Comparison, as_markdown, as_text
from assay.reports.markdown import MOST_DETAILS
from assay.runner.failure import LONGEST_REASON
from assay.specification.shards import Shard

if TYPE_CHECKING:
    from .conftest import Shell

FAILURES = ("fail", "error", "timeout", "crash")


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    return comparing.compare(typed(old), typed(new))


def compare_relu(old: str, new: str) -> Comparison:
    """Compare two ledgers in which relu came out like this, and tanh always holds."""
    return compare(ledger(relu=old, tanh="pass"), ledger(relu=new, tanh="pass"))


def changes(comparison: Comparison) -> dict[str, Change]:
    return {difference.id.partition(".")[2]: difference.change for difference in comparison.differences}


# What is a regression


@pytest.mark.parametrize("new", [*FAILURES, "unsupported"])
@pytest.mark.parametrize("old", ["pass", "unexpected_pass"])
def test_what_held_and_fails_or_is_opted_out_is_a_regression(old: str, new: str) -> None:
    found = compare_relu(old, new)
    assert (changes(found), found.code) == ({"relu": Change.REGRESSION}, ExitCode.NOT_CONFORMANT)


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("pass", "skipped", Change.NOT_TRIED),
        ("fail", "unsupported", Change.NOT_TRIED),
        ("pass", "expected_failure", Change.ACCEPTED),
        ("fail", "expected_failure", Change.ACCEPTED),
        ("pass", "unexpected_pass", Change.WORSE),
        ("fail", "crash", Change.WORSE),
        ("skipped", "fail", Change.WORSE),
        ("unsupported", "error", Change.WORSE),
        ("expected_failure", "fail", Change.WORSE),
        ("crash", "fail", Change.BETTER),
        ("fail", "pass", Change.BETTER),
        ("skipped", "pass", Change.BETTER),
        ("unsupported", "unexpected_pass", Change.BETTER),
        ("expected_failure", "unexpected_pass", Change.BETTER),
    ],
)
def test_everything_else_is_told_and_is_no_regression(old: str, new: str, change: Change) -> None:
    found = compare_relu(old, new)
    assert (changes(found), found.code) == ({"relu": change}, ExitCode.CONFORMANT)


@pytest.mark.parametrize("outcome", [outcome.value for outcome in Outcome])
def test_what_is_as_it_was_is_no_difference(outcome: str) -> None:
    assert compare_relu(outcome, outcome).differences == []


def test_another_allowed_result_is_told_and_is_no_regression() -> None:
    old, new = ledger(relu="pass", results=("one",)), ledger(relu="pass", results=("two", "<three>"))
    found = compare(old, new)
    assert (changes(found), found.code) == ({"relu": Change.RESULT}, ExitCode.CONFORMANT)
    assert "  dense.relu: pass (one) -> pass (two, <three>)\n" in as_text(found)
    assert "| pass (one) | pass (two, &#60;three&#62;) |" in as_markdown(found)
    assert compare(ledger(relu="pass"), new).differences == []


def test_from_one_reason_not_to_try_to_another_is_no_difference() -> None:
    assert compare_relu("skipped", "unsupported").differences == []


# Claims of another version of the suite


def test_added_removed_and_changed_claims_are_told_apart_and_their_failures_are_no_regression() -> None:
    old, new = ledger(relu="pass", tanh="pass", zeros="pass"), ledger(relu="pass", tanh="fail", sigmoid="fail")
    new["claims"][1]["digest"] = "another"
    found = compare(old, new)
    expected = {"tanh": Change.CHANGED, "sigmoid": Change.ADDED, "zeros": Change.REMOVED}
    assert (changes(found), found.code) == (expected, ExitCode.CONFORMANT)


def test_a_changed_claim_is_told_though_it_holds() -> None:
    old, new = ledger(relu="pass"), ledger(relu="pass")
    new["claims"][0]["digest"] = "another"
    assert changes(compare(old, new)) == {"relu": Change.CHANGED}


def test_without_digests_a_claim_is_taken_for_the_same_and_that_is_said() -> None:
    old = ledger(relu="pass")
    del old["claims"][0]["digest"]
    found = compare(old, ledger(relu="fail"))
    assert found.code == ExitCode.NOT_CONFORMANT
    assert "OLD has no digests of its claims: what has changed since is taken for the same." in found.remarks


# What is not the whole


@pytest.mark.parametrize("part", [{"undecided": ("zeros",)}, {"shard": Shard(1, 2)}], ids=["incomplete", "a shard"])
def test_without_the_whole_there_is_no_verdict_but_a_regression_is_one(part: dict[str, Any]) -> None:
    old = ledger(relu="pass", tanh="pass")
    found = [compare(old, ledger(relu=outcome, **part)) for outcome in ("pass", "fail")]
    assert [each.code for each in found] == [ExitCode.INCOMPLETE, ExitCode.NOT_CONFORMANT]
    # tanh is not decided, and neither removed nor added in the other direction.
    assert [changes(each) for each in found] == [{}, {"relu": Change.REGRESSION}]
    assert changes(compare(ledger(relu="pass", **part), old)) == {}
    assert found[0].verdict.startswith("no verdict: NEW is ")


def test_of_two_profiles_the_common_claims_count_and_that_is_said() -> None:
    new = ledger(relu="fail", sigmoid="fail") | {"profile": "full"}
    found = compare(ledger(relu="pass", tanh="pass"), new)
    assert changes(found) == {"relu": Change.REGRESSION}
    assert "OLD has profile core, NEW has full." in found.remarks
    assert "Of two profiles only the claims that both ledgers have are compared." in found.remarks
    assert found.verdict == "1 regression among the 1 claims that both ledgers have"


def test_another_document_is_not_compared() -> None:
    with pytest.raises(UserError) as raised:
        compare(ledger(relu="pass") | {"document": "0" * 64}, ledger(relu="pass"))
    assert raised.value.kind == ErrorKind.MISMATCHED_RESULTS


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"suite": "0.0.2"}, "OLD has suite 0.0.1, NEW has 0.0.2."),
        ({"seed": 3}, "OLD has seed 0, NEW has 3."),
        ({"name": "other"}, "OLD has implementation toy, NEW has other."),
        ({"device": None}, "OLD has device CPU, NEW has unknown."),
    ],
)
def test_what_else_is_different_is_said(change: dict[str, Any], remark: str) -> None:
    new = ledger(relu="pass")
    (new if change.keys() <= new.keys() else new["implementation"]).update(change)
    assert compare(ledger(relu="pass"), new).remarks == [remark]


def test_ledgers_of_the_same_run_need_no_remark() -> None:
    assert compare_relu("pass", "fail").remarks == []


# How it is reported


def test_the_command_gates(shell: Shell) -> None:
    for name, outcome in {"good": "pass", "bad": "fail", "skips": "skipped"}.items():
        (shell.folder / f"{name}.json").write_text(json.dumps(ledger(relu=outcome)))
    (shell.folder / "half.json").write_text(json.dumps(ledger(relu="pass", undecided=("tanh",))))
    codes = {name: shell.assay("compare", "good.json", f"{name}.json").code for name in ("good", "bad", "half", "no")}
    assert codes == {"good": 0, "bad": 1, "half": 6, "no": 4}


def test_the_text_ends_with_the_verdict_and_shows_how_to_see_the_regression() -> None:
    text = as_text(compare_relu("pass", "fail"))
    assert text.startswith("OLD: toy 1.0 (numpy 2.0), core profile\nNEW: toy 1.0 (numpy 2.0), core profile\n")
    assert text.endswith(
        "regression: 1\n"
        "  dense.relu: pass -> fail\n"
        "    relu is off\n"
        "    by 1\n"
        "    replay: python -m assay run toy --claim dense.relu\n"
        "1 regression among the 2 claims that both ledgers have"
    )


def test_the_markdown_begins_with_the_verdict_and_hides_the_details(shell: Shell) -> None:
    for name, outcomes in {"old": ("pass", "fail"), "new": ("crash", "pass")}.items():
        (shell.folder / f"{name}.json").write_text(json.dumps(ledger(relu=outcomes[0], tanh=outcomes[1])))
    ended = shell.assay("compare", "old.json", "new.json", "-o", "comment.md")
    assert ended.code == ExitCode.NOT_CONFORMANT
    text = (shell.folder / "comment.md").read_text()
    assert text.startswith("### Assay: 1 regression among the 2 claims that both ledgers have\n")
    assert "\n| <code>dense.relu</code> | pass | crash | <code>relu is off</code> |\n" in text
    assert (
        "\n```text\nrelu is off\nby 1\n```\n\nReplay:\n\n```text\npython -m assay run toy --claim dense.relu\n" in text
    )
    assert "\n<details><summary>1 better</summary>\n" in text


def test_many_differences_are_counted() -> None:
    many = [f"claim{number}" for number in range(200)]
    new = ledger(**dict.fromkeys(many, "fail"), **dict.fromkeys([f"new{name}" for name in many], "fail"))
    for row in new["claims"]:
        row["reason"] = "x" * LONGEST_REASON
    found = compare(ledger(**dict.fromkeys(many, "pass")), new)
    assert f"  and {200 - MOST_DETAILS} more" in as_text(found)
    assert f"And {200 - MOST_DETAILS} more, which the ledger has." in as_markdown(found)
    # As much as GitHub takes in a comment.
    assert len(as_markdown(found)) < 65_536


def test_halves_of_surrogate_pairs_are_told_too(shell: Shell) -> None:
    new = ledger(relu="fail")
    new["claims"][0]["reason"] = "\ud800"
    for name, content in {"old": ledger(relu="pass"), "new": new}.items():
        (shell.folder / f"{name}.json").write_text(json.dumps(content))
    ended = shell.assay("compare", "old.json", "new.json", "-o", "comment.md")
    assert (ended.code, r"    \ud800" in ended.output) == (ExitCode.NOT_CONFORMANT, True)
    assert "```text\n\\ud800\n```" in (shell.folder / "comment.md").read_text()
