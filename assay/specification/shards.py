"""Shards: a profile divided into several runs of about equal length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from assay.errors import ErrorKind, UserError
from assay.specification.index import ExecutableClaim
from assay.specification.profiles import MEASURED_FOR

# Made by `python -m assay.cli.claim_costs`.
COSTS = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Shard:
    """A part of a profile.

    Attributes:
        number: Number of the shard, from 1.
        of: Number of shards.

    """

    number: int
    of: int

    def __str__(self) -> str:
        """Return the name for display."""
        return f"shard {self.number} of {self.of}"


def parse(text: str) -> Shard:
    """Read `2/3`.

    Raises:
        UserError: The text is not a shard.

    """
    form = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    shard = Shard(int(form[1]), int(form[2])) if form else None
    if shard is None or not 1 <= shard.number <= shard.of:
        msg = f"--shard {text!r} is not a shard"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "The second of three is 2/3")
    return shard


def costs(profile: str) -> dict[str, float]:
    """Return the costs of claims in a profile, in seconds of the reference."""
    seconds: dict[str, float] = json.loads(COSTS.read_text(encoding="utf-8"))[MEASURED_FOR[profile]]["seconds"]
    return seconds


def claims_of(
    shard: Shard, claims: Iterable[str], tests: Iterable[ExecutableClaim], seconds: Mapping[str, float]
) -> tuple[str, ...]:
    """Return the claims of a shard, which depend only on the specification and the costs.

    The most expensive part goes first, each to the shard with the lowest cost so far. The longest shard then takes at
    most 4/3 of the optimum (Graham, "Bounds on multiprocessing timing anomalies", 1969).

    Args:
        shard: Shard to select.
        claims: Ids of all claims to divide, in the document's order.
        tests: Tests of the claims. Claims that share a test stay together: it is run once.
        seconds: Seconds by claim. A claim without an entry gets the median.

    Raises:
        UserError: The number of shards exceeds the number of parts.

    """
    claims = tuple(claims)
    usual = median(seconds.values())
    parts = {part: sum(seconds.get(id_, usual) for id_ in part) for part in _parts(claims, tests)}
    if shard.of > len(parts):
        msg = f"{shard.of} shards are too many: only {len(parts)} parts can run on their own"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "Ask for fewer shards")
    loads = dict.fromkeys(range(1, shard.of + 1), 0.0)
    chosen: set[str] = set()
    for part in sorted(parts, key=lambda part: (-parts[part], part)):
        lightest = min(loads, key=lambda number: (loads[number], number))
        loads[lightest] += parts[part]
        if lightest == shard.number:
            chosen.update(part)
    return tuple(id_ for id_ in claims if id_ in chosen)


def _parts(claims: tuple[str, ...], tests: Iterable[ExecutableClaim]) -> set[tuple[str, ...]]:
    """Group claims that share a test, directly or through other claims."""
    together = {id_: {id_} for id_ in claims}
    for test in tests:
        joined = set(test.claims).union(*(together.get(id_, set()) for id_ in test.claims))
        together |= dict.fromkeys(joined, joined)
    return {tuple(sorted(together[id_].intersection(claims))) for id_ in claims}
