"""The findings of a survey, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from assay.survey.statistics import Tail
from assay.survey.summary import MEANINGS, Finding, Subject, Survey

MOST_SEEDS = 20
MOST_MISSING = 5


def as_text(survey: Survey) -> str:
    """Return the findings of a survey."""
    return "\n".join(_lines(survey))


def _lines(survey: Survey) -> Iterator[str]:
    yield f"survey: {survey.described}"
    for subject in survey.subjects:
        yield from _subject_lines(subject)
    if survey.missing:
        yield f"{len(survey.missing)} runs are missing; the same command runs them:"
        yield from (f"  {line}" for line in survey.missing[:MOST_MISSING])
        if len(survey.missing) > MOST_MISSING:
            yield f"  and {len(survey.missing) - MOST_MISSING} more"
    yield f"false accusations, by run: {survey.accused}"
    yield f"false accusations, by decision: {survey.accusations}"


def _subject_lines(subject: Subject) -> Iterator[str]:
    frameworks = ", ".join(f"{name} {version}" for name, version in subject.frameworks.items())
    head = f"{subject.name} {subject.version} ({frameworks or 'no framework'}): {subject.seeds} seeds"
    yield f"{head}, every claim passed" if not subject.findings and subject.seeds else head
    for kind, meaning in MEANINGS.items():
        findings = [finding for finding in subject.findings if finding.kind is kind]
        if findings:
            yield f"  {kind.value}, {meaning}:"
        for finding in findings:
            yield from _finding_lines(finding)
    if subject.errors:
        yield "  error over bound      median   99 %  largest  estimated chance of more than 1"
        yield from (f"  {id_}: {describe_tail(found)}" for id_, found in subject.errors.items())


def _finding_lines(finding: Finding) -> Iterator[str]:
    seeds = ", ".join(map(str, finding.failed[:MOST_SEEDS]))
    more = ", ..." if len(finding.failed) > MOST_SEEDS else ""
    yield f"    {finding.id}: {finding.counts}, seeds {seeds}{more}"
    first, *_ = finding.reason.splitlines() or [""]
    yield f"      {first}"
    yield from (f"      replay: {replay}" for replay in finding.replays)


def describe_tail(found: Tail) -> str:
    """Return the numbers of a tail as a table row."""
    beyond = "too few runs" if found.beyond is None else f"{found.beyond:.1g}"
    return f"{found.median:.3f}  {found.high:.3f}  {found.largest:.3f}  {beyond} ({found.count} runs)"
