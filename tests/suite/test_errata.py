"""The list of errata: every place where the document is wrong, with what holds instead and the test that shows it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.specification import errata, index
from assay.specification.claims import specification
from assay.specification.errata import Finding

if TYPE_CHECKING:
    from .conftest import Shell

PAGE = Path(__file__).resolve().parents[2] / "spec" / "ERRATA.md"


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
    assert any("printed" in statement for statement in found), "no check is of what the document prints"
    assert len(found) > 1, "nothing is checked but what the document prints"


def test_the_page_in_the_repository_is_what_the_command_prints(shell: Shell) -> None:
    assert shell.assay("claims", "errata").output == PAGE.read_text(encoding="utf-8")


def test_other_programs_read_the_same_list(shell: Shell, found: list[Finding]) -> None:
    assert json.loads(shell.assay("claims", "errata", "--json").output) == errata.as_json(found)


def test_the_page_shows_the_text_and_no_markup_of_it() -> None:
    finding = Finding("a.b", "A", "1", "say *this*", "__init__ is <called>", "always", "It `is`.", ["tests/a.py::b"])
    page = errata.as_markdown([finding])
    assert r"\_\_init\_\_ is \<called>" in page
    assert r"say \*this\*" in page
