"""Deliberate faults in the reference: each is caught by the claim that speaks of it, in words that tell the fault."""

import json
import os
import subprocess
import sys
from pathlib import Path

from faults import FAULTS

from assay.claims import specification
from assay.index import tests_folder

# One process assays them all, one after the other, as loading TensorFlow takes longer than any of them.
DRIVER = """
import json, sys
import pytest
for name, claims, results in json.loads(sys.argv[1]):
    options = [option for claim in claims for option in ("--claim", claim)]
    pytest.main([sys.argv[2], "-p", "assay.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", "0",
                 "--implementation", f"faults:reference_with.{name}", "--results", results, *options])
"""
README = tests_folder().parent / "README.md"


def claims_on(function):
    """Return the deterministic and cheap claims that need a function: what trains on MNIST takes the longest."""
    return [
        id_
        for id_, claim in specification().of_profile("core").items()
        if function in claim.needs and not {"training.fit", "text.fit"} & set(claim.needs)
    ]


def assay_all(folder):
    """Assay every fault by the claims that need its function, and return their rows by fault and claim."""
    plan = [(name, claims_on(fault.function), str(folder / f"{name}.json")) for name, fault in FAULTS.items()]
    path = os.pathsep.join([str(Path(__file__).parent), str(tests_folder().parent)])
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


def test_every_fault_is_caught_and_told(tmp_path):
    rows = assay_all(tmp_path)
    caught = {name: rows[name][fault.claim] for name, fault in FAULTS.items()}

    assert {name: row["outcome"] for name, row in caught.items()} == dict.fromkeys(FAULTS, "fail")
    assert [name for name, fault in FAULTS.items() if fault.tells not in caught[name]["reason"]] == []
    # Nothing breaks on the way, and the claims that are about something else still pass.
    outcomes = {row["outcome"] for found in rows.values() for row in found.values()}
    assert outcomes == {"pass", "fail"}

    shown = caught["activation_before_bias"]["reason"]
    assert "".join(f"  {line}\n" for line in shown.splitlines()) in README.read_text(encoding="utf-8")
