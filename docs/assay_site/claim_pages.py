"""One page for each claim.

Sphinx takes a tenth of a second for a page of Markdown, and there are more than a thousand claims. So these pages are
HTML, put into the theme's template, and share one sidebar. The search finds their statements on the pages of sections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from assay.specification import index
from assay.specification.claims import Claim, specification
from assay.specification.index import ExecutableClaim

FOLDER = "generated/claims"
HOW = {
    "exact": "Exact: the result must equal the definition's in every element.",
    "bound": "Bound: every element must lie within a derived float32 rounding error of the float64 definition.",
    "trajectory": "Trajectory: the same parameters and the same batches must lead through the same training.",
    "statistical": "Statistical: random results must lie within limits with a stated false-alarm rate.",
    "ordering": "Ordering: one result must be larger than another.",
    "error": "Error: the call must be refused.",
    "default": "Default: an argument that is left out must have the documented value.",
}
PYTHON, FORMAT = PythonLexer(), HtmlFormatter()


def collect(_application: object) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the name, the content and the template of each page: a handler of Sphinx's `html-collect-pages`."""
    tests: defaultdict[str, list[ExecutableClaim]] = defaultdict(list)
    for test in index.read(index.tests_folder()):
        for id_ in test.claims:
            tests[id_].append(test)
    for claim in specification().claims.values():
        yield f"{FOLDER}/{claim.id}", {"title": claim.id, "body": "\n".join(_body(claim, tests[claim.id]))}, "page.html"


class SharedSidebar:
    """The sidebar of the pages of claims: they are in no table of contents, so it is the same for all of them."""

    def __init__(self) -> None:
        """Start without a sidebar: the first page makes it."""
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def share(self, _application: object, page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
        """Replace the function that makes the sidebar of a page: a handler of Sphinx's `html-page-context`."""
        if page.startswith(f"{FOLDER}/"):
            make = context["toctree"]

            def toctree(**options: Any) -> Any:  # noqa: ANN401 - Sphinx's options and result
                key = tuple(sorted(options.items()))
                if key not in self._made:
                    self._made[key] = make(**options)
                return self._made[key]

            context["toctree"] = toctree


def _body(claim: Claim, tests: Sequence[ExecutableClaim]) -> Iterator[str]:
    section = next(section for section in specification().sections if section.name == claim.section)
    yield f"<h1>{claim.id}</h1><p>{escape(claim.statement)}</p>"
    yield _rows(
        ("document", f'<a href="{section.name}.html">{escape(section.title)}</a>, line {claim.place}'),
        ("how it is decided", HOW[claim.kind]),
        ("needs", ", ".join(map(_code, claim.needs)) or "nothing: a fact about the document"),
        ("profile", _code(claim.profile)),
        ("since", f"version {claim.since} of the suite"),
    )
    if claim.erratum:
        yield "<h2>Erratum</h2>"
        yield _rows(
            ("the document says", escape(claim.erratum.document)),
            ("evidence", escape(claim.erratum.evidence)),
            ("wrong since", escape(claim.erratum.since)),
            ("原文", _chinese(claim.erratum.zh.document)),
            ("实际", _chinese(claim.erratum.zh.holds)),
            ("依据", _chinese(claim.erratum.zh.evidence)),
        )
    if claim.unspecified:
        yield f"<h2>Where the document is silent</h2><p>{escape(claim.unspecified.question)}</p>"
        yield _rows(
            *(
                (_code(one.key), f"{escape(one.result)} Observed with: {escape(one.seen or 'nothing yet')}.")
                for one in claim.unspecified.permitted
            )
        )
    yield f'<h2>Test</h2><div class="highlight"><pre>assay run NAME --claim {claim.id}</pre></div>'
    for test in tests:
        yield f"<p>{_code(f'tests/{test.file}')}</p>{highlight(test.source, PYTHON, FORMAT)}"


def _rows(*rows: tuple[str, str]) -> str:
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f'<table class="docutils facts">{cells}</table>'


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _chinese(text: str) -> str:
    return f'<span lang="zh-CN">{escape(text)}</span>'
