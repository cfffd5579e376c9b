"""The index of the claims, and a page for each section of the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.specification.claims import Section, specification
from assay_site.text import link, plain, table


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    sections = specification().sections
    yield "claims.md", _index(sections)
    for section in sections:
        yield f"claims/{section.name}.md", _section(section)


def _index(sections: Sequence[Section]) -> str:
    rows = [
        (f"[{plain(section.title)}](claims/{section.name}.md)", _range(section), str(len(section.claims)))
        for section in sections
    ]
    total = len(specification().claims)
    return f"# Claims\n\n{total} claims, by section of the document.\n\n{table(['section', 'lines', 'claims'], rows)}"


def _range(section: Section) -> str:
    return f"{section.lines[0]}-{section.lines[-1]}"


def _section(section: Section) -> str:
    rows = [(link(claim.id, ""), plain(claim.statement), claim.place, claim.profile) for claim in section.claims]
    return "\n\n".join(
        [
            "---\norphan: true\n---",
            f"# {plain(section.title)}",
            f"Lines {_range(section)} of the document. [All sections](../claims.md)",
            table(["claim", "statement", "lines", "profile"], rows),
        ]
    )
