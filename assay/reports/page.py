"""Common parts of the pages' templates."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from assay.reports.columns import NO_ROW, NOT_IN_PROFILE
from assay.specification import document

HERE = Path(__file__).parent
# A letter for each state, used by the script, and a sign for narrow columns.
CODES = {
    "pass": ("p", "✓"),
    "fail": ("f", "✗"),
    "error": ("e", "E"),
    "crash": ("c", "C"),
    "timeout": ("t", "T"),
    "expected failure": ("x", "x"),
    "unexpected pass": ("q", "!"),
    "unsupported": ("u", "\N{EN DASH}"),
    "skipped": ("s", "s"),
    NO_ROW: ("n", "?"),
    NOT_IN_PROFILE: ("o", "·"),
}
# A path has at least two folders; a single slash may separate numbers or words.
LOCAL_PATH = re.compile(r"(?<![\w:/.~])(?:/[\w.+~@%-]+){2,}/?|(?<!\w)[A-Za-z]:\\(?:[\w.+~@% -]+\\)+[\w.+~@%-]*")
# Maximum number of failures that a page lists unfolded.
MOST_IN_BRIEF = 60


@cache
def script() -> Markup:
    """Return the script of the pages, the only script that their content policy permits."""
    return Markup((HERE / "page.js").read_text(encoding="utf-8"))  # noqa: S704 - ours, and a test compares its digest


def script_hash() -> str:
    """Return the digest of the script in the format of a content policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()


def hide_paths(text: str) -> str:
    """Shorten the absolute paths in a text to their last part, since readers of a report lack these folders."""
    return LOCAL_PATH.sub(lambda found: "…/" + re.split(r"[/\\]", found[0].rstrip("/\\"))[-1], text)


def template(name: str) -> Any:  # noqa: ANN401 - Jinja's templates are not typed
    """Return a template of this folder."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "slug": _slug,
        "seconds": _seconds,
        "duration": _duration,
        "hide_paths": hide_paths,
        "code": lambda state: CODES[state][0],
        "sign": lambda state: CODES[state][1],
    }
    environment.globals |= {
        "script": script(),
        "script_hash": script_hash(),
        "codes": {state: code for state, (code, _) in CODES.items()},
        "identity": document.identity(),
    }
    return environment.get_template(name)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", text.lower())


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"  # noqa: PLR2004 - three digits are enough to read


def _duration(value: float) -> str:
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes else _seconds(value)
