"""Files that a command reads."""

from __future__ import annotations

from pathlib import Path

from assay.errors import ErrorKind, UserError


def make_error(path: Path, what: str, error: OSError, hint: str = "") -> UserError:
    """Return the error of a file that cannot be read.

    Args:
        path: Path of the file.
        what: What the file should be, for the message: `ledger`.
        error: Error of the system.
        hint: What makes such a file, for the message.

    """
    kind = ErrorKind.MISSING_FILE if isinstance(error, FileNotFoundError) else ErrorKind.UNREADABLE_FILE
    return UserError(kind, f"the {what} {path} cannot be read: {error.strerror}", hint)
