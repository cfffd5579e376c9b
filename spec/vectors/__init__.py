"""Exact inputs and outputs that the document prints: one TOML file for each example."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read(name: str) -> dict[str, Any]:
    """Return what the document prints for an example.

    Args:
        name: Name of the file, without `.toml`.

    Returns:
        Its values by name, as plain numbers and lists.

    """
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
