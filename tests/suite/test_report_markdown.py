"""Markdown: the verdict, the sections, the failures; and no text of a ledger becomes markup."""

from __future__ import annotations

import re

import pytest
from doubles.ledgers import ledger, typed

from assay.reports import pull_request
from assay.reports.markdown import LONGEST_REASON, MOST_DETAILS, block, code, plain
from assay.specification.claims import specification

MARKUP = "<b>|`*_#@~$[](http://example.org)!\\&amp;"


def report(*, results: tuple[str, ...] = (), **outcomes: str) -> str:
    """Return the report of a shard, which has as many claims as rows."""
    return pull_request.render([typed(ledger(results=results, **outcomes) | {"shard": {"number": 1, "of": 2}})])


def test_the_verdict_comes_first() -> None:
    text = report(relu="pass", tanh="fail", zeros="skipped")
    assert text.startswith("### Assay: toy: not conformant\n\n")
    sentence = "does not conform. Against it: 1 fail. Scope: 1 of 1 group: 1 of 3 claims pass, 1 skipped."
    assert f"<code>toy 1.0 (numpy 2.0), core profile</code> {plain(sentence)[:-1]}.\n" in text
    assert "It is shard 1 of 2, and so a part of its profile.\n" in text


def test_outcomes_are_counted_by_section() -> None:
    text = report(relu="pass", tanh="fail", zeros="skipped", unheard="pass")
    assert (
        "| section | pass | skipped | fail |\n"
        "| --- | --- | --- | --- |\n"
        "| The Dense layer | 1 | 1 | 1 |\n"
        "| claims unknown to this specification | 1 |  |  |\n"
    ) in text


def test_failures_have_their_reason_and_replay_in_details() -> None:
    text = report(relu="pass", tanh="fail")
    claim = specification().claims["dense.tanh"]
    statement = plain(f"{claim.statement} ({specification().place(claim)})")
    assert f"<details><summary><code>dense.tanh</code> fail: {statement}</summary>" in text
    assert (
        "\n\n```text\ntanh is off\nby 1\n```\n\nReplay:\n\n```text\npython -m assay run toy --claim dense.tanh\n"
        in text
    )
    assert text.count("<details>") == text.count("</details>") == 1


def test_allowed_results_are_told() -> None:
    text = report(relu="pass", results=("one", "<two>"))
    assert "| <code>dense.relu</code> | <code>one</code>, <code>&#60;two&#62;</code> |" in text


def test_the_first_of_many_failures_are_explained() -> None:
    text = report(**{f"claim{number}": "fail" for number in range(100)})
    assert text.count("<details>") == MOST_DETAILS
    assert f"And {100 - MOST_DETAILS} more, which the ledger has." in text


def test_each_ledger_has_its_summary() -> None:
    text = pull_request.render([typed(ledger(relu=outcome)) for outcome in ("pass", "fail")])
    assert re.findall("^### .*", text, re.MULTILINE) == [
        "### Assay: toy 1.0 (1): conformant",
        "### Assay: toy 1.0 (2): not conformant",
    ]


def test_nothing_in_a_line_is_markup() -> None:
    # A link needs its brackets, and an address its colon.
    assert set(plain(MARKUP)) & set("<>|`*_~$[]!\\@") == set()
    assert ":" not in plain(MARKUP)
    assert plain("a\n\n# b") == "a &#35; b"
    assert code("a|b") == "<code>a&#124;b</code>"


@pytest.mark.parametrize("text", ["```", "a ```` b", "```\n</details>\n"])
def test_no_fence_in_a_text_ends_its_block(text: str) -> None:
    fence = block(text).partition("text\n")[0]
    assert set(fence) == {"`"}
    assert fence not in text
    assert block(text) == f"{fence}text\n{text}\n{fence}"


def test_a_long_reason_is_cut_and_a_replay_is_not() -> None:
    content = ledger(relu="fail")
    content["claims"][0] |= {"reason": "x" * 9 * LONGEST_REASON, "replay": "y" * 9 * LONGEST_REASON}
    text = pull_request.render([typed(content)])
    assert f"\n{'x' * LONGEST_REASON} ...\n" in text
    assert f"\n{'y' * 9 * LONGEST_REASON}\n" in text


def test_what_a_ledger_says_stays_text_wherever_it_stands() -> None:
    content = ledger(relu="fail")
    content["implementation"] |= {"name": MARKUP, "version": MARKUP, "frameworks": {MARKUP: MARKUP}}
    content["claims"][0] |= {"id": MARKUP, "reason": f"{MARKUP}\n```\n# {MARKUP}", "replay": MARKUP}
    text = pull_request.render([typed(content | {"shard": {"number": 1, "of": 2}})])
    outside = re.sub(r"^(````?)text\n.*?^\1\n", "", text, flags=re.DOTALL | re.MULTILINE)
    assert MARKUP not in outside
    assert "<b>" not in outside
