"""Text files that commands make."""

from __future__ import annotations

from pathlib import Path

from assay.errors import UserError


def write(output: Path, text: str, what: str) -> None:
    """Write one.

    Raises:
        UserError: it cannot be written.

    """
    try:
        # A ledger may hold halves of surrogate pairs, which JSON can write and UTF-8 cannot.
        output.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        msg = f"the {what} {output} cannot be written: {error.strerror}"
        raise UserError(msg, "Name a file in a folder that exists and is writable") from None
