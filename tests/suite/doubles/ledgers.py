"""Ledgers as runs write them, of claims that hold, for what reads them."""

from __future__ import annotations

from typing import Any

from assay.ledger.ledger import Ledger, Outcome, Row
from assay.specification.claims import specification
from assay.specification.shards import Shard


def ledger(
    *, shard: Shard | None = None, undecided: tuple[str, ...] = (), results: tuple[str, ...] = (), **outcomes: str
) -> dict[str, Any]:
    """Return the ledger of a run in which claims of the Dense layer came out like this: `relu="expected_failure"`.

    Args:
        shard: that the run was.
        undecided: claims of the Dense layer that the run did not come to.
        results: the keys of the allowed results that it gave, of each of the claims.
        outcomes: by claim.

    """
    made = Ledger(
        suite="0.1.0",
        document=specification().document,
        implementation={
            "name": "toy",
            "version": "1.0",
            "frameworks": {"numpy": "2.0"},
            "device": "CPU",
            "precision": None,
            "groups": ["ops"],
        },
        grade="float32",
        profile="core",
        seed=0,
        data={},
        awaited={f"dense.{name}": {"test"} for name in (*outcomes, *undecided)},
        shard=shard,
    )
    for name, outcome in outcomes.items():
        why = (
            ("", "") if outcome == "pass" else (f"{name} is off\nby 1", f"python -m assay run toy --claim dense.{name}")
        )
        made.add(
            Row(f"dense.{name}", Outcome(outcome.replace("_", " ")), 1.0, *why, digest=name, results=[*results]), "test"
        )
    return made.as_json()
