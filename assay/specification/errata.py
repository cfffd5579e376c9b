"""The errata of the document, gathered from the claims."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from assay.specification.claims import Claim, Erratum, Specification
from assay.specification.index import ExecutableClaim


@dataclass(frozen=True)
class Finding:
    """One place where the document is wrong, imprecise or out of date.

    Attributes:
        claim: the id of the claim that says what holds.
        section: the title of the document's section.
        lines: of the document, for people.
        document: what it says.
        holds: what holds instead.
        since: since when the document is wrong there.
        evidence: how that is known.
        tests: that show it.

    """

    claim: str
    section: str
    lines: str
    document: str
    holds: str
    since: str
    evidence: str
    tests: list[str]


def findings(
    specification: Specification, tests: Iterable[ExecutableClaim], demonstrations: Mapping[str, str]
) -> list[Finding]:
    """Return every erratum, in the document's order.

    Args:
        specification: The claims.
        tests: Tests of the claims.
        demonstrations: Tests that show what the document says to be wrong, by claim.

    """
    by_claim: dict[str, list[str]] = {}
    for test in tests:
        for id_ in test.claims:
            by_claim.setdefault(id_, []).append(f"tests/{test.file}::{test.function}")
    return [
        _finding(
            claim,
            claim.erratum,
            section.title,
            by_claim[claim.id] + [demonstrations[claim.id]] * (claim.id in demonstrations),
        )
        for section in specification.sections
        for claim in section.claims
        if claim.erratum
    ]


def _finding(claim: Claim, erratum: Erratum, section: str, tests: list[str]) -> Finding:
    return Finding(
        claim=claim.id,
        section=section,
        lines=claim.place,
        document=erratum.document,
        holds=claim.statement,
        since=erratum.since,
        evidence=erratum.evidence,
        tests=tests,
    )


def as_json(found: Iterable[Finding]) -> list[dict[str, object]]:
    """Return plain values."""
    return [asdict(finding) for finding in found]


def as_markdown(found: list[Finding]) -> str:
    """Return a page for people, as it stands in `spec/ERRATA.md`."""
    return "\n".join(_page(found))


def _page(found: list[Finding]) -> Iterator[str]:
    yield "# Errata of the document"
    yield ""
    yield f"{len(found)} places where it is wrong, imprecise or out of date. `assay claims errata` prints this page."
    section = ""
    for finding in found:
        if finding.section != section:
            section = finding.section
            yield from ("", f"## {section}")
        yield from ("", f"### {finding.claim}", "")
        yield f"- **The document says** (line {finding.lines}): {_plain(finding.document)}"
        yield f"- **What holds**: {_plain(finding.holds)}"
        yield f"- **Wrong since**: {_plain(finding.since)}"
        yield f"- **Evidence**: {_plain(finding.evidence)} Shown by {', '.join(f'`{test}`' for test in finding.tests)}."


def _plain(text: str) -> str:
    """Keep Markdown from reading `__init__` as bold."""
    return re.sub(r"([\\`*_<])", r"\\\1", text)
