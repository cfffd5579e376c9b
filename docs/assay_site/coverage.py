"""The coverage table: how every line of the document is accounted for."""

from __future__ import annotations

from assay.specification import document
from assay.specification.claims import specification
from assay_site.text import plain, table

INTRODUCTION = """\
# Coverage of the document

Every line that is not blank either belongs to a claim or is listed as silent: a heading, a figure, a pointer or
narrative. A line that is in neither list is open. `assay claims coverage` prints this table, and fails if a line is
open."""


def page() -> str:
    """Return the page."""
    found = document.coverage(specification())
    rows = [
        (
            f"[{plain(one.section.title)}](claims/{one.section.name}.md)",
            f"{one.section.lines[0]}-{one.section.lines[-1]}",
            str(len(one.section.claims)),
            str(len(one.claimed)),
            str(len(one.silent)),
            str(len(one.open)),
        )
        for one in found
    ]
    header = ["section", "lines", "claims", "claimed lines", "silent lines", "open lines"]
    return f"{INTRODUCTION}\n\n{table(header, rows)}"
