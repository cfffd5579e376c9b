"""The ledger of an unfinished run, as a file to which lines are appended, so that a killed run loses no rows.

The first line is a JSON object with the whole ledger except its rows, and the key `journal`. Each later line is a row,
or an object that replaces keys of the first line. The last row of a claim counts. At the end of the run, the ledger
replaces the journal.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.errors import ErrorKind, UserError
from assay.files import json_file, output_file
from assay.ledger.outcomes import Outcome

START = b'{"journal": 1, '
# Keys of a ledger that are known only at the end of a run, or that are the rows.
LEFT_OUT = {"complete", "counts", "time"}


class Journal:
    """Writes a journal. Entries that could not be written are written with the next ones.

    Attributes:
        is_open: Whether lines can be added; otherwise the journal must begin again with all rows so far.

    """

    def __init__(self, path: Path) -> None:
        """Store the path of the ledger."""
        self._path = path
        self.is_open = False

    def begin(self, head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace the file atomically by a journal with these rows.

        Args:
            head: The ledger except its rows, as plain values for JSON.
            rows: Rows, as plain values for JSON.

        Raises:
            UserError: The file cannot be written.

        """
        self.is_open = False
        first = {"journal": 1} | {key: value for key, value in head.items() if key not in LEFT_OUT}
        output_file.write(self._path, "".join(map(_line, [first, *rows])), "ledger")
        self.is_open = True

    def add(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Add lines.

        Raises:
            UserError: The lines cannot be written; this closes the journal.

        """
        content = output_file.encode("".join(map(_line, entries)))
        try:
            # Opened for each write: an implementation in this process may close files, whose descriptors may be reused.
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                while content:
                    content = content[os.write(file, content) :]
            finally:
                os.close(file)
        except OSError as error:
            # A part of a line may have been written, so nothing can be appended.
            self.is_open = False
            raise output_file.make_error(self._path, "ledger", error) from None


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, allow_nan=False) + "\n"


def is_one(content: bytes) -> bool:
    """Whether the content of a file is a journal."""
    return content.startswith(START)


def read(content: bytes, path: Path, hint: str) -> dict[str, Any]:
    """Return the content of a journal as an incomplete ledger. A partial last line is ignored.

    Args:
        content: Content of the file.
        path: Path of the file for messages.
        hint: Hint on how to create a ledger, for messages.

    Raises:
        UserError: The content is not a journal; the message names the line.

    """
    head: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    for number, entry in enumerate(_entries(content, path, hint), start=1):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            rows[entry["id"]] = entry
        elif isinstance(entry, dict) and "id" not in entry:
            head |= entry
        else:
            msg = f"{path} is not a ledger: line {number} is not a row"
            raise UserError(ErrorKind.INVALID_FORMAT, msg, hint)
    found = Counter(str(row.get("outcome")) for row in rows.values())
    head |= {
        "complete": False,
        "counts": {each.value: found[each.value] for each in Outcome},
        "claims": [*rows.values()],
    }
    return {key: value for key, value in head.items() if key != "journal"}


def _entries(content: bytes, path: Path, hint: str) -> Iterator[Any]:
    # The process may have been killed while writing a line, which then has no line break.
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        yield json_file.parse(line, path, "ledger", hint, f"line {number}")
