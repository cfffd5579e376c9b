"""The report as JUnit XML, which CI systems read: a suite for each ledger, a test case for each claim.

The format follows Jenkins's schema, junit-10.xsd of its xUnit plugin.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from assay.ledger.ledger import Ledger
from assay.ledger.outcomes import Outcome
from assay.ledger.verdict import Verdict
from assay.reports.columns import MEANINGS, NO_ROW, Cell, Column, side_by_side
from assay.specification import claims

if TYPE_CHECKING:
    from assay.specification.claims import Specification

# The element of each outcome other than a pass. Undecided claims must not look like passes.
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
# States that a consumer of the file must see as problems.
COUNTED = {state for state, element in ELEMENTS.items() if element != "skipped"}
# Characters that XML 1.0 cannot contain.
NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(
    ledgers: Sequence[Ledger],
    specification: Specification | None = None,
    places: Mapping[str, tuple[str, int]] | None = None,
    only: Collection[str] = (),
) -> str:
    """Return the file.

    Args:
        ledgers: Ledgers of runs.
        specification: Specification of the ledgers (default: the suite's).
        places: File and line of the test of each claim, if known.
        only: Ids of the claims to show; empty for all.

    """
    spec = specification or claims.specification()
    root = ET.Element("testsuites", name="assay")
    for column in side_by_side(ledgers, spec):
        _add_suite(root, column, spec, places or {}, only)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_suite(
    root: ET.Element,
    column: Column,
    spec: Specification,
    places: Mapping[str, tuple[str, int]],
    only: Collection[str],
) -> None:
    cells = [(id_, column.cell(id_)) for id_ in column.expected if not only or id_ in only]
    if not only and column.verdict.code and not any(cell.state in COUNTED for _, cell in cells):
        # Problems without a claim are separate cases: a missing group, an unfinished run, nothing tested.
        cells.append(("assay.verdict", Cell(NO_ROW, column.name, reason=column.verdict.sentence)))
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
    for name, value in _properties(column.ledger, column.verdict):
        ET.SubElement(properties, "property", name=_text(name), value=_text(value))
    for id_, cell in cells:
        claim = spec.claims.get(id_)
        section = claim.section if claim else id_.partition(".")[0]
        case = ET.SubElement(suite, "testcase", name=_text(id_), classname=_text(section))
        case.set("time", f"{cell.seconds or 0:.3f}")
        row = column.rows.get(id_)
        failure = row.failure if row else None
        place = (failure.file, failure.line) if failure else places.get(id_)
        if place is not None:
            case.set("file", _text(place[0]))
            case.set("line", str(place[1]))
        _add_outcome(case, cell)


def _add_outcome(case: ET.Element, cell: Cell) -> None:
    if element := ELEMENTS.get(cell.state):
        reason = cell.reason or MEANINGS[cell.state]
        found = ET.SubElement(case, element, type=cell.state, message=_text(reason.partition("\n")[0]))
        found.text = _text(f"{reason}\nreplay: {cell.replay}" if cell.replay else reason)


def _properties(ledger: Ledger, verdict: Verdict) -> Iterator[tuple[str, str]]:
    subject = ledger.implementation
    yield "verdict", verdict.conformance.value
    yield "scope", str(verdict.scope)
    yield "suite", ledger.suite
    yield "document", ledger.document
    yield "profile", ledger.profile
    yield "seed", str(ledger.seed)
    yield "required precision", ledger.precision
    if ledger.shard is not None:
        yield "shard", f"{ledger.shard.number}/{ledger.shard.of}"
    yield "implementation", f"{subject.name} {subject.version}"
    yield "device", subject.device or "unknown"
    yield "measured precision", subject.measured_precision or "unknown"
    yield from subject.frameworks.items()
    yield from ((f"data: {name}", source) for name, source in ledger.data.items())


def _text(text: str) -> str:
    return NO_CHARACTER.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
