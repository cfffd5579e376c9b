"""The ledger of a run that is still going on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent

from msgspec.structs import replace

from assay.ledger import ledger
from assay.ledger.expectations import Expectation
from assay.ledger.ledger import Ledger, Precision, Profile, Row, Subject, Time
from assay.ledger.outcomes import count
from assay.specification.claims import specification
from assay.specification.shards import Shard


@dataclass
class Draft:
    """Rows as they come, and what they are still to be joined by.

    Attributes:
        suite: Version of the suite.
        document: SHA-256 of the document.
        implementation: What is tested.
        precision: Precision that products must have.
        profile: smoke, core or full.
        seed: Seed of all random draws.
        data: Source of each data set.
        awaited: For every claim of the profile, or of the shard, in the document's order, the names of its tests that
            have not reported every case yet.
        expectations: Known failures, by claim.
        rows: What the tests found, by claim.
        shard: Part of the profile that is run; None for all of it.
        required: Groups without which the run does not conform.
        time: Time of the run; None until its end.

    """

    suite: str
    document: str
    implementation: Subject
    precision: Precision
    profile: Profile
    seed: int
    data: dict[str, str]
    awaited: dict[str, set[str]]
    expectations: dict[str, Expectation] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    shard: Shard | None = None
    required: tuple[str, ...] = ()
    time: Time | None = None
    # The text of each row, made once, as the file is written after every test.
    _texts: dict[str, tuple[Row, str]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Add the row of one case of a test to its claim's."""
        self.rows[row.id] = self.rows[row.id].merge(row) if row.id in self.rows else row

    def close(self, claims: Iterable[str], test: str) -> None:
        """Note that every case of a test of these claims has reported."""
        for id_ in claims:
            self.awaited.get(id_, set()).discard(test)

    @property
    def missing(self) -> list[str]:
        """The awaited claims of which not every test has reported."""
        return [id_ for id_, tests in self.awaited.items() if tests or id_ not in self.rows]

    @property
    def settled(self) -> tuple[Row, ...]:
        """The rows in the light of what was expected, in the document's order."""
        rows = sorted(self.rows.values(), key=lambda row: specification().rank(row.id))
        return tuple(map(self._settle, rows))

    def _settle(self, row: Row) -> Row:
        decided = not self.awaited.get(row.id)
        row = row if decided else replace(row, decided=False)
        return self.expectations[row.id].settle(row) if row.id in self.expectations else row

    def ledger(self) -> Ledger:
        """Return the ledger as it is now."""
        rows = self.settled
        return Ledger(
            format=ledger.FORMAT,
            suite=self.suite,
            document=self.document,
            implementation=self.implementation,
            precision=self.precision,
            profile=self.profile,
            seed=self.seed,
            shard=self.shard,
            required=self.required,
            time=self.time,
            complete=not self.missing,
            data=self.data,
            counts=count(row.outcome for row in rows),
            claims=rows,
        )

    def write(self, path: Path) -> None:
        """Write the ledger as it is now, as `assay.ledger.ledger.write` does.

        Raises:
            UserError: the file cannot be written.

        """
        now = self.ledger()
        head = json.dumps(ledger.head(now), indent=1, allow_nan=False).removesuffix("\n}")
        rows = ",\n".join(map(self._text, now.claims))
        ledger.replace(path, f'{head},\n "claims": [\n{rows}\n ]\n}}\n' if rows else f'{head},\n "claims": []\n}}\n')

    def _text(self, row: Row) -> str:
        known, text = self._texts.get(row.id, (None, ""))
        if known is not row:
            text = indent(json.dumps(ledger.row_as_json(row), indent=1, allow_nan=False), "  ")
            self._texts[row.id] = row, text
        return text
