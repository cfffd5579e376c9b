"""Messages of failures, with enough detail to find the fault without further tools."""

from __future__ import annotations

import errno
import math
import re
import sysconfig
import traceback
import unittest
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pytest
from hypothesis.errors import FlakyFailure

import assay
from assay.adapters import interrupt
from assay.adapters.plain_text import describe_error, is_printable, plain
from assay.adapters.protocol.errors import CrashError, PeerLostError
from assay.adapters.proxy import AdapterError, NonConformanceError
from assay.adapters.time_limit import TimeLimitError
from assay.ledger.ledger import Failure
from assay.ledger.outcomes import Outcome
from assay.specification.claims import Claim, specification

# An implementation can add notes too, so only base64 may reach a command line.
BLOB = re.compile(r"@reproduce_failure\([^,]+, b'([A-Za-z0-9+/]+=*)'\)")
# Hypothesis has changed its wording between releases.
EXAMPLE = re.compile(r"(?:Falsifying example|Failing test case): \w+\((.*)\)\s*$", re.DOTALL)
# Enough for a call with several full arrays, but limited, since a ledger has many rows.
LONGEST_REASON = 10_000
# The file that calls the implementation, and the number of frames to show without such a call.
PROXY = "/adapters/proxy.py"
STACK_LINES = 15


class SuiteError(Exception):
    """Something in the run itself went wrong, such as a full disk. It does not count against the implementation."""


class InconsistentAnswerError(NonConformanceError):
    """Raised when a case fails and then passes on repetition: the same call gives two results."""

    def __init__(self, failure: AssertionError) -> None:
        """Wrap the exception that the case raised."""
        super().__init__(
            f"{plain(failure) or 'an assertion of the test does not hold'}\n{HELD}",
            excess=getattr(failure, "excess", math.inf),
            comparison=getattr(failure, "comparison", None),
        )


HERE = Path(assay.__file__).parent
RUNNING = (HERE / "runner", HERE / "files", HERE / "adapters" / "time_limit.py")
OURS = (HERE / "runner", HERE / "testing", HERE / "datasets")
# In a checkout, the folder of tests is a symbolic link.
TESTS = (HERE / "tests", (HERE / "tests").resolve())
STDLIB = Path(sysconfig.get_path("stdlib"))
LIBRARIES = {"_pytest", "filelock"}
HELD = "The same case held when it was tried again: an answer depends on earlier calls, or on chance."
# Exceptions that pytest and unittest do not treat as failures.
ENDINGS = (
    *(pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception),
    *(unittest.SkipTest, KeyboardInterrupt, SystemExit, GeneratorExit),
)
# Errors of a machine without free space or handles.
TROUBLES = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}


def attribute(error: BaseException) -> BaseException:
    """Convert the exception of a test into an error of the claim, of the adapter, or of the run.

    A test of the group `keras` uses objects of the implementation directly, so their exceptions reach it unchanged.
    """
    if isinstance(error, KeyboardInterrupt) and interrupt.is_from_user():
        return error
    if isinstance(error, FlakyFailure) and isinstance(first := error.exceptions[0], AssertionError):
        error = InconsistentAnswerError(first).with_traceback(first.__traceback__)
    if isinstance(error, ENDINGS):
        if isinstance(error, pytest.skip.Exception) and _is_raised_in(error, *OURS, *TESTS):
            return error
        return AdapterError(f"the implementation raised {describe_error(error)}, which only Assay may")
    if isinstance(error, OSError) and (
        _is_raised_in(error, *RUNNING) or (error.errno in TROUBLES and _is_raised_in(error, *OURS, *TESTS))
    ):
        return SuiteError(f"{error.strerror}: {error.filename or 'a file of the run'}")
    if not is_printable(error):
        shown = AdapterError(describe_error(error))
        # Hypothesis adds a note on how to reproduce the case.
        shown.__notes__ = [plain(note) for note in getattr(error, "__notes__", [])]
        return shown
    return error


def number_lines(error: BaseException) -> None:
    """Give a line to every frame of an exception and of those that led to it.

    An interruption, such as a time limit, may hit an instruction that belongs to no line. pytest cannot show such a
    frame, and would end the run.
    """
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = _with_lines(one.__traceback__)
        pending += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]


def _with_lines(trace: TracebackType | None) -> TracebackType | None:
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    if all(entry.tb_lineno is not None for entry in entries):
        return entries[0] if entries else None
    following = None
    for entry in reversed(entries):
        line = entry.tb_lineno or entry.tb_frame.f_code.co_firstlineno
        following = TracebackType(following, entry.tb_frame, entry.tb_lasti, line)
    return following


def _is_raised_in(error: BaseException, *ours: Path) -> bool:
    """Whether the last frame outside libraries belongs to one of these files and folders."""
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    last = next((file for file in reversed(files) if not _is_library(file)), Path())
    # The suite's own implementations are below the tests of claims.
    return any(last.parent == each if each in TESTS else last.is_relative_to(each) for each in ours)


def _is_library(file: Path) -> bool:
    return bool(set(file.parts) & LIBRARIES) or (file.is_relative_to(STDLIB) and "site-packages" not in file.parts)


def outcome_of(error: BaseException) -> Outcome:
    """Return the outcome of an exception: a wrong result, a broken or hung adapter, or a test that could not run."""
    if isinstance(error, pytest.skip.Exception):
        return Outcome.SKIPPED
    if isinstance(error, TimeLimitError):
        return Outcome.TIMEOUT
    if isinstance(error, CrashError):
        return Outcome.CRASH
    # pytest raises its own exception if an expected error is not raised.
    return Outcome.FAIL if isinstance(error, AssertionError | pytest.fail.Exception) else Outcome.ERROR


def reason(error: BaseException, call: Sequence[str] = ()) -> str:
    """Describe a failure, with the call that shows it or else the smallest input that causes it.

    Args:
        error: Exception that the test raised.
        call: Lines that show the call.

    """
    if isinstance(error, AssertionError | AdapterError | TimeLimitError | PeerLostError | pytest.skip.Exception):
        text = plain(error) or "an assertion of the test does not hold"
    else:
        text = describe_error(error)
    if call:
        shown = "\n".join([text, *(f"  {line}" for line in plain("\n".join(call)).splitlines())])
    else:
        example = plain(counterexample(error))
        shown = f"{text}\n  smallest input: {example}" if example else text
    return shown[:LONGEST_REASON]


def counterexample(error: BaseException) -> str:
    """Return the arguments that Hypothesis shrank to, without the groups of the implementation."""
    for note in getattr(error, "__notes__", []):
        if found := EXAMPLE.search(note):
            lines = [line.strip() for line in found[1].strip().splitlines()]
            return " ".join(line for line in lines if not re.fullmatch(r"(\w+)=\1,", line)).rstrip(",")
    return ""


def frames(stack: str) -> list[str]:
    """Return the relevant lines of a `faulthandler` dump: what happened, and the frames of the implementation.

    Args:
        stack: Stacks of all threads, separated by empty lines, most recent call first.

    """
    head, *blocks = re.split(r"\n(?=\S*(?:Current thread|Thread) 0x)", stack)
    found = [block for block in blocks if PROXY in block] or [block for block in blocks if "Current" in block]
    lines = found[0].strip().splitlines() if found else []
    end = next((number for number, line in enumerate(lines) if PROXY in line), len(lines))
    return [line for line in [*head.strip().splitlines(), *lines[: min(end, STACK_LINES)]] if line.strip()]


def blob(error: BaseException) -> str:
    """Return Hypothesis's code for the case that failed."""
    found = [match[1] for note in getattr(error, "__notes__", []) if (match := BLOB.search(note))]
    return found[0] if found else ""


def mark_expected(report: pytest.TestReport, why: str) -> None:
    """Mark the report of a known failure, as pytest marks a test that is expected to fail."""
    report.outcome, report.wasxfail = "skipped", why


def text(claims: Sequence[Claim], outcome: Outcome, why: str, replay: str, place: Failure | None = None) -> str:
    """Format a failure for the terminal.

    Args:
        claims: Claims that the test decides.
        outcome: Outcome of the claims.
        why: Reason of the outcome.
        replay: Command that repeats the case.
        place: Test that failed, with its snippet if there is one; None if its process ended.

    """
    lines = [
        line
        for claim in claims
        for line in (
            f"{outcome.value.upper()} {claim.id}: {claim.statement}",
            f"  document: {specification().place(claim)}",
        )
    ]
    if place is not None:
        lines.append(f"  test: {place.file}:{place.line} ({place.test})")
        lines += [f"  case: {case}" for case in place.cases]
    lines += [*(f"  {line}" for line in why.splitlines()), f"  replay: {replay}"]
    if place is not None and place.snippet:
        lines += ["  snippet:", *(f"    {line}".rstrip() for line in place.snippet.splitlines())]
    return "\n".join(lines)
