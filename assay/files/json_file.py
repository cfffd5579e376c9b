"""JSON files, read without trust."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assay.errors import UserError


def read(path: Path, schema_file: Path, what: str, hint: str) -> dict[str, Any]:
    """Read a file and check it against its schema.

    Args:
        path: of the file.
        schema_file: has its JSON Schema, and in that the version of its format.
        what: it has to be, for the message: `ledger`.
        hint: how such a file is made, likewise.

    Raises:
        UserError: there is no such file, or it is not what it has to be; the message says what is wrong with it.

    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, and a run needs none

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"the {what} {path} cannot be read: {error.strerror}"
        raise UserError(msg, hint) from None
    except ValueError:
        msg = f"{path} is not a {what}: it is not JSON"
        raise UserError(msg, hint) from None
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    fault = next(Draft202012Validator(schema).iter_errors(content), None)
    if fault is not None:
        where = _dotted(fault.absolute_path)
        version = schema["properties"]["format"]["const"]
        msg = f"{path} is not a {what} of format {version}, at {where}: {fault.message[:200]}"
        raise UserError(msg, hint)
    checked: dict[str, Any] = content
    return checked


def place(fault: Any, content: dict[str, Any], entries: str, called: str, known_by: str) -> str:  # noqa: ANN401 - jsonschema
    """Say where a file has a fault, for people: `claim 3 (dense.relu).kind`.

    Args:
        fault: as jsonschema found it.
        content: of the file.
        entries: the key of the list that the file consists of.
        called: what an entry of it is called.
        known_by: the key that an entry is known by.

    """
    match list(fault.absolute_path):
        case [str(key), int(index), *rest] if key == entries:
            entry = content[entries][index]
            id_ = entry.get(known_by, f"no {known_by}") if isinstance(entry, dict) else f"no {known_by}"
            return _dotted([f"{called} {index + 1} ({id_})", *rest])
        case where:
            return _dotted(where)


def _dotted(where: Iterable[Any]) -> str:
    return ".".join(map(str, where)) or "top level"
