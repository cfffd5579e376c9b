"""The errata of the document, collected from the claims."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from assay.specification import document
from assay.specification.claims import Claim, Erratum, Specification, Translation, parse_lines
from assay.specification.index import ExecutableClaim


@dataclass(frozen=True)
class Finding:
    """A place where the document is wrong, imprecise or out of date.

    Attributes:
        claim: Id of the claim that states what is true instead.
        section: Title of the document's section.
        lines: Lines of the document as text: `81, 93-95`.
        document: What the document says.
        holds: What is true instead.
        since: Start of the error.
        evidence: Evidence for what is true instead.
        tests: Tests that demonstrate the erratum.
        zh: The erratum in Chinese.

    """

    claim: str
    section: str
    lines: str
    document: str
    holds: str
    since: str
    evidence: str
    tests: list[str]
    zh: Translation


def findings(
    specification: Specification, tests: Iterable[ExecutableClaim], demonstrations: Mapping[str, str]
) -> list[Finding]:
    """Return every erratum, in the document's order.

    Args:
        specification: The claims.
        tests: Tests of the claims.
        demonstrations: Tests that demonstrate that the document is wrong, by claim.

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
        zh=erratum.zh,
    )


def as_json(found: Iterable[Finding]) -> list[dict[str, object]]:
    """Return plain values."""
    return [asdict(finding) for finding in found]


def as_markdown(found: list[Finding]) -> str:
    """Return a page in English, by section: the content of `spec/ERRATA.md`."""
    return "\n".join(_page(found))


def as_chinese_markdown(found: list[Finding]) -> str:
    """Return a page in Chinese, by line of the document: the content of `spec/ERRATA.zh.md`."""
    return "\n".join(_chinese_page(sorted(found, key=lambda finding: parse_lines(finding.lines))))


def _page(found: list[Finding]) -> Iterator[str]:
    yield "# Errata of the document"
    yield ""
    yield (
        f"The document is wrong, imprecise or out of date in {len(found)} places."
        " `assay claims errata` prints this page, and `--language zh` prints it in Chinese."
    )
    known = document.identity()
    yield ""
    yield f"The document: {known.citation}. <{known.address}>"
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


def _chinese_page(found: list[Finding]) -> Iterator[str]:
    yield "# 文档勘误表"
    yield ""
    yield (
        f"本表按行号列出文档中错误、不准确或已经过时的 {len(found)} 处，行号以纯文本版本为准。"
        "每一处都有可以运行的测试作为证据。`assay claims errata --language zh` 输出本页。"
    )
    known = document.identity()
    yield ""
    yield f"文档：{known.chinese_citation}。<{known.address}>"
    for number, finding in enumerate(found, start=1):
        yield from ("", f"## {number}. 第 {finding.lines.replace(', ', '、')} 行", "")
        yield f"- **原文**：{_plain(finding.zh.document)}"
        yield f"- **实际**：{_plain(finding.zh.holds)}"
        yield f"- **依据**：{_plain(finding.zh.evidence)}"
        yield f"- **起始**：{'一直如此' if finding.since == 'always' else _plain(finding.since)}"
        yield f"- **断言**：`{finding.claim}`，测试：{'、'.join(f'`{test}`' for test in finding.tests)}"


def _plain(text: str) -> str:
    """Keep Markdown from reading `__init__` as bold."""
    return re.sub(r"([\\`*_<])", r"\\\1", text)
