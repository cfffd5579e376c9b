"""Creation of a run from the user's options."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace

import hypothesis
from hypothesis.core import decode_failure

from assay.adapters import loading
from assay.adapters.loading import Description
from assay.adapters.protocol import serve
from assay.adapters.protocol.implementation import SUFFIX
from assay.contract import GROUPS
from assay.datasets import data
from assay.errors import ErrorKind, UserError
from assay.ledger import expectations
from assay.ledger.expectations import Expectation
from assay.runner.options import DEFAULT_IMPLEMENTATION, RunOptions
from assay.runner.run import Run
from assay.specification import index, shards
from assay.specification.claims import specification
from assay.specification.index import ExecutableClaim
from assay.specification.profiles import CLAIM_SECONDS, PROFILES

# A day. Larger values are likely typing errors, and the system's timers have a limit too.
MOST_SECONDS = 86400
# Number of seeds. Claims pass up to 1,000 times the seed to an implementation, whose seeds are below 2**31.
SEEDS = 2**20


def new_run(
    options: RunOptions,
    tests: tuple[ExecutableClaim, ...],
    *,
    collects_only: bool,
    description: Description | None = None,
) -> Run:
    """Check the options of a run, and read the description of its implementation.

    Args:
        options: Options as the user gave them.
        tests: All tests of claims.
        collects_only: Whether tests are only collected, without the implementation.
        description: Description of the implementation, if already known.

    Raises:
        UserError: An option is wrong, or the implementation is unknown.

    """
    _check_profile(options.profile)
    claims = tuple(specification().claim(id_).id for id_ in options.claim)
    shard = shards.parse(options.shard) if options.shard is not None else None
    _check_combination(options)
    _check_replay(options.replay)
    index.check(specification(), tests)
    selected = tuple(specification().of_profile(options.profile))
    if shard:
        selected = shards.claims_of(shard, selected, tests, shards.costs(options.profile))
    expected = expectations.read(*options.expectations)
    name = options.implementation or DEFAULT_IMPLEMENTATION
    seconds = _claim_seconds(options)
    seed = _seed(options.seed)
    required = _parse_required(options.require)
    # A peer always runs in its own process.
    isolated = options.isolated and not name.endswith(SUFFIX)
    if description is None and not collects_only:
        description = _describe(name, expected, options, isolated=isolated)
    return Run(
        implementation=name,
        description=description,
        profile=options.profile,  # type: ignore[arg-type]  # one of them, as checked above
        seed=seed,
        device=options.device,
        precision=options.precision,  # type: ignore[arg-type]  # one of the choices
        shard=shard,
        selected=selected,
        claims=claims,
        claim_seconds=seconds,
        expectations=expected,
        isolated=isolated,
        folder=tempfile.mkdtemp(prefix="assay-run-"),
        required=required,
        resumes=options.resume,
        threads=_threads(options.threads),
    )


def _check_profile(profile: str) -> None:
    if profile not in PROFILES:
        msg = f"unknown profile {profile!r}"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, f"Profiles: {', '.join(PROFILES)}")


def _check_combination(options: RunOptions) -> None:
    """Reject options that contradict each other.

    Raises:
        UserError: Two options exclude each other, or an option requires another one.

    """
    if options.shard is not None and options.claim:
        msg = "--shard and --claim both say what to run"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Leave one of them out")
    if options.replay and not options.claim:
        msg = "--replay names a case, but not of which claim"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Add --claim ID")
    if options.resume and options.results is None:
        msg = "--resume continues from a ledger, and there is none"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Name it with --results")
    if options.resume and options.replay:
        msg = "--replay runs one case, which nothing can be resumed with"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Leave out --resume")


def _threads(count: int | None) -> int | None:
    if count is not None and count < 1:
        msg = f"--threads {count} is not a whole number from 1 on"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg)
    return count


def _describe(name: str, expected: tuple[Expectation, ...], options: RunOptions, *, isolated: bool) -> Description:
    description = loading.probe(name)
    if isolated:
        groups = tuple(group for group in description.groups if group != serve.LEFT_OUT)
        description = replace(description, groups=groups)
    expectations.check(expected, description.groups)
    if not options.no_fetch:
        _fetch_data()
    return description


def _parse_required(groups: Sequence[str]) -> tuple[str, ...]:
    if "all" in groups:
        return GROUPS
    if unknown := [group for group in groups if group not in GROUPS]:
        msg = f"--require {unknown[0]}: unknown group"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, f"Groups: {', '.join(GROUPS)}, or all")
    return tuple(dict.fromkeys(groups))


def _claim_seconds(options: RunOptions) -> float:
    seconds = options.claim_timeout
    if seconds is None:
        return CLAIM_SECONDS[options.profile]
    if not 0 < seconds <= MOST_SECONDS:
        msg = f"--claim-timeout {seconds:g} is not a number of seconds above 0, and {MOST_SECONDS} at most"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg)
    return seconds


def _fetch_data() -> None:
    """Fetch MNIST and the text before the time of tests counts, while a progress bar can be shown.

    Raises:
        UserError: The file given by the user is damaged.

    """
    # Without the data, the claims that need them are skipped, with the reason.
    for get in (data.mnist, data.nietzsche):
        with contextlib.suppress(data.AbsentError):
            get()


def _check_replay(code: str | None) -> None:
    try:
        if code is not None:
            decode_failure(code.encode())
    except hypothesis.errors.InvalidArgument:
        msg = f"--replay {code!r} is not the code of a case"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "Copy it whole from the failure") from None


def _seed(text: str) -> int:
    if text == "random":
        return random.SystemRandom().randrange(SEEDS)
    if not text.isdecimal() or int(text) >= SEEDS:
        msg = f"--seed {text!r} is neither a whole number from 0 to {SEEDS - 1} nor `random`"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg)
    return int(text)
