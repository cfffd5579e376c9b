"""The ledger of a run that has not finished: a file that lines are added to, so that a killed run loses none of them.

The first line is a JSON object with all of a ledger but its rows, and the key `journal`. Each later line is a row, or
an object that replaces keys of the first line. The last row of a claim counts. The end of the run replaces the journal
by the ledger itself.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.errors import UserError
from assay.files import json_file, output_file
from assay.ledger.outcomes import Outcome

START = b'{"journal": 1, '
# What only the end of a run says, or the rows themselves.
LEFT_OUT = {"complete", "counts", "time"}


class Journal:
    """Writes a journal. What could not be written is written together with what comes next.

    Attributes:
        is_open: Whether lines can be added; otherwise it has to begin with all that there is so far.

    """

    def __init__(self, path: Path) -> None:
        """Take the path of the ledger."""
        self._path = path
        self.is_open = False

    def begin(self, head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace the file, in one step, by a journal with these rows.

        Args:
            head: All of a ledger but its rows, as JSON has it.
            rows: Rows, as JSON has them.

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
            UserError: They cannot be written; the journal is closed then.

        """
        content = output_file.encode("".join(map(_line, entries)))
        try:
            # Opened each time: an implementation in this process may close files, whose numbers others get then.
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                while content:
                    content = content[os.write(file, content) :]
            finally:
                os.close(file)
        except OSError as error:
            # A part of a line may be there, after which nothing can be added.
            self.is_open = False
            raise output_file.error_of(self._path, "ledger", error) from None


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, allow_nan=False) + "\n"


def is_one(content: bytes) -> bool:
    """Whether the content of a file is a journal."""
    return content.startswith(START)


def read(content: bytes, path: Path, hint: str) -> dict[str, Any]:
    """Return what a journal comes to, as a ledger that is incomplete. A last line that is not whole is left out.

    Args:
        content: Content of the file.
        path: Path of the file, for messages.
        hint: What makes such a file, for messages.

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
            raise UserError(msg, hint)
    found = Counter(str(row.get("outcome")) for row in rows.values())
    head |= {
        "complete": False,
        "counts": {each.value: found[each.value] for each in Outcome},
        "claims": [*rows.values()],
    }
    return {key: value for key, value in head.items() if key != "journal"}


def _entries(content: bytes, path: Path, hint: str) -> Iterator[Any]:
    # The process may have been ended within a line, which has no end then.
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        yield json_file.parse(line, path, "ledger", hint, f"line {number}")
