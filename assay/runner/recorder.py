"""The books of a run, kept in its first process: rows as they come, the ledger, the verdict."""

from __future__ import annotations

import resource
import time
from typing import Any

import pytest
from msgspec.structs import replace

from assay import __version__
from assay.adapters.time_limit import GRACE_SECONDS
from assay.datasets import data
from assay.errors import UserError
from assay.ledger import verdict as verdicts
from assay.ledger.draft import Draft
from assay.ledger.ledger import Row, Subject, Time
from assay.ledger.outcomes import Outcome
from assay.ledger.verdict import Verdict
from assay.runner import cases, failure
from assay.runner.run import Run
from assay.runner.summary import header, summary
from assay.specification import index
from assay.specification.claims import specification


class Recorder:
    """Registered with pytest in the process that the user started, not in the workers."""

    def __init__(self, config: pytest.Config, run: Run, tests: tuple[index.ExecutableClaim, ...]) -> None:
        """Open the ledger.

        Args:
            config: of pytest.
            run: what is being run.
            tests: all tests of claims.

        """
        self._begun = time.monotonic()
        self._config = config
        self._run = run
        self._results = config.getoption("results")
        self._ended_in_start = False
        self._tests = {f"{test.file}::{test.function}": test.claims for test in tests}
        self._reported: dict[str, set[str]] = {test: set() for test in self._tests}
        self._cases: dict[str, int] = {}
        self._digests = index.digests(specification(), tests)
        self.draft = _open_draft(run)
        for test, claims in self._tests.items():
            for id_ in claims:
                if id_ in self.draft.awaited:
                    self.draft.awaited[id_].add(test)

    def pytest_report_header(self) -> list[str]:
        """Say what is being assayed, with what and on which data."""
        return header(self._run, self.draft)

    def pytest_sessionstart(self) -> None:
        """Write the ledger before its first row, so that a file that cannot be written is known at once."""
        self._write()

    def _write(self) -> None:
        if self._results is None:
            return
        try:
            self.draft.write(self._results)
        except UserError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter the row that a test's report carries."""
        if row := getattr(report, "assay_row", None):
            self._enter(report.nodeid, **row | {"outcome": Outcome(row["outcome"])})
            if device := getattr(report, "assay_device", None):
                self.draft.implementation = replace(self.draft.implementation, device=device)
            if precision := row.get("evidence", {}).get("precision"):
                self.draft.implementation = replace(self.draft.implementation, measured_precision=precision)
            self._write()

    def _enter(self, nodeid: str, outcome: Outcome, **values: Any) -> None:  # noqa: ANN401 - of a `Row`
        test = cases.key(nodeid)
        claims = self._tests.get(test, ())
        values["results"] = tuple(values.get("results", ()))
        for id_ in claims:
            self.draft.add(Row(id_, outcome, digest=self._digests[id_], **values))
        if claims:
            self._reported[test].add(nodeid)
            self._cases = self._cases or cases.read(self._run.cases)
            if len(self._reported[test]) >= self._cases.get(test, 1):
                self.draft.close(claims, test)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist publishes no type for it
        """Note where a worker ended in the middle of start(): no other one is to try it again."""
        self._ended_in_start = self._run.starting(node.gateway.id).exists()
        if self._ended_in_start:
            self._run.ended_in_start.touch()

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Give the test that took its worker along its row."""
        claims = self._tests.get(cases.key(crashitem), ())
        if not claims:
            return
        last_words = self._run.last_words(crashitem)
        stack = last_words.read_text(errors="replace") if last_words.exists() else ""
        if stack:
            seconds = self._run.claim_seconds + GRACE_SECONDS
            outcome, why = (
                Outcome.TIMEOUT,
                f"not finished after {seconds:g} s, and its process had to be ended",
            )
        else:
            seconds, outcome, why = 0.0, Outcome.CRASH, "the process of the implementation ended"
            why += " in start()" if self._ended_in_start else ""
        replay = self._run.replay.command(claims)
        if self._run.expects(claims, outcome):
            failure.mark_expected(report, why)
        report.longrepr = failure.text([specification().claims[id_] for id_ in claims], outcome, why, replay)
        report.assay_row = {  # type: ignore[attr-defined]  # read by pytest_runtest_logreport
            "outcome": outcome.value,
            "seconds": seconds,
            "reason": why,
            "replay": replay,
        }

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Tell what is unsupported from what is skipped."""
        row = getattr(report, "assay_row", None)
        return ("unsupported", "u", "UNSUPPORTED") if row and row["outcome"] == Outcome.UNSUPPORTED else None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the ledger, and let the exit code be the verdict."""
        self.draft.data = data.describe()
        # By now the workers have ended, so that theirs is known.
        self.draft.time = Time(round(time.monotonic() - self._begun, 2), round(_processor(), 2))
        self._write()
        if session.exitstatus == pytest.ExitCode.OK and self._assays():
            session.exitstatus = self.verdict().code

    def _assays(self) -> bool:
        return bool(self.draft.rows or self._results) and not self._config.getoption("collectonly")

    def verdict(self) -> Verdict:
        """Judge the implementation by the claims that were asked for: those of the run, or those named."""
        return verdicts.verdict(self.draft.ledger(), specification(), self._run.claims)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the outcomes by section, and the verdict in one line."""
        if self._assays():
            summary(terminalreporter, self.draft.ledger(), self.verdict(), self._results, self._run.claims)


def _processor() -> float:
    """Return the seconds that processors worked for this process and for those that it has seen the end of."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _open_draft(run: Run) -> Draft:
    description = run.description
    return Draft(
        suite=__version__,
        document=specification().document,
        implementation=Subject(
            name=description.name if description else run.implementation,
            version=description.version if description else "",
            frameworks=description.frameworks if description else {},
            device=None,
            measured_precision=None,
            groups=tuple(run.groups),
        ),
        precision=run.grade,
        profile=run.profile,
        seed=run.seed,
        data=data.describe(),
        awaited={id_: set() for id_ in run.held},
        expectations={expectation.claim: expectation for expectation in run.expectations},
        shard=run.shard,
        required=run.required,
    )
