"""The matrix of versions in the repository: it is whole, and says what the expectations say."""

import re
from pathlib import Path

import pytest

from assay.ledger import expectations
from assay.reports import matrix
from assay.specification.claims import specification

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = matrix.read(ROOT / "reference" / "results" / "versions.json")
PAGE = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
# Which expectations were known to the run of a version; the others had none.
EXPECTED = {
    "TensorFlow 2.13": "keras-2",
    "TensorFlow 2.15": "keras-2",
    "tf-keras 2.21": "keras-2",
    "Keras 3.0": "keras-3.0",
    "Keras nightly": "keras-nightly",
}
NAMES = [version["name"] for version in VERSIONS["versions"]]


@pytest.mark.parametrize("version", VERSIONS["versions"], ids=NAMES)
def test_every_version_was_put_to_all_claims_of_core_and_conforms(version):
    outcomes = {outcome for outcome, count in version["counts"].items() if count}
    assert version["complete"]
    assert outcomes <= {"pass", "expected failure"}


def test_claims_are_those_of_the_specification():
    known = specification().claims.keys()
    assert [claim["id"] for claim in VERSIONS["claims"] if claim["id"] not in known] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_fails_is_what_is_expected(name):
    path = ROOT / "reference" / "expectations" / f"{EXPECTED.get(name)}.toml"
    expected = {each.claim for each in expectations.read(path)} if name in EXPECTED else set()
    failed = {claim["id"] for claim in VERSIONS["claims"] if claim["outcomes"][name] == "expected failure"}
    # Claims that are newer than the matrix have no outcome in it.
    assert failed == expected & {claim["id"] for claim in VERSIONS["claims"]}


# A file may have findings alone, which no run needs.
FILES = [path for path in sorted((ROOT / "reference" / "expectations").iterdir()) if expectations.read(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tox_runs_a_version_with_these_expectations(path):
    assert f"reference/expectations/{path.name}" in (ROOT / "tox.ini").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", VERSIONS["versions"], ids=NAMES)
def test_the_readme_has_the_counts(version):
    row = re.search(rf"^\| {re.escape(version['name'])} \| .* \| (\d+) \| (\d*) \|$", PAGE, re.MULTILINE)
    assert row
    counts = [version["counts"][outcome] for outcome in ("pass", "expected failure")]
    assert [int(cell or 0) for cell in row.groups()] == counts


def test_histories_follow_from_the_outcomes():
    histories = {claim["id"]: matrix.history(claim["outcomes"]) for claim in VERSIONS["claims"]}
    assert {claim["id"]: claim["history"] for claim in VERSIONS["claims"]} == histories
