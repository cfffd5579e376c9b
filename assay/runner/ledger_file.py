"""The file of a run's ledger: a journal while the run is in progress, and the ledger itself at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock

from assay.errors import UserError
from assay.files import lock, output_file
from assay.ledger import ledger
from assay.ledger.draft import Draft
from assay.ledger.journal import Journal
from assay.ledger.ledger import Subject


class LedgerFile:
    """Writes the results of a run. A failed write is repeated with the next one, as a full disk may have room again.

    Attributes:
        path: Path of the file; None for a run that writes no ledger.
        error: Why the last write failed; empty if it succeeded.

    """

    def __init__(self, path: Path | None) -> None:
        """Store the path, without writing yet.

        Args:
            path: Path of the file; None for a run that writes no ledger.

        """
        self.path = path
        self.error = ""
        self._lock: FileLock | None = None
        self._journal: Journal | None = None
        self._subject: Subject | None = None

    def open(self) -> None:
        """Check that the file is writable, and lock it against other runs. Later calls do nothing.

        Raises:
            UserError: The file cannot be written, or another run is writing it.

        """
        if self.path is None or self._lock is not None:
            return
        self.path = output_file.check(self.path, "ledger")
        self._lock = lock.acquire(self.path, "ledger")
        if output_file.is_regular(self.path):
            self._journal = Journal(self.path)

    def add(self, draft: Draft, claims: Iterable[str] = ()) -> None:
        """Add the rows of claims to the journal, or begin it with all existing rows.

        Args:
            draft: Results of the run so far.
            claims: Ids of the claims whose rows are new.

        """
        if self._journal is None:
            return
        try:
            if self._journal.is_open:
                rows = [ledger.row_as_json(draft.settle(draft.rows[id_])) for id_ in claims]
                self._journal.add([*self._changes(draft), *rows])
            else:
                now = draft.ledger()
                self._journal.begin(ledger.head(now), map(ledger.row_as_json, now.claims))
            self._subject = draft.implementation
            self.error = ""
        except UserError as error:
            self.error = error.describe()

    def _changes(self, draft: Draft) -> list[dict[str, Any]]:
        """Return new facts about the implementation since the last write."""
        if draft.implementation == self._subject:
            return []
        return [{"implementation": msgspec.to_builtins(draft.implementation)}]

    def finish(self, draft: Draft) -> None:
        """Replace the journal by the ledger."""
        if self.path is None:
            return
        try:
            draft.write(self.path)
            self.error = ""
        except UserError as error:
            self.error = error.describe()

    def close(self) -> None:
        """Release the file for other runs."""
        if self._lock is not None:
            self._lock.release()
