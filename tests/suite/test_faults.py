"""Deliberate faults in the reference: each is caught by the claim that speaks of it, in words that tell the fault."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from doubles.faults import FAULTS

from assay.specification.claims import specification
from assay.specification.index import tests_folder

# A process assays many, one after the other, as loading TensorFlow takes longer than any of them. As many processes as
# that keep the workers of a run equally busy.
PARTS = 4
DRIVER = """
import json, sys
import pytest
for name, claims, results in json.loads(sys.argv[1]):
    options = [option for claim in claims for option in ("--claim", claim)]
    pytest.main([sys.argv[2], "-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib",
                 "-n", "0", "--implementation", f"doubles.faults:reference_with.{name}",
                 "--results", results, *options])
"""
README = Path(__file__).resolve().parents[2] / "README.md"


def claims_on(fault):
    """Return the deterministic and cheap claims that need a fault's function: whole trainings take the longest.

    Of a training and its evaluation, the fault's own: the others take a training each.

    Of a model, those of the fault's section: the others are about other models. Of the programming interface, those of
    the same lines: most claims about it need the whole namespace.
    """
    claims = specification().of_profile("core")
    if fault.function.startswith("training."):
        return [fault.claim]
    about = {
        id_: claim
        for id_, claim in claims.items()
        if fault.function in claim.needs and not {"training.fit", "text.fit"} & set(claim.needs)
    }
    if fault.function == "keras.namespace":
        return [id_ for id_, claim in about.items() if set(claim.lines) & set(claims[fault.claim].lines)]
    if not fault.function.startswith("models."):
        return list(about)
    return [id_ for id_, claim in about.items() if claim.section == claims[fault.claim].section]


def assay_all(faults, folder):
    """Assay faults by the claims that need their functions, and return the rows by fault and claim."""
    plan = [(name, claims_on(fault), str(folder / f"{name}.json")) for name, fault in faults.items()]
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])])
    subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(plan), str(tests_folder())],
        env=os.environ | {"PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return {
        name: {row["id"]: row for row in json.loads(Path(results).read_text(encoding="utf-8"))["claims"]}
        for name, _, results in plan
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_every_fault_is_caught_and_told(part, tmp_path):
    faults = dict([*FAULTS.items()][part::PARTS])
    rows = assay_all(faults, tmp_path)
    caught = {name: rows[name][fault.claim] for name, fault in faults.items()}

    assert {name: row["outcome"] for name, row in caught.items()} == dict.fromkeys(faults, "fail")
    assert [name for name, fault in faults.items() if fault.tells not in caught[name]["reason"]] == []
    # Nothing breaks on the way, and the claims that are about something else still pass.
    outcomes = {row["outcome"] for found in rows.values() for row in found.values()}
    assert outcomes == {"pass", "fail"}


def test_the_readme_shows_what_is_told(tmp_path):
    name = "activation_before_bias"
    shown = assay_all({name: FAULTS[name]}, tmp_path)[name][FAULTS[name].claim]["reason"]
    assert "".join(f"  {line}\n" for line in shown.splitlines()) in README.read_text(encoding="utf-8")
