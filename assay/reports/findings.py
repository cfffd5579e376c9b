"""The page of findings: defects of frameworks with their reproductions, and known failures with their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.ledger.expectations import Expectation, Expectations, Finding
from assay.reports.markdown import table

HEAD = """\
# Findings

Defects of frameworks that Assay has found. A program without Assay shows each, and fails where the defect is there.
A test runs every program whose framework is installed in one of the versions named here.

This page is generated from the files of expectations by `python -m assay.cli.findings -o docs/findings.md`.
"""
# The names of languages in fenced blocks.
FENCES = {"python": "py", "javascript": "js", "cpp": "cpp"}


def render(files: Mapping[str, Expectations]) -> str:
    """Return the page.

    Args:
        files: Content of the files of expectations by name.

    """
    lines = [HEAD]
    findings = [finding for content in files.values() for finding in content.finding]
    lines += table(
        ("framework", "versions", "operation", "finding", "upstream"),
        [
            (one.framework, f"`{one.versions}`", f"`{one.operation}`", f"[{one.id}](#{one.id})", _status(one))
            for one in findings
        ],
    )
    for finding in findings:
        lines += _describe(finding)
    lines += [
        "",
        "## Known failures",
        "",
        "Claims that an implementation is known not to meet, by file of expectations.",
    ]
    for name, content in files.items():
        if content.expectation:
            lines += ["", f"### {name}", ""]
            lines += table(("claim", "reason"), [(f"`{one.claim}`", _reason(one)) for one in content.expectation])
    return "\n".join(lines) + "\n"


def _describe(finding: Finding) -> Iterator[str]:
    yield from (
        "",
        f"## {finding.id}",
        "",
        f"{finding.framework} {finding.versions}, `{finding.operation}`. {finding.summary}",
    )
    claims = ", ".join(f"`{claim}`" for claim in finding.claims)
    yield from ("", f"Claims: {claims}. Upstream: {_status(finding)}.", "")
    yield from (f"```{FENCES[finding.language]}", finding.reproduction.strip(), "```")


def _status(finding: Finding) -> str:
    return f"[{finding.status}]({finding.link})" if finding.link else finding.status


def _reason(expectation: Expectation) -> str:
    return f"{expectation.reason.replace('|', '&#124;')} ([more]({expectation.link}))"
