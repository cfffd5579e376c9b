"""Ledgers of shards, joined into the ledger that one run of the whole profile would have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import ExitCode, UserError
from assay.ledger import ledger
from assay.ledger.verdict import side_by_side
from assay.specification.claims import specification

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Whole:
    """Shards, joined.

    Attributes:
        content: as `ledger.schema.json` has it.
        said: what they come to, and which shards are missing, for people.
        code: the verdict, as that of one run; there is none while a shard is missing.

    """

    content: dict[str, Any]
    said: str
    code: ExitCode


def merged(ledgers: Sequence[tuple[Path, Content]]) -> Whole:
    """Join the ledgers of shards.

    Args:
        ledgers: as `assay.ledger.ledger.read` returns them, each with its file.

    Raises:
        UserError: one is no shard, or they are not shards of one run.

    """
    shards = _by_number(ledgers)
    first = next(iter(shards.values()))
    count = first["shard"]["of"]
    missing = [number for number in range(1, count + 1) if number not in shards]
    rows = [row for content in shards.values() for row in content["claims"]]
    rows.sort(key=lambda row: specification().rank(row["id"]))
    content = {key: value for key, value in first.items() if key not in {"shard", "time"}} | {
        "implementation": first["implementation"] | _measured(shards),
        "complete": not missing and all(content["complete"] for content in shards.values()),
        "data": _data(shards),
        "counts": ledger.count(row["outcome"] for row in rows),
        "claims": rows,
    }
    (column,) = side_by_side([content], specification())
    said = [f"shard {number} of {count} is missing" for number in missing]
    said += [f"shard {number} of {count} is incomplete" for number, each in shards.items() if not each["complete"]]
    word = "incomplete, so no verdict" if missing else column.verdict.word.lower()
    score = f"{column.passed} of {len(column.expected)} claims of the {content['profile']} profile pass"
    said.append(f"{column.name} is {word}: {score}")
    return Whole(content, "\n".join(said), ExitCode.INCOMPLETE if missing else column.verdict.code)


def _by_number(ledgers: Sequence[tuple[Path, Content]]) -> dict[int, Content]:
    """Put shards in order, and make sure that they are those of one run."""
    shards: dict[int, Content] = {}
    files: dict[int, Path] = {}
    claims: dict[str, Path] = {}
    for path, content in ledgers:
        if "shard" not in content:
            msg = f"{path} is no shard"
            raise UserError(msg, "`assay run NAME --shard 1/2` makes one")
        number, of = content["shard"]["number"], content["shard"]["of"]
        if not number <= of:
            msg = f"{path} is shard {number} of {of}, which cannot be"
            raise UserError(msg)
        if number in shards:
            msg = f"{path} and {files[number]} are both shard {number}"
            raise UserError(msg, "Leave one of them out")
        shards[number], files[number] = content, path
        _check_alike(path, content, *ledgers[0])
        for row in content["claims"]:
            if (other := claims.setdefault(row["id"], path)) != path:
                msg = f"{path} and {other} both have claim {row['id']}"
                raise UserError(msg, "Make all shards with one version of the suite")
    return dict(sorted(shards.items()))


def _check_alike(path: Path, content: Content, first_path: Path, first: Content) -> None:
    for what, here, there in _facts(content, first):
        if here != there:
            msg = f"{path} and {first_path} are not of one run: {what} {here} and {there}"
            raise UserError(msg)


def _facts(*ledgers: Content) -> Iterator[tuple[Any, ...]]:
    """Return what shards must have in common: what it is, and its value for each ledger."""
    yield "number of shards", *(content["shard"]["of"] for content in ledgers)
    for name in ("suite", "document", "profile", "seed"):
        yield name, *(content[name] for content in ledgers)
    yield "grade", *map(ledger.grade, ledgers)
    for name in ("name", "version", "frameworks", "groups"):
        yield f"implementation's {name}", *(content["implementation"][name] for content in ledgers)


def _measured(shards: Mapping[int, Content]) -> dict[str, str | None]:
    """Return what a shard knows only if it has the claims that show it: device and precision.

    Raises:
        UserError: two shards know different ones.

    """
    measured: dict[str, str | None] = {}
    for name in ("device", "precision"):
        found = {each["implementation"][name] for each in shards.values()} - {None}
        if len(found) > 1:
            msg = f"the shards are not of one run: {name} {' and '.join(sorted(found))}"
            raise UserError(msg)
        measured[name] = found.pop() if found else None
    return measured


def _data(shards: Mapping[int, Content]) -> dict[str, str]:
    """Say where the data came from; where that differs from machine to machine, everything that there was."""
    sources: dict[str, dict[str, None]] = {}
    for content in shards.values():
        for name, source in content["data"].items():
            sources.setdefault(name, {})[source] = None
    return {name: "; ".join(found) for name, found in sources.items()}
