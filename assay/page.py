"""Pages: one HTML file each, with everything in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assay.errors import UserError


def template(name: str) -> Any:  # noqa: ANN401 - Jinja's templates are not typed
    """Return a template of this folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"slug": _slug, "seconds": _seconds}
    return environment.get_template(name)


def write(output: Path, text: str, what: str) -> None:
    """Write a page, or what else a command makes.

    Raises:
        UserError: it cannot be written.

    """
    try:
        # A ledger may hold halves of surrogate pairs, which JSON can write and UTF-8 cannot.
        output.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        msg = f"the {what} {output} cannot be written: {error.strerror}"
        raise UserError(msg, "Name a file in a folder that exists and is writable") from None


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", text.lower())


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"  # noqa: PLR2004 - three digits are enough to read
