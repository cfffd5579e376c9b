"""The ledger of a run in progress."""

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
    """The rows so far, and the tests that have yet to report.

    Attributes:
        suite: Version of the suite.
        document: SHA-256 of the document.
        implementation: The tested implementation.
        precision: Required precision of products.
        profile: `smoke`, `core` or `full`.
        seed: Seed of all random draws.
        data: Source of each data set.
        awaited: Names of the tests that have not reported every case yet, for every claim of the profile or the
            shard, in the document's order.
        expectations: Known failures, by claim.
        rows: Results of the tests, by claim.
        shard: Part of the profile to run; None for all of it.
        required: Groups that the implementation must declare to conform.
        time: Time of the run; None until its end.
        conditions: Conditions that a run must share to continue this one, by name.
        environment: Machine and sources of the run; None if unknown.

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
        """Merge the row of a case into its claim's row, unless the claim was decided before the run was resumed."""
        if row.id in self._resumed:
            return
        self.rows[row.id] = self.rows[row.id].merge(row) if row.id in self.rows else row

    def resume(self, before: Ledger) -> None:
        """Take over the decided claims of an unfinished run. Everything else is tested again."""
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
        """Record that every case of a test of these claims has reported."""
        for id_ in claims:
            self.awaited.get(id_, set()).discard(test)

    @property
    def missing(self) -> list[str]:
        """The awaited claims with tests that have not reported."""
        return [id_ for id_, tests in self.awaited.items() if tests or id_ not in self.rows]

    @property
    def settled(self) -> tuple[Row, ...]:
        """The rows after applying expectations: awaited claims in order, then others."""
        places = {id_: place for place, id_ in enumerate(self.awaited)}
        rows = sorted(self.rows.values(), key=lambda row: places.get(row.id, len(places)))
        return tuple(map(self.settle, rows))

    def settle(self, row: Row) -> Row:
        """Return a row after applying its expectation. A row of a resumed run is already settled."""
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
