"""Markdown for pull requests, with foreign text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

# Limits of details, so that a report fits into a comment, which may have 65,536 characters.
LONGEST_REASON = 1000
LONGEST_CELL = 120
MOST_DETAILS = 20
MOST_IN_TABLE = 50


def plain(text: str) -> str:
    """Return a text on one line, with all markup of Markdown and HTML escaped, also inside a table."""
    return re.sub(r"[^\w .,()=/+%?'-]|_", lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def code(text: str) -> str:
    """Return a text as code, in which a host does not link user names."""
    return f"<code>{plain(text)}</code>"


def block(text: str) -> str:
    """Return a text of several lines as a code block."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def truncate(text: str, longest: int) -> str:
    """Return a text, truncated if it is too long."""
    return text if len(text) <= longest else f"{text[:longest]} ..."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose cells are Markdown without line breaks and bars."""
    for row in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(row)} |"


def details(summary: str, content: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a collapsible block: Markdown content under a summary."""
    yield from (f"<details><summary>{summary}</summary>", "", *content, "", "</details>", "")
