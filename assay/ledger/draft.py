"""The ledger of a run that is still going on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from assay.ledger import ledger
from assay.ledger.environment import Environment
from assay.ledger.expectations import Expectation
from assay.ledger.ledger import Ledger, Precision, Profile, Row, Subject, Time
from assay.ledger.outcomes import count
from assay.specification.shards import Shard


@dataclass
class Draft:
    """Rows as they come, and what they are still to be joined by.

    Attributes:
        suite: Version of the suite.
        document: SHA-256 of the document.
        implementation: What is tested.
        precision: Precision that products must have.
        profile: `smoke`, `core` or `full`.
        seed: Seed of all random draws.
        data: Source of each data set.
        awaited: Names of the tests of every claim of the profile, or of the shard, in the document's order, that
            have not reported every case yet.
        expectations: Known failures, by claim.
        rows: What the tests found, by claim.
        shard: Part of the profile that is run; None for all of it.
        required: Groups without which the run does not conform.
        time: Time of the run; None until its end.
        conditions: What a run must have in common with this one to continue it, by name.
        environment: Machine and sources of the run; None where they are not known.

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
    environment: Environment | None = None
    conditions: dict[str, str] = field(default_factory=dict)
    _resumed: set[str] = field(default_factory=set)

    def add(self, row: Row) -> None:
        """Add the row of one case of a test to its claim's, unless the claim was decided before the run was resumed."""
        if row.id in self._resumed:
            return
        self.rows[row.id] = self.rows[row.id].merge(row) if row.id in self.rows else row

    def resume(self, before: Ledger) -> None:
        """Take over what a run that did not finish has decided. All else of it will be found again."""
        self.implementation = replace(
            self.implementation,
            device=before.implementation.device,
            measured_precision=before.implementation.measured_precision,
        )
        decided = {row.id: row for row in before.claims if row.decided and row.id in self.awaited}
        self.rows |= decided
        self.awaited |= {id_: set() for id_ in decided}
        self._resumed |= decided.keys()

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
        """The rows in the light of what was expected, in the order in which they are awaited; others come last."""
        places = {id_: place for place, id_ in enumerate(self.awaited)}
        rows = sorted(self.rows.values(), key=lambda row: places.get(row.id, len(places)))
        return tuple(map(self.settle, rows))

    def settle(self, row: Row) -> Row:
        """Return a row in the light of what was expected. One of a run that was resumed has been settled before."""
        if row.id in self._resumed:
            return row
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
            conditions=self.conditions,
            time=self.time,
            environment=self.environment,
            complete=not self.missing,
            data=self.data,
            counts=count(row.outcome for row in rows),
            claims=rows,
        )

    def write(self, path: Path) -> None:
        """Write the ledger as it is now, as `assay.ledger.ledger.write` does.

        Raises:
            UserError: The file cannot be written.

        """
        ledger.write(path, self.ledger())
