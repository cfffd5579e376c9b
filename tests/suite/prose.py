"""The rules of `.vale`, applied without vale: to Markdown, to claims, and to the prose of Python files."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
STYLE = ROOT / ".vale" / "styles" / "Assay"
# Text with fewer words is a name, a key or a piece of code.
FEWEST_WORDS = 4


class Finding(NamedTuple):
    """A place that breaks a rule, and the words that do."""

    line: int
    rule: str
    text: str


class Prose(NamedTuple):
    """A piece of text in a file.

    Attributes:
        line: Line of its start, from 1.
        kind: `docstring`, `comment`, `message` or `markdown`.
        text: Words.

    """

    line: int
    kind: str
    text: str


@cache
def rule(name: str) -> dict[str, Any]:
    """Return a rule of the style: JSON, which vale reads as YAML."""
    return json.loads((STYLE / f"{name}.yml").read_text(encoding="utf-8"))


@cache
def pattern(name: str) -> re.Pattern[str]:
    """Return what a rule looks for."""
    return re.compile("|".join(rule(name)["tokens"]), re.IGNORECASE | re.MULTILINE)


def phrases(prose: Prose) -> Iterator[Finding]:
    """Yield the phrases that the style replaces, and descriptions of arguments that are not noun phrases."""
    names = ["Phrases", "Args"] if prose.kind == "docstring" else ["Phrases"]
    text = re.sub(r"`[^`]*`", lambda code: "`" * len(code[0]), prose.text)
    for name in names:
        # `(?m)` must stand at the start of the whole pattern, where vale takes it at the start of a token.
        for match in pattern(name).finditer(text):
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            yield Finding(prose.line + text.count("\n", 0, start), name, match[0].strip())


def long_sentences(prose: Prose) -> Iterator[Finding]:
    """Yield the sentences that are too long."""
    limit, word = rule("SentenceLength")["max"], re.compile(rule("SentenceLength")["token"])
    for paragraph in re.finditer(r"(?:[^\n]+\n?)+", prose.text):
        for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z`*\[\d])", paragraph[0]):
            if len(word.findall(sentence)) > limit:
                line = prose.line + prose.text.count("\n", 0, paragraph.start() + paragraph[0].find(sentence))
                yield Finding(line, "SentenceLength", " ".join(sentence.split()[:8]))


def markdown(text: str) -> Iterator[Prose]:
    """Yield the text of a page: without code, tables, targets of links and directives."""
    blank = re.sub(r"^(`{3,}).*?^\1$", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    blank = re.sub(r"\]\([^)]*\)", "]", blank)
    # A heading, a row of a table and an item of a list are paragraphs of their own.
    blank = re.sub(r"^\|.*$", "", blank, flags=re.MULTILINE)
    for start, block in _blocks(blank):
        yield Prose(start, "markdown", block)


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    start = 1
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if block and (not line.strip() or re.match(r"\s*([-*#:]|\d+\.) ?", line)):
            yield start, "\n".join(block)
            block = []
        if line.strip():
            start = start if block else number
            block.append(line)


def python(source: str) -> Iterator[Prose]:
    """Yield the docstrings, the comments and the messages of a file."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value): node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
        and isinstance(node.body[0].value.value, str)
    }
    for text in docstrings.values():
        yield Prose(text.lineno, "docstring", str(text.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            words = re.findall(r"[A-Za-z]{2,}", node.value)
            if len(words) >= FEWEST_WORDS:
                yield Prose(node.lineno, "message", node.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Prose(token.start[0], "comment", token.string)
