"""The recorder of a run, in its main process: it collects rows, writes the ledger and gives the verdict."""

from __future__ import annotations

import dataclasses
import resource
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from assay import __version__
from assay.adapters.parentage import describe_end
from assay.adapters.plain_text import describe_error, plain
from assay.adapters.protocol.process import END_SECONDS
from assay.adapters.time_limit import longest
from assay.datasets import data
from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import output_file
from assay.ledger import environment
from assay.ledger import verdict as verdicts
from assay.ledger.draft import Draft
from assay.ledger.ledger import Failure, Row, Subject, Time
from assay.ledger.outcomes import Outcome
from assay.ledger.verdict import Verdict
from assay.runner import cases, failure, resume
from assay.runner.explanation import remove_unused_arrays
from assay.runner.ledger_file import LedgerFile
from assay.runner.run import Run
from assay.runner.summary import header, summary
from assay.runner.watch import Watch
from assay.specification import index
from assay.specification.claims import specification


class LostWorker(NamedTuple):
    """How the last lost worker ended.

    Attributes:
        name: Name of the worker.
        end: Exit status or signal, as text.
        in_start: Whether the worker ended while the implementation started.

    """

    name: str
    end: str
    in_start: bool


class Recorder:
    """Records a run. Registered with pytest in the process that the user started, not in the workers.

    Attributes:
        run: The run, without claims already in the ledger of a resumed run.
        draft: Results of the run so far.

    """

    def __init__(self, config: pytest.Config, run: Run, tests: tuple[index.ExecutableClaim, ...]) -> None:
        """Open the ledger, and load the decided claims of a resumed run.

        Args:
            config: Config of pytest.
            run: The run.
            tests: All tests of claims.

        Raises:
            UserError: The run cannot be resumed.

        """
        self._started, self._started_at = monotonic(), environment.now()
        self._config = config
        self._file = LedgerFile(None if config.getoption("collectonly") else config.getoption("results"))
        self._lost = LostWorker("", "", in_start=False)
        self._watch = Watch(run.shared)
        self._troubles: list[str] = []
        self._tests = {f"{test.file}::{test.function}": test.claims for test in tests}
        self._reported: dict[str, set[str]] = {test: set() for test in self._tests}
        self._cases: dict[str, int] = {}
        self._digests = index.digests(specification(), tests)
        self.draft = _open_draft(run, self._digests)
        for test, claims in self._tests.items():
            for id_ in claims:
                if id_ in self.draft.awaited:
                    self.draft.awaited[id_].add(test)
        self.run = self._resume(run) if run.resumes and not config.getoption("collectonly") else run
        self._pending = self.run.pending

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Watch the workers."""
        self._watch.start()

    def pytest_report_header(self) -> list[str]:
        """State what is tested, with what and on which data."""
        return header(self.run, self.draft)

    def pytest_sessionstart(self) -> None:
        """Write the ledger before its first row, so that a file that cannot be written is reported at once."""
        try:
            self._file.open()
        except UserError as error:
            raise pytest.UsageError(error.describe()) from None
        self._file.add(self.draft)
        if self._file.error:
            raise pytest.UsageError(self._file.error)

    def _resume(self, run: Run) -> Run:
        """Load the rows of the ledger, and return the run without their claims.

        Raises:
            UserError: The file to resume does not exist, or its run differs from this one.

        """
        self._file.open()
        if self._file.path is None or not output_file.is_regular(self._file.path):
            msg = "--resume continues from the ledger in a file"
            raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Name it with --results")
        before = resume.read(self._file.path, self.draft.conditions)
        if before is None:
            return run
        self.draft.resume(before)
        return dataclasses.replace(run, finished=tuple(self.draft.rows))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the row in the report of a test."""
        self._check_device(report)
        if trouble := getattr(report, "assay_trouble", None):
            self._troubles.append(trouble)
        try:
            self._take(report)
        except Exception as error:  # noqa: BLE001 - a bug in Assay must not cost the other rows
            self._troubles.append(describe_error(error))

    def _check_device(self, report: pytest.TestReport) -> None:
        """End a resumed run if the device differs from before, which is known only after start()."""
        device, known = getattr(report, "assay_device", None), self.draft.implementation.device
        if self.run.finished and device and known not in {None, device}:
            why = f"{self._file.path} cannot be resumed. Its run was on the device {known}, and this run is on {device}"
            pytest.exit(why, returncode=ExitCode.USAGE)

    def _take(self, report: pytest.TestReport) -> None:
        if row := getattr(report, "assay_row", None):
            claims = self._enter(report.nodeid, **row | {"outcome": Outcome(row["outcome"])})
            if device := getattr(report, "assay_device", None):
                self.draft.implementation = replace(self.draft.implementation, device=device)
            if precision := row.get("evidence", {}).get("precision"):
                self.draft.implementation = replace(self.draft.implementation, measured_precision=precision)
            self._file.add(self.draft, claims)

    def _enter(self, nodeid: str, outcome: Outcome, **values: Any) -> tuple[str, ...]:  # noqa: ANN401 - of a `Row`
        """Record the row of a case for every claim of its test that is pending in this run; return these claims."""
        test = cases.key(nodeid)
        # A test may judge claims of several profiles.
        claims = tuple(id_ for id_ in self._tests.get(test, ()) if id_ in self._pending)
        values["results"] = tuple(values.get("results", ()))
        if place := values.get("failure"):
            values["failure"] = msgspec.convert(place, Failure)
        for id_ in claims:
            self.draft.add(Row(id_, outcome, digest=self._digests[id_], **values))
        if claims:
            self._reported[test].add(nodeid)
            self._cases = self._cases or cases.read(self.run.shared.cases)
            if len(self._reported[test]) >= self._cases.get(test, 1):
                self.draft.close(claims, test)
        return claims

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist publishes no type for it
        """Record how a worker ended. If it ended in start(), no other worker tries start()."""
        shared, worker = self.run.shared, node.gateway.id
        self._lost = LostWorker(worker, end_of(node), shared.starting(worker).exists())
        shared.forget_worker(worker)
        if self._lost.in_start:
            shared.ended_in_start.touch()

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Record the row of a test that ended its worker."""
        claims = self._tests.get(cases.key(crashitem), ())
        if not claims:
            return
        shared, lost = self.run.shared, self._lost
        hung = _text(shared.hung_stack(crashitem))
        seconds = longest(self.run.claim_seconds)
        if hung or lost.name in self._watch.ended:
            outcome = Outcome.TIMEOUT
            end = self._watch.ended.get(lost.name, "its process had to be ended")
            why = f"not finished after {seconds:g} s (--claim-timeout {self.run.claim_seconds:g}), and {end}"
        else:
            seconds, outcome = 0.0, Outcome.CRASH
            why = f"the process of the implementation ended{' in start()' if lost.in_start else ''}: {lost.end}"
        stack = hung or _text(shared.crash_stack(lost.name))
        why = "\n".join([why, *failure.frames(plain(stack))])
        replay = self.run.replay(claims)
        if self.run.expects(claims, outcome):
            failure.mark_expected(report, why)
        report.longrepr = failure.text([specification().claims[id_] for id_ in claims], outcome, why, replay)
        report.assay_claims = list(claims)  # type: ignore[attr-defined]  # read by the display of progress
        report.assay_row = {  # type: ignore[attr-defined]  # read by pytest_runtest_logreport
            "outcome": outcome.value,
            "seconds": seconds,
            "reason": why,
            "replay": replay,
        }

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Distinguish unsupported tests from skipped ones."""
        row = getattr(report, "assay_row", None)
        return ("unsupported", "u", "UNSUPPORTED") if row and row["outcome"] == Outcome.UNSUPPORTED else None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the ledger, and set the exit code to the verdict."""
        self.draft.data = data.describe()
        # The workers have ended, so their processor time is known.
        self.draft.time = Time(round(monotonic() - self._started, 2), round(_processor(), 2), self._started_at)
        self._watch.finish()
        self._file.finish(self.draft)
        if self._file.path is not None:
            snippets = [row.failure.snippet for row in self.draft.rows.values() if row.failure]
            remove_unused_arrays(self._file.path, snippets)
        self._file.close()
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.run.finished and not self.run.pending:
            session.exitstatus = pytest.ExitCode.OK
        if session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} and (
            code := self._get_error_code()
        ):
            session.exitstatus = code
        if session.exitstatus == pytest.ExitCode.OK and self._assays():
            session.exitstatus = self.verdict().code

    def _get_error_code(self) -> ExitCode | None:
        if self._troubles:
            return ExitCode.BROKEN
        return ExitCode.USAGE if self._file.error else None

    def _assays(self) -> bool:
        return bool(self.draft.rows or self._file.path) and not self._config.getoption("collectonly")

    def verdict(self) -> Verdict:
        """The verdict on the requested claims: those of the run, or those named."""
        return verdicts.verdict(self.draft.ledger(), specification(), self.run.claims)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the outcomes by section, and the verdict in one line."""
        if self._assays():
            summary(terminalreporter, self.draft.ledger(), self.verdict(), self._file.path, self.run.claims)
        if self._troubles:
            first, *more = dict.fromkeys(self._troubles)
            others = f" (and {len(more)} others)" if more else ""
            line = f"the run itself had trouble, which is not held against the implementation: {first}{others}"
            terminalreporter.write_line(line, red=True)
        if self._file.error:
            terminalreporter.write_line(f"ERROR: {self._file.error}", red=True)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def end_of(node: Any) -> str:  # noqa: ANN401 - xdist publishes no type for it
    """Describe how the process of a worker ended, as far as execnet knows."""
    process = getattr(getattr(node.gateway, "_io", None), "popen", None)
    try:
        return "for no known reason" if process is None else describe_end(process.wait(END_SECONDS))
    except subprocess.TimeoutExpired:
        return "it closed its connection"


def _processor() -> float:
    """Return the processor time of this process and its finished children, in seconds."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _open_draft(run: Run, digests: Mapping[str, str]) -> Draft:
    description = run.description
    sources = data.describe()
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
            unsupported=description.unsupported if description else (),
        ),
        precision=run.precision,
        profile=run.profile,
        seed=run.seed,
        data=sources,
        awaited={id_: set() for id_ in run.selected},
        expectations={expectation.claim: expectation for expectation in run.expectations},
        shard=run.shard,
        required=run.required,
        conditions=resume.conditions(run, digests, sources),
        environment=environment.observe(),
    )
