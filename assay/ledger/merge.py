"""Merging of shards' ledgers into the ledger that a single run of the whole profile would have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from assay.errors import ErrorKind, UserError
from assay.ledger.environment import Environment
from assay.ledger.ledger import Ledger
from assay.ledger.outcomes import count
from assay.specification.claims import Specification


@dataclass(frozen=True)
class Whole:
    """The merged shards.

    Attributes:
        ledger: The ledger of all existing shards.
        missing: Descriptions of shards that are missing or did not finish.

    """

    ledger: Ledger
    missing: tuple[str, ...]


def merge(ledgers: Sequence[tuple[Path, Ledger]], specification: Specification) -> Whole:
    """Merge the ledgers of shards.

    Args:
        ledgers: Ledgers of shards, each with its file.
        specification: Specification that the ledgers are about.

    Raises:
        UserError: A ledger is not a shard, or the shards are not from one run.

    """
    shards = _by_number(ledgers)
    first = next(iter(shards.values()))
    of = first.shard.of if first.shard else 0
    missing = [number for number in range(1, of + 1) if number not in shards]
    rows = [row for ledger in shards.values() for row in ledger.claims]
    rows.sort(key=lambda row: specification.rank(row.id))
    device, precision = _merge_measurements(shards)
    whole = replace(
        first,
        shard=None,
        time=None,
        environment=_environment(shards),
        implementation=replace(first.implementation, device=device, measured_precision=precision),
        complete=not missing and all(ledger.complete for ledger in shards.values()),
        conditions=_conditions([ledger.conditions for ledger in shards.values()]),
        data=_data(shards),
        counts=count(row.outcome for row in rows),
        claims=tuple(rows),
    )
    said = [f"shard {number} of {of} is missing" for number in missing]
    said += [f"shard {number} of {of} is incomplete" for number, ledger in shards.items() if not ledger.complete]
    return Whole(whole, tuple(said))


def _by_number(ledgers: Sequence[tuple[Path, Ledger]]) -> dict[int, Ledger]:
    """Return the shards by number, after checking that they belong to one run."""
    shards: dict[int, Ledger] = {}
    files: dict[int, Path] = {}
    claims: dict[str, Path] = {}
    for path, ledger in ledgers:
        if ledger.shard is None:
            msg = f"{path} is not a shard"
            raise UserError(ErrorKind.MISMATCHED_SHARDS, msg, "`assay run NAME --shard 1/2` makes one")
        number, of = ledger.shard.number, ledger.shard.of
        if not 1 <= number <= of:
            msg = f"{path} is shard {number} of {of}, which is impossible"
            raise UserError(ErrorKind.INVALID_FORMAT, msg)
        if number in shards:
            msg = f"{path} and {files[number]} are both shard {number}"
            raise UserError(ErrorKind.MISMATCHED_SHARDS, msg, "Leave one of them out")
        shards[number], files[number] = ledger, path
        _check_alike(path, ledger, *ledgers[0])
        for row in ledger.claims:
            if (other := claims.setdefault(row.id, path)) != path:
                msg = f"{path} and {other} both have claim {row.id}"
                raise UserError(ErrorKind.MISMATCHED_SHARDS, msg, "Make all shards with one version of the suite")
    return dict(sorted(shards.items()))


def _check_alike(path: Path, ledger: Ledger, first_path: Path, first: Ledger) -> None:
    for (what, here), (_, there) in zip(_facts(ledger), _facts(first), strict=True):
        if here != there:
            msg = f"{path} and {first_path} are not of one run: {what} {here} and {there}"
            raise UserError(ErrorKind.MISMATCHED_SHARDS, msg)


def _facts(ledger: Ledger) -> Iterator[tuple[str, object]]:
    """Yield the facts that shards must share: name and value."""
    subject = ledger.implementation
    yield "number of shards", ledger.shard.of if ledger.shard else None
    yield "suite", ledger.suite
    yield "document", ledger.document
    yield "profile", ledger.profile
    yield "seed", ledger.seed
    yield "precision", ledger.precision
    yield "required groups", list(ledger.required)
    yield "implementation's name", subject.name
    yield "implementation's version", subject.version
    yield "implementation's frameworks", subject.frameworks
    yield "implementation's groups", list(subject.groups)
    yield "functions and models that the implementation leaves out", list(subject.unsupported)


def _merge_measurements(shards: Mapping[int, Ledger]) -> tuple[str | None, str | None]:
    """Return device and precision, which a shard knows only if it has the claims that show them.

    Raises:
        UserError: Two shards differ.

    """
    devices = {ledger.implementation.device for ledger in shards.values()} - {None}
    precisions = {ledger.implementation.measured_precision for ledger in shards.values()} - {None}
    for name, found in (("device", devices), ("precision", precisions)):
        if len(found) > 1:
            msg = f"the shards are not of one run: {name} {' and '.join(sorted(map(str, found)))}"
            raise UserError(ErrorKind.MISMATCHED_SHARDS, msg)
    return next(iter(devices), None), next(iter(precisions), None)


def _conditions(conditions: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return the conditions of a run of the whole profile, if those of the shards agree."""
    first, *others = ({**each, "shard": ""} if each else {} for each in conditions)
    return first if all(other == first for other in others) else {}


def _environment(shards: Mapping[int, Ledger]) -> Environment | None:
    """Merge the environments of the shards: list different values, and take the smallest number of cores."""
    known = [ledger.environment for ledger in shards.values() if ledger.environment]
    if not known:
        return None
    texts = {
        name: "; ".join(dict.fromkeys(getattr(each, name) for each in known))
        for name in ("python", "system", "processor", "commit")
    }
    return Environment(cores=min(each.cores for each in known), **texts)


def _data(shards: Mapping[int, Ledger]) -> dict[str, str]:
    """Return the source of each data set; if machines differ, list every source."""
    sources: dict[str, dict[str, None]] = {}
    for ledger in shards.values():
        for name, source in ledger.data.items():
            sources.setdefault(name, {})[source] = None
    return {name: "; ".join(found) for name, found in sources.items()}
