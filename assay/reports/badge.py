"""A badge: the verdict on a ledger as a small picture for a README."""

from __future__ import annotations

from html import escape

from assay.ledger import verdict as verdicts
from assay.ledger.ledger import Ledger
from assay.ledger.verdict import Conformance
from assay.specification import claims
from assay.specification.claims import Specification

# White text has a contrast of at least 4.5 to 1 on each of these colours.
COLOURS = {
    Conformance.FULL: "#17743f",
    Conformance.PARTIAL: "#0f6a86",
    Conformance.NONE: "#b3261e",
    Conformance.INCOMPLETE: "#8a5a00",
    Conformance.UNTESTED: "#56636f",
    Conformance.BROKEN: "#8a5a00",
}
LABEL = "Assay"
LONGEST_NAME = 40
# Widths of characters at 11 points, since no font is available for measuring; `textLength` corrects the difference.
NARROW, WIDE, OTHER = 3.6, 9.6, 6.8
PADDING = 6


def render(ledger: Ledger, specification: Specification | None = None) -> str:
    """Return the badge of a ledger as SVG.

    Args:
        ledger: Ledger of a run.
        specification: Specification of the ledger (default: the suite's).

    """
    verdict = verdicts.verdict(ledger, specification or claims.specification())
    name = ledger.implementation.name[:LONGEST_NAME]
    scope = verdict.scope
    text = f"{name}: {verdict.conformance.value}, {scope.passed}/{scope.claims}"
    return _draw(LABEL, text, COLOURS[verdict.conformance])


def _width(text: str) -> float:
    return sum(NARROW if each in "il.,:;'|!/ ()[]" else WIDE if each in "mwMW@" else OTHER for each in text)


def _draw(label: str, text: str, colour: str) -> str:
    text = "".join(each if each.isprintable() else " " for each in text)
    left, right = (round(_width(each) + 2 * PADDING) for each in (label, text))
    title = escape(f"{label}: {text}")
    words = "\n".join(
        f'<text x="{start + PADDING}" y="14" textLength="{width - 2 * PADDING}">{escape(each)}</text>'
        for each, start, width in ((label, 0, left), (text, left, right))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n"
        f'<clipPath id="round"><rect width="{left + right}" height="20" rx="3"/></clipPath>\n'
        f'<g clip-path="url(#round)"><rect width="{left}" height="20" fill="#3c4650"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>\n'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\n{words}\n</g>\n</svg>\n'
    )
