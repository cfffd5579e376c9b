"""The schema of the ledger, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import assay
from assay_site.text import fence, plain, table

FOLDER = Path(assay.__file__).parent / "ledger"

INTRODUCTION = """\
# Ledger

A ledger is the JSON file that a run writes. This page is generated from its schema, which is part of the wheel:
`assay/ledger/ledger.schema.json`. New fields may be added; existing ones stay.

## Fields"""


def page() -> str:
    """Return the page."""
    text = (FOLDER / "ledger.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    return "\n\n".join(
        [
            INTRODUCTION,
            table(["field", "type", "required", "meaning"], _fields(schema)),
            "## Fields of a row",
            "A row is the result of one claim.",
            table(["field", "type", "required", "meaning"], _fields(schema["$defs"]["row"])),
            "## Schema",
            fence(text, "json"),
        ]
    )


def _fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    for name, entry in schema["properties"].items():
        if entry is True:
            continue
        required = "yes" if name in schema.get("required", ()) else "no"
        yield f"`{prefix}{name}`", _type(entry), required, plain(entry.get("description", ""))
        if "properties" in entry and name != "counts":
            yield from _fields(entry, f"{prefix}{name}.")


def _type(entry: Mapping[str, Any]) -> str:
    if "enum" in entry:
        return ", ".join(f"`{json.dumps(value)}`" for value in entry["enum"])
    if "const" in entry:
        return f"`{entry['const']}`"
    if "$ref" in entry:
        return entry["$ref"].rpartition("/")[2]
    kind = entry.get("type", "any")
    if kind == "array":
        return f"array of {_type(entry.get('items', {}))}"
    return kind if isinstance(kind, str) else " or ".join(kind)
