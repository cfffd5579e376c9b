"""Claims call the functions that they name, and no other: a test that calls nothing of the implementation cannot fail.

A claim that needs nothing is a fact about the document.
"""

import os
from collections import defaultdict

import pytest
from doubles import coverage
from doubles.coverage import COLUMNS, PAGE, WITH_FRAMEWORK, groups, needs, record, record_core, table

from assay.specification import index
from assay.specification.claims import specification
from assay.specification.index import tests_folder


def by_claim(recorded):
    """Return what each claim called or asked for."""
    found = defaultdict(set)
    for test in recorded["tests"]:
        for claim in test["claims"]:
            found[claim] |= set(test["calls"] if "calls" in test else test["groups"])
    return found


@pytest.fixture(scope="module", params=["numpy", "reference"])
def recorded(request, tmp_path_factory):
    """Run core once, and return the implementation and what it recorded."""
    if "ASSAY_RECORD_ALL" not in os.environ:
        pytest.skip("core runs once more: ASSAY_RECORD_ALL=1 asks for it")
    return request.param, record_core(tmp_path_factory.mktemp("core"), request.param)


def test_every_claim_asks_for_the_groups_that_it_needs(tmp_path):
    found = by_claim(record(tmp_path, "reference", "--profile", "full", "--collect-only"))
    claims = specification().claims
    assert found.keys() == claims.keys()
    assert {id_: asked for id_, asked in found.items() if asked != groups(claims[id_].needs)} == {}


def test_every_claim_calls_the_functions_that_it_needs(recorded):
    implementation, found = recorded[0], by_claim(recorded[1])
    expected = needs(implementation)
    assert found.keys() == expected.keys()
    # Without the Nietzsche text a claim about it calls nothing, and without a network one about ImageNet's weights.
    silent = {id_ for id_, called in found.items() if not called}
    outside = ("nietzsche", "imagenet")
    known = {
        id_ for test in index.read(tests_folder()) if any(map(test.source.__contains__, outside)) for id_ in test.claims
    }
    assert silent <= known
    differing = {id_: called for id_, called in found.items() if id_ not in silent and called != expected[id_]}
    assert {id_: (sorted(called), sorted(expected[id_])) for id_, called in differing.items()} == {}


def test_every_function_is_tested_with_all_that_the_table_of_coverage_has(recorded):
    implementation, found = recorded
    with_framework = implementation != "numpy"
    rows = {
        name: row
        for name, row in table(found["functions"]).items()
        if with_framework == bool(WITH_FRAMEWORK & groups({name}))
    }
    assert {name for name, row in rows.items() for column in COLUMNS if not row[column]} == set()
    published = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            name, *texts = (part.strip() for part in line.strip("|").split("|"))
            published[name.strip("`")] = dict(zip(COLUMNS, texts, strict=True))
    assert published.keys() == {*coverage.contract_functions()}
    # Chance and library versions decide the rest: the page must not claim more than what is recorded.
    missing = {
        name: {*published[name]["ranks"].split(", ")} - {*row["ranks"].split(", ")} for name, row in rows.items()
    }
    assert {name: ranks for name, ranks in missing.items() if ranks} == {}
