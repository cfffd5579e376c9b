"""The claims: what the files may say, what the real ones do say, and that each has its lines and its test."""

from __future__ import annotations

import hashlib
import inspect
import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from assay import __version__
from assay.contract import GROUPS, PROTOCOLS
from assay.errors import ErrorKind, UserError
from assay.specification import document, index
from assay.specification.claims import (
    Claim,
    Permitted,
    Section,
    Specification,
    Unspecified,
    format_lines,
    load,
    parse_lines,
    specification,
)
from assay.specification.profiles import PROFILES

if TYPE_CHECKING:
    from pathlib import Path

REAL = specification()
CLAIMS = REAL.claims.values()
DOCUMENT_LINES = 924

DOCUMENT = """
sha256 = "none"
[sections]
one = { title = "One", lines = "1-3" }
two = { title = "Two", lines = "4-6" }
"""
CLAIM = """
[[claim]]
id = "one.first"
statement = "One and one are two."
lines = "1, 3"
kind = "exact"
needs = ["ops.dense"]
profile = "core"
since = "0.1"
"""
SILENT = '[silent]\nheading = "2"\n'
ONE = SILENT + CLAIM
UNSPECIFIED = """
[which]
question = "Which of them it is."
[[which.permitted]]
key = "first"
result = "It is the first."
seen = "Toy 1.0"
[[which.permitted]]
key = "last"
result = "It is the last."
"""
ERRATUM = 'erratum.document = "One and one are three."\nerratum.evidence = "They are two."\n'
# Escaped, as these files are written in Latin-1.
CHINESE = "".join(f'erratum.zh.{field} = "\\u4e8c\\u3002"\n' for field in ("document", "holds", "evidence"))
TWO = ONE.replace("one.", "two.").replace('"1, 3"', '"4, 6"').replace('"2"', '"5"')


def write(folder: Path, **files: str) -> Path:
    """Write a specification of two sections."""
    for name, content in {"document": DOCUMENT, **files}.items():
        (folder / f"{name}.toml").write_text(content, encoding="latin-1")
    return folder


def complaint(folder: Path, kind: ErrorKind = ErrorKind.INVALID_SPECIFICATION) -> str:
    """Return what is wrong with a specification, in an error of this kind."""
    with pytest.raises(UserError) as raised:
        load(folder)
    assert raised.value.kind == kind
    return str(raised.value)


# Reading


def test_a_claim_is_read_as_it_stands(tmp_path: Path) -> None:
    found = load(write(tmp_path, one=ONE)).claims
    assert found == {
        "one.first": Claim("one.first", "One and one are two.", "one", (1, 3), "exact", ("ops.dense",), "core", "0.1")
    }


def test_a_question_is_read_with_its_results(tmp_path: Path) -> None:
    claim = load(write(tmp_path, unspecified=UNSPECIFIED, one=ONE + 'unspecified = "which"')).claims["one.first"]
    results = (Permitted("first", "It is the first.", "Toy 1.0"), Permitted("last", "It is the last."))
    assert claim.unspecified == Unspecified("Which of them it is.", results)


def test_the_files_that_come_with_the_suite_follow_their_schemas() -> None:
    assert load(document.FOLDER) == specification()


@pytest.mark.parametrize(
    ("unspecified", "place"),
    [
        (UNSPECIFIED.replace("which", "other"), "one.toml, claim one.first"),
        (UNSPECIFIED.replace("last", "first"), "unspecified.toml, which"),
        (UNSPECIFIED.replace('"last"', '"Last"'), "unspecified.toml, which.permitted.1.key"),
        (UNSPECIFIED.replace("Toy 1.0", "Toy"), "unspecified.toml, which.permitted.0.seen"),
    ],
)
def test_a_mistake_in_a_question_is_told(unspecified: str, place: str, tmp_path: Path) -> None:
    found = complaint(write(tmp_path, unspecified=unspecified, one=ONE + 'unspecified = "which"'))
    assert found.startswith(f"{place}: ")


def test_a_section_without_a_file_has_no_claims(tmp_path: Path) -> None:
    assert [len(section.claims) for section in load(write(tmp_path, two=TWO)).sections] == [0, 1]


@pytest.mark.parametrize(
    ("content", "place", "named"),
    [
        pytest.param(ONE + CLAIM, "claim one.first", "one.toml", id="an id twice"),
        pytest.param(ONE + 'colour = "red"', "claim 1 (one.first)", "'colour'", id="unknown key"),
        pytest.param(ONE.replace("exact", "exactly"), "claim 1 (one.first).kind", "'exactly'", id="kind"),
        pytest.param(ONE.replace("core", "huge"), "claim 1 (one.first).profile", "'huge'", id="profile"),
        pytest.param(ONE.replace('"1, 3"', '"1-"'), "claim 1 (one.first).lines", "'1-'", id="half a range"),
        pytest.param(ONE.replace('"1, 3"', "1"), "claim 1 (one.first).lines", "1", id="lines as a number"),
        pytest.param(ONE.replace('"1, 3"', '"3-1"'), "claim one.first", "3-1", id="a range backwards"),
        pytest.param(ONE.replace('"2"', '"3-2"'), "[silent]", "3-2", id="a silent range backwards"),
        pytest.param(ONE.replace('"1, 3"', '"3-4"'), "claim one.first", "line 4", id="line"),
        pytest.param(ONE.replace('"2"', '"2, 5"'), "[silent]", "line 5", id="silent line"),
        pytest.param(ONE.replace("heading", "chatter"), "silent", "'chatter'", id="silence"),
        pytest.param(ONE.replace("one.first", "two.first"), "claim two.first", "'one.'", id="id"),
        pytest.param(ONE.replace("one.first", "one.First"), "claim 1 (one.First).id", "'one.First'", id="letter"),
        pytest.param(
            ONE + 'erratum.document = "One and one are three."',
            "claim 1 (one.first).erratum",
            "'evidence'",
            id="an erratum without evidence",
        ),
        pytest.param(
            ONE + ERRATUM + 'erratum.since = "always"',
            "claim 1 (one.first).erratum",
            "'zh'",
            id="an erratum without Chinese",
        ),
        pytest.param(
            ONE + ERRATUM + CHINESE + 'erratum.since = "long"',
            "claim 1 (one.first).erratum.since",
            "'long'",
            id="an erratum that is wrong since something other than a release",
        ),
        pytest.param(CLAIM, "top level", "'silent'", id="nothing silent"),
        pytest.param("claim = []\n" + SILENT, "claim", "[]", id="no claim"),
        pytest.param("claim = [1]\n" + SILENT, "claim 1 (no id)", "1", id="no table"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_entry(
    content: str, place: str, named: str, tmp_path: Path
) -> None:
    found = complaint(write(tmp_path, one=content))
    where, _, what = found.partition(": ")
    assert (where, named in what, "\n" in found) == (f"one.toml, {place}", True, False), found


@pytest.mark.parametrize("content", ["[silent", "# é"], ids=["not TOML", "not UTF-8"])
def test_a_file_that_is_not_toml_is_told_in_one_line(content: str, tmp_path: Path) -> None:
    found = complaint(write(tmp_path, one=content), ErrorKind.INVALID_SYNTAX)
    assert ("one.toml" in found, "\n" in found) == (True, False), found


def test_an_id_of_another_section_is_told_with_both_files(tmp_path: Path) -> None:
    found = complaint(write(tmp_path, two=TWO, three=ONE))
    assert all(name in found for name in ("three.toml", "document.toml", "'three'"))


def test_a_missing_document_is_told(tmp_path: Path) -> None:
    assert str(tmp_path / "document.toml") in complaint(tmp_path, ErrorKind.MISSING_FILE)


@pytest.mark.parametrize(
    ("text", "lines"),
    [("81", (81,)), ("81, 93-95", (81, 93, 94, 95)), ("1-2, 4", (1, 2, 4))],
)
def test_lines_are_read_and_written_alike(text: str, lines: tuple[int, ...]) -> None:
    assert (parse_lines(text), format_lines(lines)) == (lines, text)


def test_an_unknown_id_brings_the_nearest_ones() -> None:
    with pytest.raises(UserError) as raised:
        REAL.claim("dense.reul")
    assert (raised.value.kind, "dense.reul" in str(raised.value)) == (ErrorKind.UNKNOWN_CLAIM, True)
    assert "dense.relu" in str(raised.value)


def test_an_id_that_is_near_none_brings_the_command_that_lists_them() -> None:
    with pytest.raises(UserError) as raised:
        REAL.claim("42")
    assert (raised.value.kind, "`assay claims list`" in str(raised.value)) == (ErrorKind.UNKNOWN_CLAIM, True)


def test_a_profile_holds_what_the_smaller_ones_hold() -> None:
    sizes = [set(REAL.of_profile(profile)) for profile in PROFILES]
    assert (sizes[0] < sizes[1] <= sizes[2], sizes[2]) == (True, set(REAL.claims))


# What the real claims say


def test_no_two_claims_say_the_same() -> None:
    said = Counter(claim.statement.lower() for claim in CLAIMS)
    assert [statement for statement, times in said.items() if times > 1] == []


@pytest.mark.parametrize(
    "is_well_put",
    [
        pytest.param(lambda statement: statement.endswith("."), id="a full sentence"),
        pytest.param(lambda statement: "should" not in statement, id="what holds, not what should"),
        pytest.param(lambda statement: "test that" not in statement.lower(), id="what holds, not what is tested"),
        pytest.param(lambda statement: len(statement) <= 200, id="short"),
        pytest.param(lambda statement: statement == " ".join(statement.split()), id="single spaces"),
    ],
)
def test_every_statement_is_well_put(is_well_put) -> None:
    assert [claim.id for claim in CLAIMS if not is_well_put(claim.statement)] == []


def test_every_claim_needs_what_the_contract_has() -> None:
    offered = {f"{group}.{name}" for group in GROUPS for name in functions(PROTOCOLS[group])} | set(GROUPS)
    assert {claim.id: claim.needs for claim in CLAIMS if not set(claim.needs) <= offered} == {}


def functions(protocol: type) -> set[str]:
    """Name what a group of the contract has."""
    return {name for name, _ in inspect.getmembers(protocol, inspect.isfunction)} | set(protocol.__annotations__)


def test_a_claim_about_an_error_says_that_there_is_one() -> None:
    words = ("refuse", "error", "raise", "cannot", "fail", "reject")
    errors = [claim for claim in CLAIMS if claim.kind == "error"]
    assert [claim.id for claim in errors if not any(word in claim.statement for word in words)] == []


def test_no_claim_is_from_a_later_version() -> None:
    version = numbers(__version__)
    assert [claim.id for claim in CLAIMS if numbers(claim.since) > version] == []


def numbers(version: str) -> list[int]:
    """Read `0.1` as [0, 1]."""
    return [int(part) for part in version.split(".")]


def test_every_erratum_says_what_the_document_says_and_how_it_is_known_to_be_wrong() -> None:
    wrong = [claim for claim in CLAIMS if claim.erratum]
    assert [
        claim.id
        for claim in wrong
        if not claim.erratum.evidence.strip().endswith(".") or claim.erratum.document == claim.statement
    ] == []


# The lines


def test_every_line_of_the_document_is_in_one_section() -> None:
    lines = [line for section in REAL.sections for line in section.lines]
    assert lines == list(range(1, DOCUMENT_LINES + 1))


def test_every_line_of_the_document_has_its_digest() -> None:
    assert len(document.digests()) == DOCUMENT_LINES


@pytest.mark.parametrize(
    "found", [pytest.param(found, id=found.section.name) for found in document.coverage(REAL) if found.section.claims]
)
def test_every_line_of_a_begun_section_is_claimed_or_silent(found: document.Coverage) -> None:
    unaccounted, both = format_lines(tuple(found.open)), format_lines(tuple(found.claimed & found.silent))
    assert (unaccounted, both) == ("", "")


# Claims and tests


def test_every_claim_has_a_test_and_every_test_a_claim() -> None:
    assert index.gaps(REAL, index.read(index.tests_folder())) == []


@pytest.mark.parametrize(
    ("tests", "gap"),
    [
        pytest.param("", ["one.toml: claim one.first has no test"], id="no test"),
        pytest.param(
            '@claim("one.first")\ndef test_one(): ...\ndef test_more(): ...',
            ["test_one.py: test_more names no claim"],
            id="no claim",
        ),
        pytest.param(
            '@claim("one.first", "one.last")\ndef test_one(): ...',
            ["test_one.py: test_one names one.last, which is not a claim"],
            id="another claim",
        ),
        pytest.param(
            '@claim("one.first")\ndef test_one(permitted): ...',
            ["test_one.py: test_one records a result, but its claim lists no permitted results"],
            id="a result too many",
        ),
        pytest.param('@claim("one.first")\n@given(2)\ndef test_one(): ...\ndef helper(): ...', [], id="no gap"),
    ],
)
def test_a_gap_between_claims_and_tests_is_named(tests: str, gap: list[str], tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(tests)
    assert index.gaps(load(write(tmp_path, one=ONE)), index.read(tmp_path)) == gap


def test_a_claim_whose_allowed_results_nobody_tells_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text('@claim("one.first")\ndef test_one(): ...')
    open_ = load(write(tmp_path, unspecified=UNSPECIFIED, one=ONE + 'unspecified = "which"'))
    assert index.gaps(open_, index.read(tmp_path)) == [
        "one.toml: no test records which of the permitted results of one.first it sees"
    ]


def test_gaps_are_counted(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        index.check(load(write(tmp_path, one=ONE, two=TWO)), ())
    named = ("one.first", "1 more", "`assay claims coverage`")
    assert raised.value.kind == ErrorKind.COVERAGE_GAP
    assert [name for name in named if name not in str(raised.value)] == []


TEST = '@given(2)\n@claim("one.first")\ndef test_one():\n    assert 1 + 1 == 2\n'


def digest(folder: Path, tests: str = TEST, claims: str = ONE) -> str:
    """Return the digest of the claim."""
    (folder / "test_one.py").write_text(tests)
    return index.digests(load(write(folder, one=claims)), index.read(folder))["one.first"]


@pytest.mark.parametrize(
    ("tests", "claims"),
    [
        pytest.param(TEST.replace("== 2", "== 3"), ONE, id="the test"),
        pytest.param(TEST.replace("given(2)", "given(3)"), ONE, id="its first decorator"),
        pytest.param(TEST + TEST.replace("test_one", "test_other"), ONE, id="the number of tests"),
        pytest.param(TEST, ONE.replace('"exact"', '"bound"'), id="the kind"),
        pytest.param(TEST, ONE.replace("ops.dense", "ops.relu"), id="the needs"),
    ],
)
def test_a_claim_that_has_changed_has_another_digest(tests: str, claims: str, tmp_path: Path) -> None:
    assert digest(tmp_path, tests, claims) != digest(tmp_path)


@pytest.mark.parametrize(
    ("tests", "claims"),
    [
        pytest.param(f"import pytest\n\n\n{TEST}\n\ndef helper(): ...", ONE, id="what stands around the test"),
        pytest.param(TEST, ONE.replace('"core"', '"full"'), id="the profile"),
        pytest.param(TEST, ONE.replace("are two", "make two"), id="the statement"),
        pytest.param(TEST.replace("== 2", "== 2  # by Peano"), ONE, id="a comment"),
        pytest.param(TEST.replace("    assert", '    """Add."""\n\n    assert'), ONE, id="a docstring"),
    ],
)
def test_a_claim_whose_wording_alone_changes_keeps_its_digest(tests: str, claims: str, tmp_path: Path) -> None:
    assert digest(tmp_path, tests, claims) == digest(tmp_path)


# The document

LINES = ("# One", "Eins", "", "Zwei 二", "Drei", "Vier")
EDITION = "\n".join(LINES) + "\n"


@pytest.fixture
def edition(monkeypatch: pytest.MonkeyPatch) -> Specification:
    """Return a specification of six lines, of which two are spoken of."""
    monkeypatch.setattr(document, "digests", lambda: tuple(map(document.digest, LINES)))
    claims = [Claim(f"one.{line}", "So it is.", "one", (line,), "exact", (), "core", "0.1") for line in (2, 4)]
    section = Section("one", "One", tuple(range(1, 7)), {1: "heading"}, tuple(claims))
    return Specification(hashlib.sha256(EDITION.encode()).hexdigest(), (section,))


def test_the_document_is_the_document(edition: Specification, tmp_path: Path) -> None:
    (tmp_path / "document").write_text(EDITION, encoding="utf-8")
    assert document.read(tmp_path / "document", edition) == tuple(LINES)


@pytest.mark.parametrize(
    ("content", "lines", "claims"),
    [
        pytest.param(EDITION.replace("Zwei", "2"), ["4"], ["one.4"], id="a line that a claim speaks of"),
        pytest.param(EDITION.replace("Drei", "3"), ["5"], [], id="a line of no claim"),
        pytest.param(EDITION.replace("Eins\n", "Eins\nmore\n"), ["2"], ["one.2"], id="a line more"),
        pytest.param(EDITION.replace("Eins\n", ""), ["2"], ["one.2"], id="a line less"),
        pytest.param(EDITION.replace("\n", "\r\n"), [], [], id="CRLF"),
        pytest.param("Another\ntext\n", [], [], id="another"),
        pytest.param("", [], [], id="nothing"),
    ],
)
def test_another_edition_is_told_with_lines_and_claims(
    content: str, lines: list[str], claims: list[str], edition: Specification, tmp_path: Path
) -> None:
    (tmp_path / "document").write_bytes(content.encode())
    with pytest.raises(UserError) as raised:
        document.read(tmp_path / "document", edition)
    found = str(raised.value)
    assert raised.value.kind == ErrorKind.DIFFERENT_DOCUMENT
    assert (re.findall(r"Lines (\d+)", found), re.findall(r"one\.\d", found)) == (lines, claims)


def test_other_line_ends_are_told_from_another_text(edition: Specification, tmp_path: Path) -> None:
    hints = set()
    for content in (EDITION.replace("\n", "\r\n"), "Another\ntext\n"):
        (tmp_path / "document").write_bytes(content.encode())
        with pytest.raises(UserError) as raised:
            document.read(tmp_path / "document", edition)
        hints.add(raised.value.hint)
    assert len(hints) == 2


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(lambda path: None, ErrorKind.MISSING_FILE, id="missing"),
        pytest.param(lambda path: path.mkdir(), ErrorKind.UNREADABLE_FILE, id="a folder"),
        pytest.param(lambda path: path.write_bytes(b"\xff"), ErrorKind.DIFFERENT_DOCUMENT, id="not UTF-8"),
    ],
)
def test_a_document_that_cannot_be_read_is_told(make, kind: ErrorKind, edition: Specification, tmp_path: Path) -> None:
    make(tmp_path / "document")
    with pytest.raises(UserError) as raised:
        document.read(tmp_path / "document", edition)
    assert (raised.value.kind, str(tmp_path / "document") in str(raised.value)) == (kind, True)


def test_each_heading_is_that_of_the_document() -> None:
    content = tomllib.loads((document.FOLDER / "document.toml").read_text(encoding="utf-8"))
    assert content["headings"]
    for line, heading in content["headings"].items():
        assert document.digest(heading) == document.digests()[int(line) - 1]
    named = {name for name, entry in content["sections"].items() if "heading" in entry}
    assert set(content["sections"]) - named == {"bibliography"}
    assert document.identity().sha256 == specification().document
    assert document.identity().lines == len(document.digests())
