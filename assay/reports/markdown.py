"""Markdown, as code hosts show it in a pull request: foreign text stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

# Enough to know what to look for, and so little that a host takes it, which takes 65,536 characters in a comment.
LONGEST_REASON = 1000
LONGEST_CELL = 120
MOST_DETAILS = 20
MOST_IN_TABLE = 50


def plain(text: str) -> str:
    """Write a text in one line in which nothing is markup, neither of Markdown nor of HTML, in a table or out of it."""
    return re.sub(r"[^\w .,()=/+%?'-]|_", lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def code(text: str) -> str:
    """Write a text as code; in code a host makes no links to its users either."""
    return f"<code>{plain(text)}</code>"


def block(text: str) -> str:
    """Write a text of several lines as it is."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def cut(text: str, longest: int) -> str:
    """Return the beginning of a text that is too long."""
    return text if len(text) <= longest else f"{text[:longest]} ..."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a table, whose cells are Markdown without line ends and bars, in lines."""
    for row in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(row)} |"


def details(summary: str, content: Iterable[str]) -> Iterator[str]:
    """Write what is shown when it is asked for, in lines: Markdown, under a summary of text and code."""
    yield from (f"<details><summary>{summary}</summary>", "", *content, "", "</details>", "")
