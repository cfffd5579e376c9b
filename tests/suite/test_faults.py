"""Deliberate faults in the reference: each is caught by the claim that speaks of it, in words that tell the fault."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults import FAULTS

from assay.claims import specification
from assay.index import tests_folder

# The rows are made once, so one worker takes all these tests.
pytestmark = pytest.mark.xdist_group("faults")

# One process assays them all, one after the other, as loading TensorFlow takes longer than any of them.
DRIVER = """
import json, sys
import pytest
for name, claims, results in json.loads(sys.argv[1]):
    options = [option for claim in claims for option in ("--claim", claim)]
    pytest.main([sys.argv[2], "-p", "assay.plugin", "--import-mode=importlib", "-n", "0", "-q",
                 "-p", "no:cacheprovider", "--implementation", f"faults:reference_with.{name}", "--results", results, *options])
"""


def claims_on(function):
    """Return the deterministic and cheap claims that need a function: what trains on MNIST takes the longest."""
    return [
        id_
        for id_, claim in specification().of_profile("core").items()
        if function in claim.needs and "training.fit" not in claim.needs
    ]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Assay every fault by the claims that need its function, and return their rows by fault and claim."""
    folder = tmp_path_factory.mktemp("faults")
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


@pytest.mark.parametrize("name", FAULTS)
def test_caught_by_the_claim_that_speaks_of_it(rows, name):
    assert rows[name][FAULTS[name].claim]["outcome"] == "fail"


@pytest.mark.parametrize("name", FAULTS)
def test_failure_tells_the_fault(rows, name):
    assert FAULTS[name].tells in rows[name][FAULTS[name].claim]["reason"]


def test_readme_shows_a_failure_as_it_is(rows):
    reason = rows["activation_before_bias"]["dense.activation-after-affine"]["reason"]
    readme = (tests_folder().parent / "README.md").read_text(encoding="utf-8")
    assert "".join(f"  {line}\n" for line in reason.splitlines()) in readme


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_breaks(rows, name):
    assert {row["outcome"] for row in rows[name].values()} <= {"pass", "fail"}
