"""The document with its claims: the passage of each claim, and every line with the claims about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from assay.specification import document
from assay.specification.claims import Claim, Section, Specification


@dataclass(frozen=True)
class Line:
    """One line of the document.

    Attributes:
        number: Number of the line, from 1.
        text: Text of the line.
        claims: Claims about the line.
        silent: Kind of a line without claims; empty for other lines.

    """

    number: int
    text: str
    claims: Sequence[Claim]
    silent: str

    @property
    def errata(self) -> list[Claim]:
        """The claims that state that the line is wrong, imprecise or out of date."""
        return [claim for claim in self.claims if claim.erratum]


@dataclass(frozen=True)
class Passages:
    """A copy of the document, verified by its digest.

    Attributes:
        lines: The lines of the copy.
        specification: The claims about it.

    """

    lines: Sequence[str]
    specification: Specification

    def of(self, claim: Claim) -> list[tuple[int, str]]:
        """Return the lines of a claim, with their numbers."""
        return [(number, self.lines[number - 1]) for number in claim.lines]

    @cached_property
    def sections(self) -> list[tuple[Section, str, list[Line]]]:
        """The sections, each with the document's own heading and its lines."""
        spoken: dict[int, list[Claim]] = {}
        for claim in self.specification.claims.values():
            for number in claim.lines:
                spoken.setdefault(number, []).append(claim)
        headings = document.identity().headings
        return [
            (
                section,
                headings.get(section.name, ""),
                [
                    Line(number, self.lines[number - 1], spoken.get(number, ()), section.silent.get(number, ""))
                    for number in section.lines
                ],
            )
            for section in self.specification.sections
        ]
