"""JSON files, read without trust, and written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import ErrorKind, UserError
from assay.files import input_file, output_file


def load(path: Path, what: str, hint: str) -> Any:  # noqa: ANN401 - whatever the file has
    """Read a file.

    Args:
        path: Path of the file.
        what: What the file should be, for the message: `ledger`.
        hint: What makes such a file, for the message.

    Raises:
        UserError: The file is missing, it is not JSON, or an object in it has one key twice.

    """
    return parse(read_bytes(path, what, hint), path, what, hint)


def read_bytes(path: Path, what: str, hint: str) -> bytes:
    """Return the content of a file; the arguments are those of `load`.

    Raises:
        UserError: The file cannot be read.

    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise input_file.make_error(path, what, error, hint) from None


def parse(content: bytes, path: Path, what: str, hint: str, part: str = "it") -> Any:  # noqa: ANN401 - as `load`
    """Parse the content of a file, or a part of it.

    Args:
        content: Text in JSON.
        path: Path of the file, for the message.
        what: What the file should be, for the message.
        hint: What makes such a file, for the message.
        part: Name of the part, for the message: `line 3`.

    Raises:
        UserError: The content is not JSON, or an object in it has one key twice.

    """
    try:
        return json.loads(content, object_pairs_hook=_unique)
    except KeyError as error:
        msg = f"{path} is not a {what}: {part} has the key {error.args[0]!r} twice"
    except RecursionError:
        msg = f"{path} is not a {what}: {part} is nested too deeply"
    except ValueError:
        msg = f"{path} is not a {what}: {part} is not JSON"
    raise UserError(ErrorKind.INVALID_SYNTAX, msg, hint)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise KeyError(next(key for key in keys if keys.count(key) > 1))
    return content


def invalid(path: Path, what: str, version: int, error: msgspec.ValidationError, hint: str) -> UserError:
    """Return the error of a file whose values do not have the declared types; it names the place."""
    message, _, where = str(error).partition(" - at `$")
    place = re.sub(r"\[(\d+)\]", r".\1", where.rstrip("`")).strip(".") or "top level"
    msg = f"{path} is not a {what} of format {version}, at {place}: {message[:200]}"
    return UserError(ErrorKind.INVALID_FORMAT, msg, hint)


def join_steps(where: Iterable[Any]) -> str:
    """Join the steps to a place in a file: `claims.0.outcome`."""
    return ".".join(map(str, where)) or "top level"


def read(path: Path, schema_file: Path, what: str, hint: str) -> dict[str, Any]:
    """Read a file and check it against its JSON Schema.

    Args:
        path: Path of the file.
        schema_file: Path of the schema, which states the version of the format.
        what: What the file should be, for the message: `matrix`.
        hint: What makes such a file, for the message.

    Raises:
        UserError: The file is missing, or it does not match; the message says what is wrong and where.

    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, and a run needs none

    content = load(path, what, hint)
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    fault = next(Draft202012Validator(schema).iter_errors(content), None)
    if fault is not None:
        version = schema["properties"]["format"]["const"]
        msg = f"{path} is not a {what} of format {version}, at {join_steps(fault.absolute_path)}: {fault.message[:200]}"
        raise UserError(ErrorKind.INVALID_FORMAT, msg, hint)
    checked: dict[str, Any] = content
    return checked


def write(path: Path, content: Any, what: str) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Write a file, indented.

    Args:
        path: Path of the file.
        content: Plain values.
        what: What the file is, for the message.

    Raises:
        UserError: It cannot be written.

    """
    output_file.write(path, json.dumps(content, indent=1) + "\n", what)
