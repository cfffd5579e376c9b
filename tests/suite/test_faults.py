"""The catalogue of faults: each is detected by the claim that speaks of it, in words that lead to the fault."""

from pathlib import Path

import pytest
from doubles import catalogue
from doubles.catalogue import is_detected, run_faults, score
from doubles.faults import FAULTS
from doubles.faulty import base_of

from assay.cli.program import execute
from assay.runner.stash import run_key
from assay.specification.claims import specification

README = Path(__file__).resolve().parents[2] / "README.md"
# A process runs many faults, one after the other, as loading a framework takes longer than any of them. So many
# processes keep the workers of a run equally busy.
PARTS = 4
# All faults take half an hour, so a run takes every twelfth of them, and its seed decides which:
# `python -m doubles.catalogue` runs them all.
SHARE = 12


@pytest.fixture(autouse=True)
def from_the_suite(monkeypatch):
    """Run the catalogue from the folder that has it."""
    monkeypatch.chdir(Path(__file__).parent)


def part(number, seed):
    """Return the names of the faults of a part: those of one base stay together."""
    names = sorted(FAULTS, key=lambda name: (base_of(FAULTS[name]), name))[seed % SHARE :: SHARE]
    return names[number * len(names) // PARTS : (number + 1) * len(names) // PARTS]


def test_every_fault_belongs_to_one_part_of_one_seed():
    names = [name for seed in range(SHARE) for number in range(PARTS) for name in part(number, seed)]
    assert sorted(names) == sorted(FAULTS)


@pytest.mark.parametrize("number", range(PARTS))
def test_every_fault_is_detected_by_the_claim_about_it(number, pytestconfig):
    names = part(number, pytestconfig.stash[run_key].seed)
    found = run_faults(names)
    rows = {name: found[name].get(FAULTS[name].claim, {"outcome": "no row", "reason": ""}) for name in names}
    # Without a data set a claim can say nothing, with or without a fault.
    rows = {name: row for name, row in rows.items() if "is missing" not in row.get("reason", "")}
    assert {name: row["outcome"] for name, row in rows.items()} == dict.fromkeys(rows, "fail")
    unclear = {name: row["reason"] for name, row in rows.items() if not is_detected(FAULTS[name], found[name])}
    assert unclear == {}


def test_a_claim_about_something_else_still_passes():
    name = "metric_not_accumulating"
    found = run_faults([name], all_claims=True)[name]
    assert found.pop(FAULTS[name].claim)["outcome"] == "fail"
    assert "pass" in {row["outcome"] for row in found.values()}


def test_the_score_names_what_was_not_detected_and_what_has_never_detected_anything():
    name, other = "uphill", "flatten_by_columns"
    fail, passed = {"outcome": "fail", "reason": FAULTS[name].tells}, {"outcome": "pass", "reason": ""}
    lines = score({name: {FAULTS[name].claim: fail}, other: {FAULTS[other].claim: passed}}).splitlines()
    assert lines[0] == "1 of 2 faults detected by the claims about them"
    assert lines[1] == f"  not detected: {other} by {FAULTS[other].claim} (pass)"
    never = {line.split()[1] for line in lines if line.startswith("  never: ")}
    assert FAULTS[name].claim not in never
    assert FAULTS[other].claim in never


def test_a_fault_names_a_function_and_a_claim_that_needs_it():
    claims = specification().claims
    assert [name for name, fault in FAULTS.items() if fault.function not in claims[fault.claim].needs] == []


def test_the_command_prints_the_score(capsys):
    assert execute(catalogue.main, "catalogue", ["uphill", "--own-claims"]) == 0
    assert capsys.readouterr().out.startswith("1 of 1 faults detected")


def test_the_readme_shows_what_is_told():
    name = "activation_before_bias"
    shown = run_faults([name])[name][FAULTS[name].claim]["reason"]
    assert "".join(f"  {line}\n" for line in shown.splitlines()) in README.read_text(encoding="utf-8")
