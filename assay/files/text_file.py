"""Text files that commands make."""

from __future__ import annotations

from pathlib import Path

from assay.files import output as files


def write(output: Path, text: str, what: str) -> None:
    """Write one.

    Raises:
        UserError: It cannot be written.

    """
    files.write(output, text, what)
