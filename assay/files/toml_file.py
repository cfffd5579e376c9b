"""TOML files, read without trust."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import ErrorKind, UserError
from assay.files import input_file
from assay.files.json_file import join_steps


def load(path: Path, what: str, hint: str) -> dict[str, Any]:
    """Read a file.

    Args:
        path: Path of the file.
        what: What the file should have, for the message: `expectations`.
        hint: What makes such a file, for the message.

    Raises:
        UserError: The file is missing, or it is not TOML.

    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise input_file.make_error(path, what, error, hint) from None
    except RecursionError:
        msg = f"{path} is not TOML: it is nested too deeply"
        raise UserError(ErrorKind.INVALID_SYNTAX, msg) from None
    except ValueError as error:
        msg = f"{path} is not TOML: {error}"
        raise UserError(ErrorKind.INVALID_SYNTAX, msg) from None


def invalid(
    kind: ErrorKind, path: Path, content: dict[str, Any], error: msgspec.ValidationError, entries: str, known_by: str
) -> UserError:
    """Return the error of a file whose values do not have the declared types; it names the entry.

    Args:
        kind: Kind of the error.
        path: Path of the file.
        content: Content of the file.
        error: Error of msgspec.
        entries: Key of the list that the file consists of.
        known_by: Key that identifies an entry.

    """
    message, _, where = str(error).partition(" - at `$")
    found = re.match(rf"\.{entries}\[(\d+)\]\.?(.*)", where.rstrip("`"))
    if not found:
        return UserError(kind, f"{path}: {message[:200]}")
    steps = [entries, int(found[1]), *filter(None, [found[2]])]
    return UserError(kind, f"{path}, {name_place(steps, content, entries, 'entry', known_by)}: {message[:200]}")


def name_place(steps: Sequence[str | int], content: dict[str, Any], entries: str, called: str, known_by: str) -> str:
    """Name a place in a file, for people: `claim 3 (dense.relu).kind`.

    Args:
        steps: Keys and indices that lead to the place.
        content: Content of the file.
        entries: Key of the list that the file consists of.
        called: Word for an entry of it.
        known_by: Key that identifies an entry.

    """
    match [*steps]:
        case [str(key), int(index), *rest] if key == entries:
            entry, unknown = content[entries][index], f"no {known_by}"
            id_ = entry.get(known_by, unknown) if isinstance(entry, dict) else unknown
            return join_steps([f"{called} {index + 1} ({id_})", *rest])
    return join_steps(steps)
