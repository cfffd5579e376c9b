"""Ledgers as runs write them. They come from a suite before all claims, so that their rows are all that they decide."""

from __future__ import annotations

from typing import Any

from assay.ledger.draft import Draft
from assay.ledger.ledger import Ledger, Row, Subject, as_json, from_json
from assay.ledger.outcomes import Outcome
from assay.specification.claims import specification
from assay.specification.shards import Shard


def typed(content: dict[str, Any]) -> Ledger:
    """Make a ledger of JSON that a test has changed, with the counts of its rows."""
    outcomes = [row["outcome"] for row in content["claims"]]
    return from_json(content | {"counts": {outcome.value: outcomes.count(outcome.value) for outcome in Outcome}})


def ledger(
    *, shard: Shard | None = None, undecided: tuple[str, ...] = (), results: tuple[str, ...] = (), **outcomes: str
) -> dict[str, Any]:
    """Return the ledger of a run, as JSON has it, in which claims of the Dense layer came out so: `relu="fail"`.

    Args:
        shard: Shard of the run.
        undecided: Claims of the Dense layer that the run did not come to.
        results: The keys of the permitted results that it gave, of each of the claims.
        outcomes: Outcomes by claim.

    """
    draft = Draft(
        suite="0.0.1",
        document=specification().document,
        implementation=Subject(
            name="toy",
            version="1.0",
            frameworks={"numpy": "2.0"},
            device="CPU",
            measured_precision=None,
            groups=("ops",),
        ),
        precision="float32",
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
        draft.add(Row(f"dense.{name}", Outcome(outcome.replace("_", " ")), 1.0, *why, digest=name, results=results))
        draft.close([f"dense.{name}"], "test")
    return as_json(draft.ledger())
