"""The reference of the command line: the help of every command, as it prints it."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from unittest import mock

from assay.cli.commands.claims import claims
from assay.cli.main import SUMMARIES, main
from assay_site.text import fence


def page() -> str:
    """Return the page."""
    parts = ["# Command line", fence(_help())]
    for command in SUMMARIES:
        parts += [f"## assay {command}", fence(_help(command))]
        if command == "claims":
            for view in claims.commands:
                parts += [f"### assay claims {view}", fence(_help(command, view))]
    return "\n\n".join(parts)


def _help(*command: str) -> str:
    shown = io.StringIO()
    with mock.patch.dict(os.environ, {"COLUMNS": "100"}), redirect_stdout(shown):
        main([*command, "--help"])
    return shown.getvalue()
