"""Whether an adapter works, step by step; whether it conforms is for `assay run` to find out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from assay.adapters import loading
from assay.errors import ErrorKind, UserError
from assay.ledger.outcomes import Outcome
from assay.smoke import process
from assay.smoke.process import START_SHARE, Limit, Trial
from assay.specification.claims import Claim, specification
from assay.specification.signatures import find_dependent_claims, functions, named_tuples, signature

# What the claims of the smoke profile may take after start(), on a machine that loads a framework in half of that.
SECONDS = 10.0
# After so long without an end, start() hangs.
START_SECONDS = 120.0
# What Python takes to start, before the time that is measured here, and the trial to be ended, after it.
RESERVE_SECONDS = 1.5
# Claims of the smoke profile take milliseconds, or as long as a framework compiles: one that takes so much of all the
# time hangs.
CLAIM_SHARE = 0.4
# Many claims may fail for one reason.
SHOWN = 5
BROKEN = {Outcome.ERROR, Outcome.TIMEOUT, Outcome.CRASH}
SLOW = "If it is only slow, give it more time with --seconds"


@dataclass(frozen=True)
class Step:
    """Result of one step.

    Attributes:
        text: Result of the step, or the problem and its remedy.
        ok: Whether the adapter passed the step.
        details: More lines.

    """

    text: str
    ok: bool = True
    details: tuple[str, ...] = ()


def steps(name: str, device: str, seconds: float | None = None) -> Iterator[Step]:
    """Try an adapter, step by step, and stop where no further step makes sense.

    Args:
        name: Name of the implementation.
        device: Device to start it on.
        seconds: Time limit of the whole; None for one that follows from how long the import takes.

    Raises:
        UserError: The adapter's turn did not come.

    """
    began = time.monotonic()
    try:
        found = loading.probe(name, None if seconds is None else max(seconds - RESERVE_SECONDS, 0))
    except UserError as error:
        yield Step(error.describe(), ok=False)
        return
    frameworks = ", ".join(f"{package} {version}" for package, version in found.frameworks.items())
    yield Step(f"found: {found.name} {found.version} ({frameworks or 'no framework'})")
    if not found.groups:
        yield Step("no groups are declared. Name in `groups` what the adapter has, such as datasets", ok=False)
        return
    claims, took = claims_on(found.groups, found.unsupported), time.monotonic() - began
    claim_seconds = CLAIM_SHARE * (max(SECONDS, START_SHARE * took) if seconds is None else seconds)
    limit = Limit(START_SECONDS, SECONDS) if seconds is None else Limit(seconds - RESERVE_SECONDS - took)
    tried = process.run(name, device, claims, claim_seconds, limit)
    for what in ("start()", *found.groups):
        if what not in tried.ended:
            yield _explain_loss(tried, what)
            return
        entry = tried.ended[what]
        if problem := entry.get("problem", "").splitlines():
            yield Step(problem[0], ok=False, details=tuple(problem[1:]))
            return
        yield _group(what, entry["missing"]) if "missing" in entry else Step(f"started: {entry['device']}")
    missing = {f"{group}.{function}" for group in found.groups for function in tried.ended[group]["missing"]}
    claims = tuple(claim for claim in claims if not missing & set(claim.needs))
    yield answers(name, tried, claims, claim_seconds)


def claims_on(groups: Sequence[str], unsupported: Sequence[str] = ()) -> tuple[Claim, ...]:
    """Return the claims of the smoke profile on these groups: first one on each, then another one on each.

    Args:
        groups: Groups that an implementation declares.
        unsupported: Functions that it leaves out of them.

    """
    claims = [claim for claim in specification().of_profile("smoke").values() if claim.groups]
    claims = [claim for claim in claims if claim.groups <= set(groups) and not set(claim.needs) & set(unsupported)]
    rounds = zip_longest(*([claim for claim in claims if group in claim.groups] for group in groups))
    return tuple(dict.fromkeys(claim for round_ in rounds for claim in round_ if claim is not None))


def _explain_loss(tried: Trial, what: str) -> Step:
    if tried.in_flight != what:
        msg = f"the claims cannot be tried here: reading them was {tried.cause}"
        raise UserError(
            ErrorKind.TOO_LITTLE_TIME, msg, " ".join(["Give it more time with --seconds.", *tried.last_lines])
        )
    if tried.status is None:
        return Step(f"{what}: {tried.cause}. {SLOW}", ok=False)
    return Step(f"{what} ended the process: {tried.cause}", ok=False, details=tuple(tried.last_lines))


def _group(group: str, missing: Sequence[str]) -> Step:
    if not missing:
        return Step(f"{group}: all functions are there")
    written = {function: signature(group, function) for function in missing}
    lines = [f"{text}  ({len(find_dependent_claims(group, function))} claims)" for function, text in written.items()]
    lines += [f"{name}: {fields}" for name, fields in named_tuples(" ".join(written.values())).items()]
    count = f"{len(missing)} of {len(functions(group))}"
    text = f"{group}: {count} functions are missing. Write them, or take {group!r} out of `groups`"
    return Step(text, ok=False, details=tuple(lines))


def answers(name: str, tried: Trial, claims: Sequence[Claim], claim_seconds: float) -> Step:
    """Say whether the claims that were tried got an answer, right or wrong.

    Args:
        name: Name of the implementation.
        tried: Results of the steps.
        claims: Claims that were to be tried.
        claim_seconds: The limit of each.

    """
    found = {row["id"]: (Outcome(row["outcome"]), row.get("reason", "")) for row in tried.rows}
    if tried.in_flight is not None and tried.status is not None:
        found[tried.in_flight] = Outcome.CRASH, f"it ended the process: {tried.cause}"
    elif tried.in_flight is not None and tried.stuck_seconds > claim_seconds:
        found[tried.in_flight] = Outcome.TIMEOUT, tried.cause
    broken = [id_ for id_, (outcome, _) in found.items() if outcome in BROKEN]
    failed = [id_ for id_, (outcome, _) in found.items() if outcome is Outcome.FAIL]
    if broken:
        what = f"claims: {len(broken)} of {len(found)} got no answer"
        lines = [f"{found[id_][0].value} {id_}: {found[id_][1].partition(chr(10))[0]}" for id_ in broken]
        lines[SHOWN:] = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        return Step(f"{what}. See more with `assay run {name} --claim {broken[0]}`", ok=False, details=tuple(lines))
    what = f"claims: {len(found)} of {len(claims)} smoke claims on these groups tried"
    lines = [f"{id_} fails: the answer is wrong, but the adapter works" for id_ in failed]
    if len(found) < len(claims):
        lines.append(f"then the time was up{f', in {tried.in_flight}' if tried.in_flight else ''}. {SLOW}")
    return Step(f"{what}, all answered", details=tuple(lines))
