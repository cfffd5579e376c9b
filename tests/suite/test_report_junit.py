"""JUnit XML: a case for each claim, in the form that CI systems read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from doubles.ledgers import ledger, typed

from assay.ledger.outcomes import Outcome
from assay.reports import junit

if TYPE_CHECKING:
    from .conftest import Shell

# What junit-10.xsd of Jenkins' xUnit plugin lets an element have: its attributes, and the elements in it.
FORM: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"properties", "testcase"}),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"skipped", "error", "failure"}),
    **dict.fromkeys(("skipped", "error", "failure"), ({"type", "message"}, set())),
}
ELEMENTS = {
    **dict.fromkeys(("unsupported", "skipped", "expected failure"), "skipped"),
    **dict.fromkeys(("fail", "unexpected pass"), "failure"),
    **dict.fromkeys(("error", "timeout", "crash"), "error"),
}


def render(*ledgers: dict[str, Any]) -> ET.Element:
    """Read what is written."""
    return ET.fromstring(junit.render([*map(typed, ledgers)]))  # noqa: S314 - our own


def a_shard(**outcomes: str) -> dict[str, Any]:
    """Return the ledger of a shard, which has as many claims as rows."""
    return ledger(**outcomes) | {"shard": {"number": 1, "of": 2}}


ALL = {f"claim{number}": outcome.value for number, outcome in enumerate(Outcome)}


def test_every_outcome_has_its_element() -> None:
    (suite,) = render(a_shard(**ALL))
    found = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert found == {
        f"dense.{name}": [ELEMENTS[outcome]] if outcome in ELEMENTS else [] for name, outcome in ALL.items()
    }


def test_the_suite_counts_its_cases() -> None:
    (suite,) = render(a_shard(**ALL))
    counts = Counter(child.tag for case in suite.iter("testcase") for child in case)
    assert {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": len(ALL),
        "failures": counts["failure"],
        "errors": counts["error"],
        "skipped": counts["skipped"],
    }
    assert float(suite.get("time")) == len(ALL)


def test_a_case_says_why_and_how_to_see_it_again() -> None:
    (suite,) = render(a_shard(relu="fail"))
    case = suite.find("testcase")
    assert case.attrib == {"name": "dense.relu", "classname": "dense", "time": "1.000"}
    assert case[0].attrib == {"type": "fail", "message": "relu is off"}
    assert case[0].text == "relu is off\nby 1\nreplay: python -m assay run toy --claim dense.relu"


def test_the_properties_name_the_versions() -> None:
    (suite,) = render(a_shard(relu="pass"))
    found = {each.get("name"): each.get("value") for each in suite.iter("property")}
    expected = {"suite": "0.0.1", "implementation": "toy 1.0", "numpy": "2.0", "profile": "core", "shard": "1/2"}
    assert expected.items() <= found.items()


def test_each_ledger_is_a_suite_with_a_name_of_its_own() -> None:
    names = [suite.get("name") for suite in render(a_shard(relu="pass"), a_shard(relu="fail"))]
    assert names == ["toy 1.0 (1)", "toy 1.0 (2)"]


@pytest.mark.parametrize("shard", [{}, {"shard": {"number": 1, "of": 2}}], ids=["whole", "shard"])
def test_what_was_not_decided_is_an_error(shard: dict[str, Any]) -> None:
    (suite,) = render(ledger(relu="pass", undecided=("tanh",)) | shard)
    assert int(suite.get("errors")) > 0


def test_elements_and_attributes_are_those_of_the_schema() -> None:
    root = render(a_shard(**ALL), ledger(relu="fail", undecided=("tanh",)))
    for element in root.iter():
        attributes, children = FORM[element.tag]
        assert set(element.keys()) == (attributes & {"name"} if element is root else attributes), element.tag
        assert {child.tag for child in element} <= children, element.tag


def test_what_xml_cannot_write_is_written_in_another_way() -> None:
    content = a_shard(relu="fail")
    content["claims"][0] |= {"id": "<a>\x00", "reason": "<b>\x1b[31m & \ud800\uffff]]>", "replay": "\x07"}
    content["implementation"] |= {"name": "\x00", "frameworks": {"\x01": "\x02"}}
    (suite,) = render(content)
    case = suite.find("testcase")
    assert (case.get("name"), case[0].text) == (r"<a>\x00", "<b>\\x1b[31m & \\xd800\\xffff]]>\nreplay: \\x07")


def test_the_command_chooses_by_the_suffix(shell: Shell) -> None:
    ended = shell.dense("good", "--claim", "dense.relu")
    assert shell.assay("report", "ledger.json", "-o", "junit.xml").output == "report: junit.xml\n"
    assert shell.assay("report", "ledger.json", "-o", "summary.md").output == "report: summary.md\n"
    assert ET.parse(ended.folder / "junit.xml").getroot().tag == "testsuites"  # noqa: S314 - our own
    assert (ended.folder / "summary.md").read_text().startswith("### Assay: toy: incomplete\n")


def test_a_case_has_file_and_line_of_its_test() -> None:
    content = ledger(relu="fail", tanh="pass")
    [row] = [row for row in content["claims"] if row["id"] == "dense.relu"]
    row["failure"] = {"file": "tests/test_dense.py", "line": 30, "test": "test_relu"}
    text = junit.render([typed(content)], places={"dense.tanh": ("tests/test_dense.py", 40)})
    cases = {case.get("name"): case for case in ET.fromstring(text).iter("testcase")}  # noqa: S314 - our own
    found = {id_: (cases[id_].get("file"), cases[id_].get("line")) for id_ in ("dense.relu", "dense.tanh")}
    assert found == {"dense.relu": ("tests/test_dense.py", "30"), "dense.tanh": ("tests/test_dense.py", "40")}


def test_only_the_claims_that_were_asked_for_are_cases() -> None:
    text = junit.render([typed(ledger(relu="pass", tanh="pass", undecided=("zeros",)))], only=("dense.relu",))
    [suite] = ET.fromstring(text)  # noqa: S314 - our own
    assert ([case.get("name") for case in suite.iter("testcase")], suite.get("tests")) == (["dense.relu"], "1")


def test_a_report_is_printed_if_its_name_is_a_dash(shell: Shell) -> None:
    shell.dense("good", "--claim", "dense.relu")
    ended = shell.assay("report", "ledger.json", "-o", "-", "--format", "xml")
    assert (ended.code, ended.output.startswith('<?xml version="1.0"')) == (0, True)
