"""The folder of a survey: its plan, and a ledger for every finished run. Ledgers are untrusted input."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock

from assay.adapters.plain_text import plain
from assay.errors import ErrorKind, UserError
from assay.files import json_file, lock, output_file
from assay.ledger import ledger as ledgers
from assay.ledger.ledger import Ledger
from assay.survey.plan import Plan, Trial

PLAN = "plan.json"
HINT = "Choose another folder with --output, or remove this one"
# The ledger of a complete run has about one megabyte.
MOST_BYTES = 50_000_000


class RejectedError(Exception):
    """Raised when a ledger does not belong to the expected run."""


class Store:
    """The results of a survey, stored as they arrive."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Open or create the folder of a survey; an interrupted survey is resumed.

        Args:
            folder: Folder.
            plan: Plan of the survey.

        Raises:
            UserError: The folder cannot be written, is in use by another survey, or has results of another one.

        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"the folder {folder} cannot be created: {error.strerror}"
            raise UserError(ErrorKind.UNWRITABLE_FILE, msg, "Choose another one with --output") from None
        self.folder = folder
        self._plan = plan
        # Computed once, since it reads every test.
        self._identity = plan.identity()
        self._lock: FileLock | None = lock.acquire(output_file.check(folder / PLAN, "plan"), "survey")
        known = self._read_implementations()
        content = self._identity | {"implementations": known | plan.describe_implementations()}
        json_file.write(folder / PLAN, content, "plan")

    def close(self) -> None:
        """Release the folder for other surveys."""
        if self._lock is not None:
            self._lock.release()

    def _read_implementations(self) -> dict[str, Any]:
        path = self.folder / PLAN
        if not path.exists():
            if any(self.folder.iterdir()):
                msg = f"the folder {self.folder} is not empty, and not that of a survey"
                raise UserError(ErrorKind.EXISTING_FILE, msg, "Choose another folder with --output")
            return {}
        before = json_file.load(path, "plan", HINT)
        if not isinstance(before, dict) or not isinstance(before.get("implementations"), dict):
            msg = f"{path} is not the plan of a survey"
            raise UserError(ErrorKind.INVALID_FORMAT, msg, HINT)
        for what, value in self._identity.items():
            if before.get(what) != value:
                msg = f"{self.folder} has results of another survey: its {what} differ"
                raise UserError(ErrorKind.CHANGED_CONDITIONS, msg, HINT)
        known: dict[str, Any] = before["implementations"]
        for name, described in self._plan.describe_implementations().items():
            if known.get(name, described) != described:
                msg = f"{self.folder} has results of another version of {name}"
                raise UserError(ErrorKind.CHANGED_CONDITIONS, msg, HINT)
        return known

    def add(self, trial: Trial, content: bytes) -> None:
        """Store a ledger atomically.

        Raises:
            RejectedError: The content is not a ledger, or not that of this run.

        """
        found = self._accept(trial, content)
        path = self.folder / trial.file
        path.parent.mkdir(parents=True, exist_ok=True)
        ledgers.write(path, found)

    def read(self, trial: Trial) -> Ledger | None:
        """Return the ledger of a run; None if the run is not done or its file is damaged."""
        with suppress(OSError, RejectedError):
            return self._accept(trial, (self.folder / trial.file).read_bytes())
        return None

    def _accept(self, trial: Trial, content: bytes) -> Ledger:
        """Check that a ledger belongs to a run, and sanitise its texts for files and terminals."""
        if len(content) > MOST_BYTES:
            msg = f"its ledger has {len(content)} bytes"
            raise RejectedError(msg)
        try:
            found = ledgers.from_json(_plain(json.loads(content)))
        except (ValueError, RecursionError) as error:
            kind = str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__
            msg = f"its ledger is damaged: {plain(kind)[:200]}"
            raise RejectedError(msg) from None
        options, identity = trial.apply_to(self._plan.options), self._identity
        shard = "" if found.shard is None else f"{found.shard.number}/{found.shard.of}"
        actual = (found.suite, found.document, found.profile, found.precision, found.seed, shard)
        expected = (
            *(identity[what] for what in ("suite", "document", "profile", "precision")),
            trial.seed,
            trial.shard,
        )
        if actual != expected:
            msg = f"its ledger is that of another run: {actual} and not {expected}"
            raise RejectedError(msg)
        decided = {row.id for row in found.claims if row.decided}
        if not (decided == {*options.claim} if options.claim else found.complete and decided):
            msg = "the run did not decide every claim"
            raise RejectedError(msg)
        return found


def _plain(tree: Any) -> Any:  # noqa: ANN401 - JSON of any form
    """Sanitise every text of a tree, since an implementation can write into the ledger of its own process."""
    if isinstance(tree, str):
        # Keep line breaks, as reasons have several lines.
        return "\n".join(map(plain, tree.split("\n")))
    if isinstance(tree, list):
        return [_plain(branch) for branch in tree]
    if isinstance(tree, dict):
        return {plain(key): _plain(branch) for key, branch in tree.items()}
    return tree
