"""TOML files, read without trust."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import UserError


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
        msg = f"the {what} {path} cannot be read: {error.strerror}"
        raise UserError(msg, hint) from None
    except RecursionError:
        msg = f"{path} is not TOML: it is nested too deeply"
        raise UserError(msg) from None
    except ValueError as error:
        msg = f"{path} is not TOML: {error}"
        raise UserError(msg) from None


def invalid(
    path: Path, content: dict[str, Any], error: msgspec.ValidationError, entries: str, known_by: str
) -> UserError:
    """Return the error of a file whose values do not have the declared types; it names the entry.

    Args:
        path: Path of the file.
        content: Content of the file.
        error: Error of msgspec.
        entries: Key of the list that the file consists of, and the word for an entry of it.
        known_by: Key that identifies an entry.

    """
    message, _, where = str(error).partition(" - at `$")
    found = re.match(rf"\.{entries}\[(\d+)\]\.?(.*)", where.rstrip("`"))
    if not found:
        return UserError(f"{path}: {message[:200]}")
    entry = content[entries][int(found[1])]
    id_ = entry.get(known_by, f"no {known_by}") if isinstance(entry, dict) else f"no {known_by}"
    place = f"entry {int(found[1]) + 1} ({id_})" + (f".{found[2]}" if found[2] else "")
    return UserError(f"{path}, {place}: {message[:200]}")
