"""Published results: each is a whole ledger that states the specification it was made with."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.cli import results as command
from assay.errors import ErrorKind, UserError
from assay.ledger import ledger as ledgers
from assay.ledger.outcomes import Outcome
from assay.ledger.verdict import is_complete
from assay.reports import results
from assay.specification import index
from assay.specification.claims import specification

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "results"
INDEX = command.read_index(FOLDER)


@pytest.mark.parametrize("name", INDEX)
def test_a_result_states_the_specification_it_was_made_with(name):
    found, result = command.read_ledger(FOLDER, name), INDEX[name]
    assert found.document == specification().document
    assert all(row.digest for row in found.claims)
    assert result.specification == results.specification_of(found)


@pytest.mark.parametrize("name", INDEX)
def test_a_result_is_a_whole_core_profile_and_explains_its_failures(name):
    found = command.read_ledger(FOLDER, name)
    assert (found.profile, found.shard, found.complete) == ("core", None, True)
    assert all(row.decided for row in found.claims)
    unexplained = [row.id for row in found.claims if not row.outcome.conforms or row.outcome is Outcome.UNEXPECTED_PASS]
    assert unexplained == [], "an expectation with its reason is missing"


def test_the_page_and_the_files_belong_together():
    assert {file.name.removesuffix(".json.gz") for file in FOLDER.glob("*.json.gz")} == {*INDEX}
    page = results.render({name: (INDEX[name], command.read_ledger(FOLDER, name)) for name in INDEX})
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == page


def whole(tmp_path, **changes):
    """Write the ledger of a whole core profile, in which every claim but one passes."""
    digests = index.digests(specification(), index.read(index.tests_folder()))
    rows = [
        {"id": id_, "outcome": "pass", "seconds": 0.123456, "evidence": {"x": 1}, "digest": digests[id_]}
        for id_ in specification().of_profile("core")
    ]
    rows[0] |= {"outcome": "fail", "reason": "one line | with a bar\nand another", "replay": "assay run x"}
    head = {
        "format": 1,
        "suite": "99.0",
        "document": specification().document,
        "implementation": {
            "name": "x",
            "version": "1",
            "frameworks": {"y": "2"},
            "device": "CPU",
            "precision": None,
            "groups": ["ops", "text"],
            "unsupported": ["ops.lstm"],
        },
        "profile": "core",
        "seed": 0,
        "complete": True,
        "data": {},
        "counts": {outcome.value: 0 for outcome in Outcome} | {"pass": len(rows) - 1, "fail": 1},
    }
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(head | {"claims": rows} | changes), encoding="utf-8")
    return path


def test_a_ledger_is_published_without_its_evidence(tmp_path):
    path = whole(tmp_path)
    options = [f"x={path}", "--folder", tmp_path / "results", "--command", "assay run x -n 1"]
    subprocess.run([sys.executable, "-m", "assay.cli.results", *options], check=True, cwd=ROOT)
    found = command.read_ledger(tmp_path / "results", "x")
    assert is_complete(found, specification())
    assert (found.claims[0].reason, found.claims[0].replay, found.claims[1].evidence) == (
        "one line | with a bar",
        "",
        {},
    )
    page = (tmp_path / "results" / "README.md").read_text(encoding="utf-8")
    assert "| x | y 2 | parts of ops, text |" in page
    assert f"| `{found.claims[0].id}` | fail |" in page
    assert "assay run x -n 1" in page
    # The same ledger makes the same files, and a second result stays beside the first.
    before = (tmp_path / "results" / "x.json.gz").read_bytes()
    command.publish(tmp_path / "results", "x", path, "assay run x -n 1")
    command.publish(tmp_path / "results", "z", path, "assay run z")
    assert (tmp_path / "results" / "x.json.gz").read_bytes() == before
    assert [*command.read_index(tmp_path / "results")] == ["x", "z"]


@pytest.mark.parametrize("changes", [{"complete": False}, {"profile": "smoke"}, {"claims": []}])
def test_a_part_of_the_core_profile_is_not_published(tmp_path, changes):
    counts = {"counts": {outcome.value: 0 for outcome in Outcome}} if "claims" in changes else {}
    path = whole(tmp_path, **changes, **counts)
    with pytest.raises(UserError) as raised:
        command.publish(tmp_path / "results", "x", path, "assay run x")
    assert (raised.value.kind, str(path) in str(raised.value)) == (ErrorKind.INCOMPLETE_LEDGER, True)


def test_another_specification_has_another_digest(tmp_path):
    found = ledgers.read(whole(tmp_path))
    changed = [
        row if number else type(row)(row.id, row.outcome, 0, row.reason) for number, row in enumerate(found.claims)
    ]
    other = type(found)(**{name: getattr(found, name) for name in found.__struct_fields__} | {"claims": tuple(changed)})
    assert results.specification_of(other) != results.specification_of(found)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(None, ErrorKind.MISSING_FILE, id="missing"),
        pytest.param(b"nothing", ErrorKind.INVALID_FORMAT, id="damaged"),
        pytest.param(gzip.compress(b"{}"), ErrorKind.INVALID_FORMAT, id="no ledger"),
    ],
)
def test_a_damaged_file_is_an_error_of_the_user(content, kind, tmp_path):
    path = tmp_path / "x.json.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        command.read_ledger(tmp_path, "x")
    assert (raised.value.kind, str(path) in str(raised.value)) == (kind, True)
