"""The reference of the command line: the help of every command, as it prints it."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from unittest import mock

from assay.cli import parser
from assay_site.text import fence

VIEWS = ("list", "show", "errata", "coverage")


def page() -> str:
    """Return the page."""
    parts = ["# Command line", fence(_help())]
    for command in _commands():
        parts += [f"## assay {command}", fence(_help(command))]
        if command == "claims":
            for view in VIEWS:
                parts += [f"### assay claims {view}", fence(_help(command, view))]
    return "\n\n".join(parts)


def _commands() -> Iterator[str]:
    listed = _help().partition("COMMAND\n")[2].partition("\noptions:")[0]
    yield from re.findall(r"^    ([a-z]+)", listed, re.MULTILINE)


def _help(*command: str) -> str:
    shown = io.StringIO()
    with mock.patch.dict(os.environ, {"COLUMNS": "100"}), redirect_stdout(shown), suppress(SystemExit):
        parser.main([*command, "--help"])
    return shown.getvalue()
