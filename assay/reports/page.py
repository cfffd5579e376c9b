"""Pages: one HTML file each, with everything in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


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


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", text.lower())


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"  # noqa: PLR2004 - three digits are enough to read
