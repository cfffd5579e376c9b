"""Run claims against sound variants, many variants in one process."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from assay.adapters.proxy import ImplementationProxy
from assay.runner.explanation import stored_key
from assay.runner.stash import claims_of, implementation_key, run_key
from assay.specification.claims import specification
from assay.specification.index import tests_folder
from doubles.catalogue import SUITE, TRAININGS
from doubles.sound_variants import VARIANTS, Varied

Rows = dict[str, dict[str, dict[str, Any]]]


def claims_on(name: str) -> list[str]:
    """Return the claims of core that need a function of a variant, and of whole trainings only those about them."""
    functions, groups = {*VARIANTS[name]}, {*Varied(name).groups}
    return [
        id_
        for id_, claim in specification().of_profile("core").items()
        if functions & {*claim.needs}
        and {*claim.groups} <= groups
        and (functions & TRAININGS or not TRAININGS & {*claim.needs})
    ]


class VariantLoop:
    """A pytest plugin that runs the collected tests once for each variant."""

    def __init__(self, plan: Mapping[str, Iterable[str]]) -> None:
        """Take the plan.

        Args:
            plan: Ids of the claims to run, by the name of the variant.

        """
        self._plan = plan
        self._rows: dict[str, dict[str, Any]] = {}
        self._claims: dict[str, set[str]] = {}
        self.found: Rows = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests of each variant's claims."""
        config = session.config
        run = config.stash[run_key]
        self._claims = {item.nodeid: {claim.id for claim in claims_of(item)} for item in session.items}
        for name, claims in self._plan.items():
            with tempfile.TemporaryDirectory() as folder:
                # What is computed once in a run is computed once for each variant.
                config.stash[run_key] = dataclasses.replace(
                    run, folder=folder, implementation=f"doubles.sound_variants:{name}"
                )
                config.stash[stored_key] = set()
                config.stash[implementation_key] = ImplementationProxy(partial(Varied, name), "cpu")
                self._rows = {}
                items = [item for item in session.items if self._claims[item.nodeid] & {*claims}]
                for item, following in zip(items, [*items[1:], None], strict=True):
                    config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                self.found[name] = {id_: row for id_, row in self._rows.items() if id_ in claims}
        config.stash[run_key] = run
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep for every claim the first outcome that is not a pass."""
        if row := getattr(report, "assay_row", None):
            for id_ in self._claims[report.nodeid]:
                if self._rows.get(id_, {"outcome": "pass"})["outcome"] == "pass":
                    self._rows[id_] = row


def run_here(plan: Mapping[str, list[str]], seed: int) -> Rows:
    """Run variants in this process, and return the rows by variant and claim."""
    loop = VariantLoop(plan)
    asked = [option for id_ in sorted({*chain.from_iterable(plan.values())}) for option in ("--claim", id_)]
    options = ["-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", "0", "-q"]
    options += ["--seed", str(seed), "--implementation", "numpy"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = pytest.main([str(tests_folder()), *options, *asked], plugins=[loop])
    if missing := [name for name in plan if name not in loop.found]:
        msg = f"exit code {code}, nothing found of {missing}:\n{output.getvalue()}"
        raise RuntimeError(msg)
    return loop.found


def run_variants(plan: Mapping[str, list[str]], seed: int) -> Rows:
    """Run variants in a process of their own, and return the rows by variant and claim."""
    command = [sys.executable, "-m", "doubles.sound_variants.runs", str(seed)]
    ended = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=False, cwd=SUITE)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    return json.loads(ended.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    print(json.dumps(run_here(json.load(sys.stdin), int(sys.argv[1]))))
