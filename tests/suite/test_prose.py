"""The prose of the repository keeps the rules of `.vale`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import prose
import pytest
from prose import ROOT, Finding, Prose

from assay.specification.claims import specification


def is_included(page: Path) -> bool:
    """Whether a page of the site is nothing but a file that is included, and checked by its own name."""
    return "```{include}" in page.read_text(encoding="utf-8")


# Design decisions are a list of long arguments, and the protocol is a specification.
LONG = (Path("spec/README.md"), Path("assay/adapters/protocol/README.md"))
MARKDOWN = [
    *(Path(name) for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *LONG,
    *(path.relative_to(ROOT) for path in sorted((ROOT / "docs").glob("*.md")) if not is_included(path)),
]
PYTHON = [
    path.relative_to(ROOT)
    for folder in ("assay", "spec", "reference", "alternatives", "tests", "docs")
    for path in sorted((ROOT / folder).rglob("*.py"))
    # The rules' own words are in these two, and links lead to folders that are in the list themselves.
    if path.name not in {"prose.py", "test_prose.py"} and "node_modules" not in path.parts and path.resolve() == path
]


def findings(pieces: Any) -> list[Finding]:
    return [finding for piece in pieces for finding in prose.phrases(piece)]


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_pages_are_plain_english(path: Path) -> None:
    pieces = list(prose.markdown((ROOT / path).read_text(encoding="utf-8")))
    assert pieces
    assert findings(pieces) == []
    if path not in LONG:
        assert [finding for piece in pieces for finding in prose.long_sentences(piece)] == []


@pytest.mark.parametrize("folder", sorted({path.parts[0] for path in PYTHON}))
def test_docstrings_comments_and_messages_are_plain_english(folder: str) -> None:
    found = {
        str(path): bad
        for path in PYTHON
        if path.parts[0] == folder and (bad := findings(prose.python((ROOT / path).read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_claims_are_plain_english() -> None:
    texts = []
    for claim in specification().claims.values():
        texts.append((claim.id, claim.statement))
        if claim.erratum:
            texts += [(claim.id, claim.erratum.document), (claim.id, claim.erratum.evidence)]
        if claim.unspecified:
            texts += [(claim.id, claim.unspecified.question)]
            texts += [(claim.id, permitted.result) for permitted in claim.unspecified.permitted]
    found = [(id_, bad[0].text) for id_, text in texts if (bad := findings([Prose(1, "statement", text)]))]
    assert found == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("A peer is no program.", "Phrases"),
        ("It has to have a name.", "Phrases"),
        ("The second is checked likewise.", "Phrases"),
        ("Do something.\n\n    Args:\n        name: of the file.\n", "Args"),
    ],
)
def test_a_broken_rule_is_found(text: str, rule: str) -> None:
    assert [finding.rule for finding in findings([Prose(1, "docstring", text)])] == [rule]


@pytest.mark.parametrize("text", ["There is no device.", "It is no longer used.", "`x is no y` is code."])
def test_plain_english_breaks_no_rule(text: str) -> None:
    assert findings([Prose(1, "docstring", text)]) == []


def test_a_long_sentence_is_found_at_its_line() -> None:
    text = "Short.\n\nThis one " + "goes on and " * 15 + "ends."
    [found] = [finding for piece in prose.markdown(text) for finding in prose.long_sentences(piece)]
    assert (found.line, found.rule) == (3, "SentenceLength")


def test_code_is_not_prose() -> None:
    assert list(prose.markdown("```text\nThis is no prose.\n```\n")) == []
