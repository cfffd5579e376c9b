"""JSON files, read without trust."""

from __future__ import annotations

import json
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
        where = ".".join(map(str, fault.absolute_path)) or "top level"
        version = schema["properties"]["format"]["const"]
        msg = f"{path} is not a {what} of format {version}, at {where}: {fault.message[:200]}"
        raise UserError(msg, hint)
    checked: dict[str, Any] = content
    return checked
