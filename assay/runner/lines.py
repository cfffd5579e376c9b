"""Folding of lines to the width of a terminal."""

from __future__ import annotations

import shlex
import textwrap

MORE = 4
# Interval of progress lines without a terminal, in seconds.
QUIET_SECONDS = 30.0


def fold(line: str, width: int | None) -> str:
    """Break a long line between words, and indent the continuation.

    Args:
        line: Line of text. After `replay:` comes a command, which is broken with shell continuations.
        width: Number of columns; None to leave the line as it is.

    """
    if width is None or len(line) < width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + MORE)
    if line.lstrip().startswith("replay: "):
        return _fold_command(line, width, indent)
    wrapper = textwrap.TextWrapper(
        width - 1, subsequent_indent=indent, break_on_hyphens=False, replace_whitespace=False
    )
    return wrapper.fill(line)


def _fold_command(line: str, width: int, indent: str) -> str:
    head, _, command = line.partition("replay: ")
    lines = [f"{head}replay:"]
    for word in map(shlex.quote, shlex.split(command)):
        if len(lines[-1]) + len(word) + 3 >= width:
            lines[-1] += " \\"
            lines.append(f"{indent}{word}")
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)
