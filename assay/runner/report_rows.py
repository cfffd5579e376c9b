"""Ledger rows of tests, sent from a worker to the recorder in the report of the test."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from assay.adapters.plain_text import encodable
from assay.ledger.ledger import ERROR_OVER_BOUND, FALSE_ALARM, SAMPLES, Failure
from assay.ledger.outcomes import Outcome
from assay.runner import failure
from assay.runner.explanation import Explanation, explain
from assay.runner.snippet import Target
from assay.runner.stash import (
    claims_of,
    evidence_key,
    implementation_key,
    results_key,
    run_key,
    seconds_key,
    unsupported_key,
)
from assay.testing import decisions, headroom


def attach_row(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Attach the row of a test to its report, and replace the traceback of a failure by an explanation.

    Args:
        item: Test of a claim.
        call: Phase of the test that decides its outcome.
        report: Report of that phase.

    """
    run, ids = item.config.stash[run_key], [claim.id for claim in claims_of(item)]
    item.stash[evidence_key].update(_measurements(call))
    row: dict[str, Any] = {
        "outcome": Outcome.PASS,
        "seconds": item.stash[seconds_key],
        "evidence": item.stash[evidence_key],
    }
    if call.excinfo is not None:
        row |= _explain_outcome(item, call.excinfo.value, report)
        if isinstance(call.excinfo.value, failure.SuiteError):
            # The claim stays undecided, since the implementation was not tested.
            report.assay_trouble = row["reason"]  # type: ignore[attr-defined]  # read by the recorder
            return
        if report.failed and run.expects(ids, row["outcome"]):
            failure.mark_expected(report, row["reason"])
    elif results_key in item.stash:
        row["results"] = item.stash[results_key].seen
    report.sections = [(title, encodable(content)) for title, content in report.sections]
    # xdist carries the attributes of a report, as plain values, from a worker to the recorder.
    report.assay_claims = ids  # type: ignore[attr-defined]  # read by the display of progress
    report.assay_row = row | {"outcome": row["outcome"].value}  # type: ignore[attr-defined]
    if started := item.config.stash.get(implementation_key, None):
        report.assay_device = started.device  # type: ignore[attr-defined]


def _explain_outcome(item: pytest.Item, error: BaseException, report: pytest.TestReport) -> dict[str, Any]:
    """Return outcome, reason, replay and failure of a test that raised, and format a failure for the terminal."""
    run, claims = item.config.stash[run_key], claims_of(item)
    outcome = Outcome.UNSUPPORTED if item.stash[unsupported_key] else failure.outcome_of(error)
    case = failure.blob(error) or item.config.getoption("replay") or ""
    explanation = _explain(item, error, claims[0].id) if report.failed else None
    reason = failure.reason(error, explanation.call if explanation else ())
    replay = run.replay([claim.id for claim in claims], case)
    found = {"outcome": outcome, "reason": reason, "replay": replay}
    place = Failure(**explanation.as_row()) if explanation else None
    if place is not None:
        found["failure"] = msgspec.to_builtins(place)
    if report.failed and not item.config.getoption("fulltrace"):
        # A complete run may have many failures; their programs are only in the ledger.
        shown = place if run.claims or place is None else msgspec.structs.replace(place, snippet="")
        report.longrepr = failure.text(claims, outcome, reason, replay, shown)
        # Output of a framework while it is loaded is not part of the failure.
        report.sections = [section for section in report.sections if not section[0].endswith("setup")]
    return found


def _explain(item: pytest.Item, error: BaseException, claim: str) -> Explanation:
    run = item.config.stash[run_key]
    started = item.config.stash.get(implementation_key, None)
    target = Target(run.implementation, run.device, run.seed)
    log = started.calls if started else None
    return explain(item, error, claim, log, target, item.config.getoption("results"))


def _measurements(call: pytest.CallInfo[None]) -> dict[str, Any]:
    """Return the headroom of a test to its measured bounds, and its statistical decisions."""
    accepted, taken = headroom.take(), decisions.take()
    excess: float = getattr(call.excinfo.value, "excess", math.inf) if call.excinfo else math.inf
    ratio = excess if math.isfinite(excess) else accepted
    found: dict[str, Any] = {} if ratio is None else {ERROR_OVER_BOUND: ratio}
    return found | ({FALSE_ALARM: taken.false_alarm, SAMPLES: taken.samples} if taken.false_alarm else {})
