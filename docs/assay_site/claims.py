"""One page for each claim, one for each section, and the index of the sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.specification import index
from assay.specification.claims import Claim, Section, specification
from assay.specification.index import ExecutableClaim
from assay_site.text import fence, plain, table

HOW = {
    "exact": "Exact: the result must equal the definition's in every element.",
    "bound": "Bound: every element must lie within a derived float32 rounding error of the float64 definition.",
    "trajectory": "Trajectory: the same parameters and the same batches must lead through the same training.",
    "statistical": "Statistical: random results must lie within limits with a stated false-alarm rate.",
    "ordering": "Ordering: one result must be larger than another.",
    "error": "Error: the call must be refused.",
    "default": "Default: an argument that is left out must have the documented value.",
}


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    tests = _tests_by_claim(index.read(index.tests_folder()))
    sections = specification().sections
    yield "claims.md", _index(sections)
    for section in sections:
        yield f"claims/{section.name}.md", _section(section)
        for claim in section.claims:
            yield f"claims/{claim.id}.md", _claim(claim, tests[claim.id])


def _tests_by_claim(tests: Sequence[ExecutableClaim]) -> Mapping[str, list[ExecutableClaim]]:
    found: dict[str, list[ExecutableClaim]] = {id_: [] for id_ in specification().claims}
    for test in tests:
        for id_ in test.claims:
            found[id_].append(test)
    return found


def _index(sections: Sequence[Section]) -> str:
    rows = [
        (f"[{plain(section.title)}](claims/{section.name}.md)", _range(section), str(len(section.claims)))
        for section in sections
    ]
    total = len(specification().claims)
    return f"# Claims\n\n{total} claims, by section of the document.\n\n" + table(["section", "lines", "claims"], rows)


def _range(section: Section) -> str:
    return f"{section.lines[0]}-{section.lines[-1]}"


def _section(section: Section) -> str:
    rows = [
        (f"[{claim.id}]({claim.id}.md)", plain(claim.statement), claim.place, claim.profile) for claim in section.claims
    ]
    return "\n\n".join(
        [
            "---\norphan: true\n---",
            f"# {plain(section.title)}",
            f"Lines {_range(section)} of the document. [All sections](../claims.md)",
            table(["claim", "statement", "lines", "profile"], rows),
        ]
    )


def _claim(claim: Claim, tests: Sequence[ExecutableClaim]) -> str:
    section = next(section for section in specification().sections if section.name == claim.section)
    facts = [
        ("document", f"[{plain(section.title)}]({section.name}.md), line {claim.place}"),
        ("kind", HOW[claim.kind]),
        ("needs", ", ".join(f"`{need}`" for need in claim.needs) or "nothing: a fact about the document"),
        ("profile", f"`{claim.profile}`"),
        ("since", f"version {claim.since} of the suite"),
    ]
    parts = ["---\norphan: true\n---", f"# {claim.id}", plain(claim.statement), table(["", ""], facts)]
    if claim.erratum:
        parts += ["## Erratum", *_erratum(claim)]
    if claim.unspecified:
        rows = [
            (f"`{one.key}`", plain(one.result), plain(one.seen or "not yet")) for one in claim.unspecified.permitted
        ]
        parts += [
            "## Where the document is silent",
            f"{plain(claim.unspecified.question)} Each of these results is permitted.",
            table(["key", "result", "observed with"], rows),
        ]
    parts += ["## Test", fence(f"assay run NAME --claim {claim.id}")]
    for test in tests:
        parts += [f"`tests/{test.file}`", fence(test.source, "python")]
    return "\n\n".join(parts)


def _erratum(claim: Claim) -> Iterator[str]:
    erratum = claim.erratum
    if erratum is None:
        return
    yield table(
        ["", "English", "中文"],
        [
            ("the document says", plain(erratum.document), plain(erratum.zh.document)),
            ("what holds", plain(claim.statement), plain(erratum.zh.holds)),
            ("evidence", plain(erratum.evidence), plain(erratum.zh.evidence)),
            ("wrong since", plain(erratum.since), ""),
        ],
    )
