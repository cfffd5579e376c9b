"""Claims call the functions that they name, and no other: a test that calls nothing of the implementation cannot fail.

A claim that needs nothing is a fact about the document.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from assay.specification import index
from assay.specification.claims import specification
from assay.specification.index import tests_folder

# Whole trainings take minutes. What their claims need is checked by group alone.
SLOW = {"training.fit", "text.fit", "agent.fit"}
# The other groups need no framework.
WITH_FRAMEWORK = {"keras", "applications", "flowers"}


def recorded(folder, implementation, *options):
    """Run claims with the plugin that records, and return what each of them called or asked for."""
    path = folder / "calls.json"
    command = [sys.executable, "-m", "pytest", str(tests_folder()), "-q", "-n", "0", "--import-mode=importlib"]
    command += ["-p", "assay.runner.plugin", "-p", "doubles.calls", "-p", "no:cacheprovider"]
    places = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]
    subprocess.run(
        [*command, "--implementation", implementation, *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(places), "CALLS": str(path)},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    found = defaultdict(set)
    for test in json.loads(path.read_text(encoding="utf-8")):
        for claim in test["claims"]:
            found[claim] |= set(test["calls"] if "calls" in test else test["groups"])
    return found


def groups(names):
    """Return the groups of functions."""
    return {name.partition(".")[0] for name in names}


def test_every_claim_asks_for_the_groups_that_it_needs(tmp_path):
    found = recorded(tmp_path, "reference", "--profile", "full", "--collect-only")
    claims = specification().claims
    assert found.keys() == claims.keys()
    assert {id_: asked for id_, asked in found.items() if asked != groups(claims[id_].needs)} == {}


# The recording of the reference is empty for hundreds of claims, not yet explained, and proves nothing of them.
def test_every_claim_calls_the_functions_that_it_needs(tmp_path):
    needs = {
        id_: set(claim.needs)
        for id_, claim in specification().of_profile("core").items()
        if claim.needs and not SLOW & set(claim.needs) and not WITH_FRAMEWORK & groups(claim.needs)
    }
    found = recorded(tmp_path, "numpy", *(option for id_ in needs for option in ("--claim", id_)))
    assert found.keys() == needs.keys()
    # Without the Nietzsche text a claim about it calls nothing.
    silent = {id_ for id_, called in found.items() if not called}
    assert silent <= {id_ for test in index.read(tests_folder()) if "nietzsche" in test.source for id_ in test.claims}
    differing = {id_: called for id_, called in found.items() if id_ not in silent and called != needs[id_]}
    assert {id_: (sorted(called), sorted(needs[id_])) for id_, called in differing.items()} == {}
