"""The list of errata: every place where the document is wrong, with what holds instead and the test that shows it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.specification import document, errata, index
from assay.specification.claims import Translation, specification
from assay.specification.errata import Finding

if TYPE_CHECKING:
    from .conftest import Shell

SPEC = Path(__file__).resolve().parents[2] / "spec"
CHINESE = re.compile("[\u4e00-\u9fff]")
ASCII_PUNCTUATION = re.compile("[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    """Return what the list has."""
    folder = index.tests_folder()
    return errata.findings(specification(), index.read(folder), index.read_demonstrations(folder))


def test_every_erratum_of_the_claims_is_listed_once_in_the_documents_order(found: list[Finding]) -> None:
    assert [finding.claim for finding in found] == [
        id_ for id_, claim in specification().claims.items() if claim.erratum
    ]


def test_every_finding_is_another_one(found: list[Finding]) -> None:
    assert len({finding.document for finding in found}) == len(found)


def test_every_finding_has_a_test_that_shows_it(found: list[Finding]) -> None:
    folder = index.tests_folder()
    functions = {f"tests/{test.file}::{test.function}" for test in index.read(folder)}
    functions |= set(index.read_demonstrations(folder).values())
    assert [finding.claim for finding in found if not finding.tests or not functions.issuperset(finding.tests)] == []


DEMONSTRATIONS = index.read_demonstrations(index.tests_folder())


def test_every_erratum_is_demonstrated(found: list[Finding]) -> None:
    assert DEMONSTRATIONS.keys() == {finding.claim for finding in found}


def checks(function: ast.FunctionDef) -> list[ast.stmt]:
    """Return the statements of a test that check something: assertions, and expectations of an error or a warning."""
    statements = [node for node in ast.walk(function) if isinstance(node, ast.Assert | ast.With)]
    return [one for one in statements if isinstance(one, ast.Assert) or "pytest." in ast.unparse(one.items[0])]


@pytest.mark.parametrize("claim", DEMONSTRATIONS)
def test_a_demonstration_checks_what_is_printed_and_what_holds(claim: str) -> None:
    name, _, test = DEMONSTRATIONS[claim].rpartition("::")
    source = (index.tests_folder().parent / name).read_text(encoding="utf-8")
    [function] = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == test]
    found = [ast.unparse(statement) for statement in checks(function)]
    assert any("printed" in statement for statement in found), "nothing checks what the document prints"
    assert len(found) > 1, "nothing is checked but what the document prints"


@pytest.mark.parametrize(("options", "page"), [((), "ERRATA.md"), (("--language", "zh"), "ERRATA.zh.md")])
def test_the_pages_in_the_repository_are_what_the_command_prints(
    options: tuple[str, ...], page: str, shell: Shell
) -> None:
    assert shell.assay("claims", "errata", *options).output == (SPEC / page).read_text(encoding="utf-8")


def test_other_programs_read_the_same_list(shell: Shell, found: list[Finding]) -> None:
    assert json.loads(shell.assay("claims", "errata", "--json").output) == errata.as_json(found)


@pytest.mark.parametrize("field", ["document", "holds", "evidence"])
def test_every_erratum_is_in_both_languages(field: str, found: list[Finding]) -> None:
    texts = {finding.claim: (getattr(finding, field), getattr(finding.zh, field)) for finding in found}
    assert [claim for claim, (english, _) in texts.items() if not english or CHINESE.search(english)] == []
    assert [claim for claim, (_, chinese) in texts.items() if not CHINESE.search(chinese)] == []


def test_chinese_text_has_chinese_punctuation(found: list[Finding]) -> None:
    texts = [text for finding in found for text in (finding.zh.document, finding.zh.holds, finding.zh.evidence)]
    assert [text for text in texts if ASCII_PUNCTUATION.search(text) or not text.endswith("。")] == []


def test_measured_numbers_are_the_same_in_both_languages(found: list[Finding]) -> None:
    for finding in found:
        english = f"{finding.document} {finding.holds} {finding.evidence}"
        chinese = f"{finding.zh.document} {finding.zh.holds} {finding.zh.evidence}"
        lost = [number for number in re.findall(r"\d+\.\d{2,}", chinese) if number not in english]
        assert lost == [], finding.claim


def test_the_chinese_page_is_sorted_by_line(found: list[Finding]) -> None:
    page = errata.as_chinese_markdown(found)
    first = [int(line) for line in re.findall(r"^## \d+\. 第 (\d+)", page, re.MULTILINE)]
    assert len(first) == len(found)
    assert first == sorted(first)


ZH = Translation("说一", "是二", "见三。")


def test_the_page_shows_the_text_and_no_markup_of_it() -> None:
    finding = Finding(
        "a.b", "A", "1", "say *this*", "__init__ is <called>", "always", "It `is`.", ["tests/a.py::b"], ZH
    )
    page = errata.as_markdown([finding])
    assert r"\_\_init\_\_ is \<called>" in page
    assert r"say \*this\*" in page


def test_the_pages_name_the_document(found: list[Finding]) -> None:
    known = document.identity()
    english, chinese = errata.as_markdown(found[:1]), errata.as_chinese_markdown(found[:1])
    assert all(author in english for author in (known.title, known.book, *known.authors))
    assert "《简单粗暴 TensorFlow 2》（李锡涵、李卓桓、朱金鹏著）" in chinese
    assert all(f"<{known.address}>" in page for page in (english, chinese))
