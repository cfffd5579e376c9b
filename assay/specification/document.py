"""The document: its identity, verification of copies, and coverage of its lines by claims."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from assay.errors import ErrorKind, UserError
from assay.files import input_file
from assay.specification.claims import FOLDER, Claim, Section, Specification, format_lines

DIGITS = 8


@dataclass(frozen=True)
class Document:
    """The identity of the document, and its address.

    Attributes:
        title: Title of the chapter in English.
        original_title: Title of the chapter as in the document.
        book: Title of the book in English.
        original_book: Title of the book as in the document.
        authors: Names of the authors of the book.
        edition: Edition whose line numbers the claims use.
        address: Address on the web.
        sha256: Digest of the edition.
        lines: Number of lines of the edition.
        headings: The document's own heading above each section, by the section's name; a section may have none.

    """

    title: str
    original_title: str
    book: str
    original_book: str
    authors: tuple[str, ...]
    edition: str
    address: str
    sha256: str
    lines: int
    headings: Mapping[str, str]

    @property
    def citation(self) -> str:
        """Title, book, authors and edition in a sentence."""
        names = f"{', '.join(self.authors[:-1])} and {self.authors[-1]}"
        return (
            f"{self.original_title} ({self.title}), a chapter of {self.original_book} ({self.book}) by {names};"
            f" {self.edition}, {self.lines} lines, SHA-256 {self.sha256[:12]}"
        )

    @property
    def chinese_citation(self) -> str:
        """Title, book, authors and edition in Chinese."""
        names = "、".join(name.rpartition("(")[2].rstrip(")") for name in self.authors)
        return (
            f"《{self.original_book}》（{names}著）中的一章《{self.original_title}》，{self.lines} 行，"
            f"SHA-256 {self.sha256[:12]}"
        )

    def place(self, claim: Claim, specification: Specification) -> str:
        """Return the place of a claim: `The Dense layer (Keras 的全连接层:线性变换 + 激活函数), line 81`."""
        title, _, lines = specification.place(claim).rpartition(", line ")
        heading = self.headings.get(claim.section)
        return f"{title} ({heading}), line {lines}" if heading else f"{title}, line {lines}"


@cache
def identity() -> Document:
    """Read the identity of the document from `spec/claims/document.toml`."""
    content = tomllib.loads((FOLDER / "document.toml").read_text(encoding="utf-8"))
    headings, sections = content.pop("headings"), content.pop("sections")
    by_section = {name: headings[str(entry["heading"])] for name, entry in sections.items() if "heading" in entry}
    return Document(**content | {"authors": tuple(content["authors"])}, headings=by_section)


def digest(text: str) -> str:
    """Return the digest of a text; for a line, the one in `spec/claims/lines.txt`."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


@cache
def digests() -> tuple[str, ...]:
    """Return the digest of every line of the document."""
    return tuple((FOLDER / "lines.txt").read_text(encoding="ascii").split())


def blank_lines() -> set[int]:
    """Return the document's blank lines, from 1."""
    return {number for number, one in enumerate(digests(), start=1) if one == digest("")}


@dataclass(frozen=True)
class Coverage:
    """Coverage of the lines of a section; blank lines do not count.

    Attributes:
        section: Section of the document.
        claimed: Lines that a claim is about.
        silent: Lines marked as having no claim.
        open: Lines that are not covered.

    """

    section: Section
    claimed: frozenset[int]
    silent: frozenset[int]
    open: frozenset[int]


def coverage(specification: Specification) -> tuple[Coverage, ...]:
    """Return the coverage of every section of the document."""
    return tuple(_coverage(section, blank_lines()) for section in specification.sections)


def _coverage(section: Section, blank: set[int]) -> Coverage:
    claimed = frozenset(line for claim in section.claims for line in claim.lines)
    silent = frozenset(section.silent)
    return Coverage(section, claimed, silent, frozenset(set(section.lines) - claimed - silent - blank))


def read(path: Path, specification: Specification) -> tuple[str, ...]:
    """Read the lines of a copy of the document.

    Raises:
        UserError: The file cannot be read, or is another document; the message says which lines changed and which
            claims are about these lines.

    """
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8").splitlines()
    except OSError as error:
        raise input_file.make_error(path, "document", error) from None
    except UnicodeDecodeError:
        msg = f"the document {path} is not UTF-8 text"
        raise UserError(ErrorKind.DIFFERENT_DOCUMENT, msg) from None
    found = hashlib.sha256(content).hexdigest()
    if found != specification.document:
        msg = (
            f"{path} is another document than this specification speaks of: SHA-256 {found[:12]} and"
            f" {len(lines)} lines, where {specification.document[:12]} and {len(digests())} lines are expected"
        )
        raise UserError(ErrorKind.DIFFERENT_DOCUMENT, msg, _difference(lines, specification))
    return tuple(lines)


def _difference(lines: list[str], specification: Specification) -> str:
    there = [digest(line) for line in lines]
    matcher = SequenceMatcher(None, digests(), there, autojunk=False)
    changed = {
        line + 1
        for operation, start, stop, _, _ in matcher.get_opcodes()
        if operation != "equal"
        # For an insertion between two lines, the line before it is named.
        for line in (range(start, stop) if stop > start else [max(start - 1, 0)])
    }
    if not changed:
        return "Every line is the same: only line ends or the end of the file differ"
    if len(changed) > len(digests()) / 2:
        return "Most lines differ: it is not an edition of the same document"
    touched = [id_ for id_, claim in specification.claims.items() if changed & set(claim.lines)]
    claims = f"look again at {', '.join(touched)}" if touched else "no claim speaks of them"
    return f"Lines {format_lines(tuple(changed))} were changed: {claims}"
