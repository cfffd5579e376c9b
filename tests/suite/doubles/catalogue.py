"""Run the catalogue of faults against the claims, many faults in one process.

`python -m doubles.catalogue` in `tests/suite` prints the score and the claims that have never detected a fault.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest

from assay.adapters.proxy import ImplementationProxy
from assay.cli.command import Command
from assay.cli.program import execute
from assay.runner.explanation import stored_key
from assay.runner.stash import claims_of, implementation_key, run_key
from assay.specification.claims import Claim, specification
from assay.specification.index import tests_folder
from doubles.faults import FAULTS
from doubles.faulty import Fault, Faulty, base_of

# The folder from which `doubles` can be imported.
SUITE = Path(__file__).parents[1]
# Claims about whole trainings cost more than all others together.
TRAININGS = {"training.fit", "text.fit", "agent.fit"}
Rows = dict[str, dict[str, dict[str, Any]]]


def claims_on(fault: Fault) -> list[str]:
    """Return the claims of core that need a fault's function, and of whole trainings only those about them."""
    about = {
        id_: claim
        for id_, claim in specification().of_profile("core").items()
        if fault.function in claim.needs and (fault.function in TRAININGS or not TRAININGS & set(claim.needs))
    }
    own = specification().claims[fault.claim]
    if fault.function == "keras.namespace" or fault.function.startswith("applications."):
        about = {id_: claim for id_, claim in about.items() if set(claim.lines) & set(own.lines)}
    elif fault.function.startswith("models."):
        about = {id_: claim for id_, claim in about.items() if claim.section == own.section}
    return [*dict.fromkeys([fault.claim, *about])]


class FaultLoop:
    """A pytest plugin that runs the collected tests once for each fault."""

    def __init__(self, plan: Mapping[str, list[str]]) -> None:
        """Take the plan.

        Args:
            plan: Ids of the claims to run, by the name of the fault.

        """
        self._plan = plan
        self._rows: dict[str, dict[str, Any]] = {}
        self._tells = ""
        self._claims: dict[str, set[str]] = {}
        self.found: Rows = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests of each fault's claims against an implementation that has it."""
        config = session.config
        run = config.stash[run_key]
        self._claims = {item.nodeid: {claim.id for claim in claims_of(item)} for item in session.items}
        for name, claims in self._plan.items():
            fault = FAULTS[name]
            with tempfile.TemporaryDirectory() as folder:
                # What is computed once in a run is computed once for each fault.
                config.stash[run_key] = dataclasses.replace(
                    run, folder=folder, implementation=f"doubles.faults:with_fault.{name}"
                )
                config.stash[implementation_key] = ImplementationProxy(partial(Faulty, name, fault), "cpu")
                self._rows, self._tells = {}, fault.tells
                items = [item for item in session.items if self._claims[item.nodeid] & {*claims}]
                for item, following in zip(items, [*items[1:], None], strict=True):
                    # Each failure gets a snippet, because any of them may be the one that leads to the fault.
                    config.stash[stored_key] = set()
                    config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                self.found[name] = {id_: row for id_, row in self._rows.items() if id_ in claims}
        config.stash[run_key] = run
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep for every claim the failure that leads to the fault, or else the first outcome that is not a pass.

        A claim may have several tests, and the first that fails need not be the one that leads to the fault.
        """
        if row := getattr(report, "assay_row", None):
            for id_ in self._claims[report.nodeid]:
                known = self._rows.get(id_, {"outcome": "pass"})
                leads, led = (self._tells in one.get("reason", "") for one in (row, known))
                if known["outcome"] == "pass" or (leads and not led):
                    self._rows[id_] = row


def run_here(plan: Mapping[str, list[str]], base: str) -> Rows:
    """Run faults of one base in this process, and return the rows by fault and claim."""
    loop = FaultLoop(plan)
    asked = [option for id_ in sorted({*chain.from_iterable(plan.values())}) for option in ("--claim", id_)]
    options = ["-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", "0", "-q"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = pytest.main([str(tests_folder()), *options, "--implementation", base, *asked], plugins=[loop])
    if missing := [name for name in plan if name not in loop.found]:
        msg = f"exit code {code}, nothing found of {missing}:\n{output.getvalue()}"
        raise RuntimeError(msg)
    return loop.found


def run_faults(names: Iterable[str], *, all_claims: bool = False) -> Rows:
    """Run faults, a process for each base, and return the rows by fault and claim.

    Args:
        names: Names of the faults.
        all_claims: Whether to run all claims that need a fault's function; otherwise only the one that must detect it.

    """
    found: Rows = {}
    plans: dict[str, dict[str, list[str]]] = {}
    for name in names:
        claims = claims_on(FAULTS[name]) if all_claims else [FAULTS[name].claim]
        plans.setdefault(base_of(FAULTS[name]), {})[name] = claims
    for base, plan in plans.items():
        command = [sys.executable, "-m", "doubles.catalogue", "--run", base]
        ended = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=False, cwd=SUITE)
        if ended.returncode:
            raise RuntimeError(ended.stderr)
        found |= json.loads(ended.stdout.splitlines()[-1])
    return found


def is_detected(fault: Fault, rows: Mapping[str, dict[str, Any]]) -> bool:
    """Whether the claim that must detect a fault failed, in words that lead to it."""
    row = rows.get(fault.claim, {"outcome": "no row"})
    return row["outcome"] == "fail" and fault.tells in row["reason"]


def score(rows: Rows) -> str:
    """Return the score, the faults that were not detected, and the claims that have never detected one."""
    detected = [name for name, found in rows.items() if is_detected(FAULTS[name], found)]
    lines = [f"{len(detected)} of {len(rows)} faults detected by the claims about them"]
    for name in rows.keys() - {*detected}:
        row = rows[name].get(FAULTS[name].claim, {"outcome": "no row"})
        lines.append(f"  not detected: {name} by {FAULTS[name].claim} ({row['outcome']})")
    failed = {id_ for found in rows.values() for id_, row in found.items() if row["outcome"] == "fail"}
    testable = [claim for claim in specification().of_profile("core").values() if not claim.is_fact]
    never = [claim for claim in testable if claim.id not in failed]
    lines.append(f"{len(testable) - len(never)} of {len(testable)} claims have detected a fault")
    return "\n".join([*lines, *(f"  never: {_line(claim)}" for claim in never)])


def _line(claim: Claim) -> str:
    return f"{claim.id:44} {', '.join(claim.needs)}"


@click.command(
    cls=Command,
    help="Run the catalogue of faults against the claims, and print the score and the claims that have never detected a"
    " fault.\n\nNAME is a fault (default: all of them).",
)
@click.argument("faults", nargs=-1, metavar="[NAME]...")
@click.option("--own-claims", is_flag=True, help="Run only the claim that must detect each fault.")
@click.option("--run", "base", metavar="BASE", hidden=True)
def main(faults: Sequence[str], base: str | None, *, own_claims: bool) -> int:
    """Carry out the command."""
    if base:
        print(json.dumps(run_here(json.load(sys.stdin), base)))
        return 0
    rows = run_faults(faults or FAULTS, all_claims=not own_claims)
    text = score(rows)
    print(text.partition("\n  never:")[0] if faults else text)
    return 0 if all(is_detected(FAULTS[name], found) for name, found in rows.items()) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(execute(main, "python -m doubles.catalogue"))
