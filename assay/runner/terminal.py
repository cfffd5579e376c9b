"""Display of `assay run` during a run: failures as they happen, and progress in claims."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from assay.ledger.outcomes import Outcome
from assay.runner.lines import QUIET_SECONDS, fold
from assay.runner.stash import run_key
from assay.specification import shards
from assay.specification.claims import specification

MOST_WARNINGS = 5
REFRESH_SECONDS = 0.1
TITLE = 34


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Replace pytest's own reporter, which counts tests."""
    manager = config.pluginmanager
    standard = manager.getplugin("terminalreporter")
    if standard is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    manager.unregister(standard)
    reporter = ClaimReporter(config)
    manager.register(reporter, "terminalreporter")
    # xdist has already stored a reference to the original reporter.
    if (workers := manager.getplugin("terminaldistreporter")) is not None:
        manager.unregister(workers)
    if (session := manager.getplugin("dsession")) is not None:
        session.terminal = None


class ClaimReporter(TerminalReporter):  # type: ignore[misc]  # final for type checkers: its methods may change
    """Shows claims instead of tests."""

    def __init__(self, config: pytest.Config) -> None:
        """Start with no decided claims."""
        super().__init__(config, sys.stdout)
        self._run = config.stash[run_key]
        ids = self._run.pending
        known = specification().claims
        costs = shards.costs(self._run.profile)
        usual = sorted(costs.values())[len(costs) // 2] if costs else 1.0
        self._costs = {id_: costs.get(id_, usual) for id_ in ids}
        self._titles = {section.name: section.title for section in specification().sections}
        self._sections = {id_: known[id_].section for id_ in ids}
        self._sizes = Counter(self._sections.values())
        self._decided: set[str] = set()
        self._failed: set[str] = set()
        self._shown: set[str] = set()
        self._started = self._last = time.monotonic()
        self._progress: Progress | None = None

    # Lines of pytest about files and tests

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Write the header of the run."""
        self._session = session
        for lines in self.config.hook.pytest_report_header(config=self.config, start_path=self.startpath):
            for line in [lines] if isinstance(lines, str) else lines:
                if line.partition(":")[0] not in {"rootdir", "configfile", "plugins", "benchmark", "testpaths"}:
                    self.write_line(fold(line, self._width))

    @property
    def _width(self) -> int | None:
        """Number of columns at which lines are folded; None without a terminal."""
        return self._tw.fullwidth if self.isatty else None

    def pytest_collection(self) -> None:
        """Suppress the line about collection."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start the display of progress."""
        if self.isatty and self._progress is None:
            self._start_progress(refresh_alone=self.config.getoption("numprocesses", None) not in {None, 0})
        del session

    def report_collect(self, final: bool = False) -> None:  # noqa: FBT001, FBT002 - as pytest has it
        """Suppress the number of tests."""

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Suppress the line of a test that starts."""

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Suppress the line of a test that ends."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show a failure, and update the progress."""
        category, _, _ = self.config.hook.pytest_report_teststatus(report=report, config=self.config)
        self._add_stats(category, [report])
        row: dict[str, Any] | None = getattr(report, "assay_row", None)
        if row is not None:
            claims = getattr(report, "assay_claims", [])
            self._decided.update(claims)
            if not Outcome(row["outcome"]).conforms and report.failed:
                self._failed.update(claims)
                self._show(report, ", ".join(claims))
        elif report.failed:
            self._show(report, report.nodeid)
        self._advance(report)

    def _show(self, report: pytest.TestReport, name: str) -> None:
        """Show a failure. If a test fails for several parameters, show the first failure only."""
        test = report.nodeid.partition("[")[0]
        if test in self._shown:
            return
        self._shown.add(test)
        text = str(report.longrepr or name)
        self._print("\n".join(fold(line, self._width) for line in text.splitlines()) + "\n")

    def _print(self, text: str) -> None:
        if self._progress is not None:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self.write_line(text)

    # Progress

    def _start_progress(self, *, refresh_alone: bool) -> None:
        # If tests run in this process, pytest captures their output, and would also capture that of a thread.
        columns = (
            TextColumn(f"{{task.description:{TITLE}}}"),
            BarColumn(bar_width=14),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
        )
        console = Console(file=self._tw._file, width=self._tw.fullwidth, force_terminal=True)  # noqa: SLF001 - pytest's own stream
        self._progress = Progress(*columns, console=console, auto_refresh=refresh_alone, transient=True)
        self._all = self._progress.add_task("claims decided", total=len(self._costs), note="")
        self._section = self._progress.add_task("", total=None, note="", visible=False)
        self._progress.start()

    def _advance(self, report: pytest.TestReport) -> None:
        now = time.monotonic()
        claims = [id_ for id_ in getattr(report, "assay_claims", []) if id_ in self._sections]
        if self._progress is None:
            if now - self._last >= QUIET_SECONDS:
                self._last = now
                note = f", {self._note}" if self._note else ""
                self.write_line(
                    f"{len(self._decided)} of {len(self._costs)} claims after {now - self._started:.0f} s{note}"
                )
            return
        if claims:
            name = self._sections[claims[0]]
            done = sum(self._sections.get(id_) == name for id_ in self._decided)
            self._progress.update(
                self._section,
                description=_truncate(self._titles[name]),
                total=self._sizes[name],
                completed=done,
                visible=True,
            )
        self._progress.update(self._all, completed=len(self._decided & self._costs.keys()), note=self._note)
        if now - self._last >= REFRESH_SECONDS:
            self._last = now
            self._progress.refresh()

    @property
    def _note(self) -> str:
        """Return the number of failed claims, and the remaining time by the reference's costs."""
        done = sum(self._costs.get(id_, 0) for id_ in self._decided)
        left = sum(self._costs.values()) - done
        parts = [f"{len(self._failed)} failed"] if self._failed else []
        if done > 0:
            parts.append(f"{left * (time.monotonic() - self._started) / done:.0f} s left")
        return ", ".join(parts)

    # The end

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as pytest has it
        """End the display of progress before anything else is written."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        return (yield from super().pytest_sessionfinish(session, exitstatus))

    def _report_keyboardinterrupt(self) -> None:
        """Write why the run is incomplete, without a traceback."""
        self.write_line("interrupted")

    def summary_failures(self) -> None:
        """Suppress the summary: failures are shown as they happen."""

    def summary_errors(self) -> None:
        """Show errors of the collection; errors of claims are shown as they happen."""
        collecting = [report for report in self.stats.get("error", []) if not hasattr(report, "assay_row")]
        if collecting:
            self.stats["error"] = collecting
            super().summary_errors()

    def summary_warnings(self) -> None:
        """Show each warning once, on one line, and only a few of them, since frameworks emit many."""
        texts = [report.message.partition("\n")[0].partition(": ")[2] for report in self.stats.get("warnings", [])]
        different = [*dict.fromkeys(filter(None, texts))]
        for text in different[:MOST_WARNINGS]:
            self.write_line(f"warning: {text}"[: self._tw.fullwidth])
        if len(different) > MOST_WARNINGS:
            self.write_line(f"{len(different) - MOST_WARNINGS} more warnings")

    def summary_stats(self) -> None:
        """Omit the number of tests: the verdict counts claims."""


def _truncate(title: str) -> str:
    return title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"
