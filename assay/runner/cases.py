"""Number of cases of every test before selection: a claim is decided when all its cases have reported."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest


class CaseCounter:
    """Counts the cases of tests; registered with pytest in every process that collects."""

    def __init__(self, path: Path) -> None:
        """Start with no counts.

        Args:
            path: File for the counts, read by the process that records the run.

        """
        self._path = path
        self._counts: dict[str, int] = {}

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Count the cases of a module before any are deselected: this wrapper is the innermost one."""
        report = yield
        if isinstance(collector, pytest.Module) and report.passed:
            found = Counter(key(node.nodeid) for node in report.result if isinstance(node, pytest.Function))
            self._counts |= found
        return report

    def pytest_collection_finish(self) -> None:
        """Write the counts for the recorder. They are the same in every process."""
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(self._counts), encoding="utf-8")
        temporary.replace(self._path)


def read(path: Path) -> dict[str, int]:
    """Return the counts by `key`; empty while no process has finished its collection."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def key(nodeid: str) -> str:
    """Return file and function of a test, such as `test_a.py::test_b` for `tests/test_a.py::test_b[c]`."""
    path, _, test = nodeid.partition("::")
    return f"{path.rpartition('/')[2]}::{test.partition('[')[0]}"
