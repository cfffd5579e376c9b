"""Markdown for the generated pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    """Return text without a meaning in Markdown: `__init__` is not bold, and `<a>` not HTML."""
    return re.sub(r"([\\`*_<\[|$#{}])", r"\\\1", text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fence(content: str, language: str = "text") -> str:
    """Return a block of code."""
    return f"````{language}\n{content.rstrip()}\n````"


def link(claim: str, folder: str = "claims/") -> str:
    """Return a link to the page of a claim. It is HTML, because these pages do not come from Markdown.

    Args:
        claim: Id of the claim.
        folder: Folder of the pages, relative to the page with the link.

    """
    return f'<a href="{folder}{claim}.html">{claim}</a>'
