"""The list of errata: every place where the document is wrong, with what holds instead and the test that shows it."""

from __future__ import annotations

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
    return errata.findings(specification(), index.read(index.tests_folder()))


def test_every_erratum_of_the_claims_is_listed_once_in_the_documents_order(found: list[Finding]) -> None:
    assert [finding.claim for finding in found] == [
        id_ for id_, claim in specification().claims.items() if claim.erratum
    ]


def test_every_finding_is_another_one(found: list[Finding]) -> None:
    assert len({finding.document for finding in found}) == len(found)


def test_every_finding_has_a_test_that_shows_it(found: list[Finding]) -> None:
    functions = {f"tests/{test.file}::{test.function}" for test in index.read(index.tests_folder())}
    assert [finding.claim for finding in found if not finding.tests or not functions.issuperset(finding.tests)] == []


def test_the_page_in_the_repository_is_what_the_command_prints(shell: Shell) -> None:
    assert shell.assay("claims", "errata").output == PAGE.read_text(encoding="utf-8")


def test_other_programs_read_the_same_list(shell: Shell, found: list[Finding]) -> None:
    assert json.loads(shell.assay("claims", "errata", "--json").output) == errata.as_json(found)


def test_the_page_shows_the_text_and_no_markup_of_it() -> None:
    finding = Finding("a.b", "A", "1", "say *this*", "__init__ is <called>", "always", "It `is`.", ["tests/a.py::b"])
    page = errata.as_markdown([finding])
    assert r"\_\_init\_\_ is \<called>" in page
    assert r"say \*this\*" in page
