"""The report as JUnit XML, which CI systems read: a suite for each ledger, a test case for each claim.

The form is that of the schema that Jenkins checks such files against, junit-10.xsd of its xUnit plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from assay.ledger import ledger
from assay.ledger.ledger import Outcome
from assay.ledger.verdict import MEANINGS, NO_ROW, Cell, Column, side_by_side
from assay.specification import claims

if TYPE_CHECKING:
    from assay.specification.claims import Specification

# The element of each outcome but a pass. What was not decided must not look as if all were well.
ELEMENTS = {
    Outcome.UNSUPPORTED.value: "skipped",
    Outcome.SKIPPED.value: "skipped",
    Outcome.EXPECTED_FAILURE.value: "skipped",
    Outcome.UNEXPECTED_PASS.value: "failure",
    Outcome.FAIL.value: "failure",
    Outcome.ERROR.value: "error",
    Outcome.TIMEOUT.value: "error",
    Outcome.CRASH.value: "error",
    NO_ROW: "error",
}
# What XML 1.0 has no way to write.
NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(ledgers: Sequence[Mapping[str, Any]], specification: Specification | None = None) -> str:
    """Return the file.

    Args:
        ledgers: as `assay.ledger.ledger.read` returns them.
        specification: what the ledgers are about; the one that comes with the suite unless given.

    """
    spec = specification or claims.specification()
    root = ET.Element("testsuites", name="assay")
    for column in side_by_side(ledgers, spec):
        _add_suite(root, column, spec)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_suite(root: ET.Element, column: Column, spec: Specification) -> None:
    cells = [(id_, column.cell(id_)) for id_ in column.expected]
    if not column.content["complete"] and NO_ROW not in column.counts:
        cells.append(("assay.complete", Cell(NO_ROW, column.name, reason=column.verdict.why)))
    elements = [ELEMENTS.get(cell.state) for _, cell in cells]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_text(column.name),
        tests=str(len(cells)),
        failures=str(elements.count("failure")),
        errors=str(elements.count("error")),
        skipped=str(elements.count("skipped")),
        time=f"{sum(cell.seconds or 0 for _, cell in cells):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(column.content):
        ET.SubElement(properties, "property", name=_text(name), value=_text(value))
    for id_, cell in cells:
        claim = spec.claims.get(id_)
        section = claim.section if claim else id_.partition(".")[0]
        case = ET.SubElement(suite, "testcase", name=_text(id_), classname=_text(section))
        case.set("time", f"{cell.seconds or 0:.3f}")
        _add_outcome(case, cell)


def _add_outcome(case: ET.Element, cell: Cell) -> None:
    if element := ELEMENTS.get(cell.state):
        reason = cell.reason or MEANINGS[cell.state]
        found = ET.SubElement(case, element, type=cell.state, message=_text(reason.partition("\n")[0]))
        found.text = _text(f"{reason}\nreplay: {cell.replay}" if cell.replay else reason)


def _properties(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    implementation = content["implementation"]
    yield from ((name, content[name]) for name in ("suite", "document", "profile"))
    yield "seed", str(content["seed"])
    yield "grade", ledger.grade(content)
    if "shard" in content:
        yield "shard", f"{content['shard']['number']}/{content['shard']['of']}"
    yield "implementation", f"{implementation['name']} {implementation['version']}"
    yield from ((name, implementation[name] or "unknown") for name in ("device", "precision"))
    yield from implementation["frameworks"].items()
    yield from ((f"data: {name}", source) for name, source in content["data"].items())


def _text(text: str) -> str:
    return NO_CHARACTER.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
