"""Findings: each program fails where its framework has the defect, and the page is that of the files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator
from packaging.specifiers import SpecifierSet

from assay.cli import findings as command
from assay.errors import ErrorKind, UserError
from assay.ledger import expect
from assay.ledger.expectations import Expectation, read_file
from assay.reports import findings
from assay.specification.claims import specification

ROOT = Path(__file__).resolve().parents[2]
FILES = command.read_all()
FINDINGS = {finding.id: finding for content in FILES.values() for finding in content.finding}
SCHEMA = ROOT / "assay" / "ledger" / "expectations.schema.json"
NODE_MODULES = ROOT / "alternatives" / "tensorflow_js" / "node_modules"
SECONDS = 120


def require_version(finding, version):
    """Skip the test where the installed version is none of the finding's."""
    if version not in SpecifierSet(finding.versions, prereleases=True):
        pytest.skip(f"{finding.framework} {version} is none of {finding.versions}")


def python_program(finding, folder):
    """Write a reproduction in Python, and return the command that runs it."""
    try:
        require_version(finding, metadata.version(finding.framework))
    except metadata.PackageNotFoundError:
        pytest.skip(f"{finding.framework} is not installed")
    (folder / "finding.py").write_text(finding.reproduction, encoding="utf-8")
    return [sys.executable, "finding.py"]


def javascript_program(finding, folder):
    """Write a reproduction in JavaScript, and return the command that runs it."""
    node, package = shutil.which("node"), NODE_MODULES / finding.framework / "package.json"
    if node is None or not package.exists():
        pytest.skip(f"{finding.framework} or Node.js is not installed")
    require_version(finding, json.loads(package.read_text(encoding="utf-8"))["version"])
    (folder / "finding.js").write_text(finding.reproduction, encoding="utf-8")
    # Programs find packages in the folders above them.
    (folder / "node_modules").symlink_to(NODE_MODULES, target_is_directory=True)
    return [node, "finding.js"]


def cpp_program(finding, folder):
    """Compile a reproduction in C++, and return the command that runs it."""
    compiler, header = shutil.which("g++"), Path("/usr/include/oneapi/dnnl/dnnl.hpp")
    if compiler is None or not header.exists():
        pytest.skip(f"{finding.framework} or a compiler is not installed")
    (folder / "finding.cpp").write_text(finding.reproduction, encoding="utf-8")
    subprocess.run([compiler, "-std=c++17", "finding.cpp", "-ldnnl", "-o", "finding"], cwd=folder, check=True)
    return [folder / "finding"]


PROGRAMS = {"python": python_program, "javascript": javascript_program, "cpp": cpp_program}


def run(finding, folder):
    """Run a reproduction; skip it where its framework, or a version that has the defect, is not installed."""
    program = PROGRAMS[finding.language](finding, folder)
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)


@pytest.mark.parametrize("id_", FINDINGS)
def test_a_reproduction_shows_the_defect(id_, tmp_path):
    finding = FINDINGS[id_]
    ended = run(finding, tmp_path)
    if "ModuleNotFoundError" in ended.stderr:
        pytest.skip(ended.stderr.strip().splitlines()[-1])
    assert ended.returncode != 0, f"{finding.framework} does not have the defect any more: narrow its versions"
    # A process that is killed by a signal has the defect of crashing. A mistake in the program itself does not count as
    # a finding, but an error that a framework raises may.
    shown = ended.returncode < 0 or "AssertionError" in ended.stderr or finding.language == "cpp"
    raised = any(words in ended.stderr for words in ("/site-packages/", finding.framework, "throw new Error("))
    assert shown or raised, ended.stderr


def test_the_page_is_that_of_the_files():
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert page == findings.render(FILES), "Run `python -m assay.cli.findings -o docs/findings.md`"


def test_findings_name_claims_and_have_ids_of_their_own():
    every = [finding for content in FILES.values() for finding in content.finding]
    assert len({finding.id for finding in every}) == len(every)
    for finding in every:
        assert [id_ for id_ in finding.claims if id_ not in specification().claims] == []
        assert str(SpecifierSet(finding.versions))
        assert finding.link or finding.status == "not reported"


@pytest.mark.parametrize("name", FILES)
def test_files_have_the_form_of_their_schema(name):
    content = msgspec.to_builtins(tomllib.loads((ROOT / name).read_text(encoding="utf-8")))
    assert [*Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(content)] == []


def test_new_expectations_keep_findings(tmp_path):
    file = tmp_path / "flax.toml"
    shutil.copy(ROOT / "alternatives" / "expectations" / "flax.toml", file)
    expect.write(file, [Expectation("dense.relu", "it is negative", "https://example.org")])
    content = read_file(file)
    assert [one.claim for one in content.expectation] == ["dense.relu"]
    assert content.finding == FILES["alternatives/expectations/flax.toml"].finding


def test_a_finding_without_a_reproduction_is_rejected(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text('[[finding]]\nid = "x"\nframework = "y"\n', encoding="utf-8")
    with pytest.raises(UserError) as raised:
        read_file(file)
    assert (raised.value.kind, "entry 1 (x)" in str(raised.value)) == (ErrorKind.INVALID_EXPECTATIONS, True)


def test_the_command_writes_the_page(tmp_path):
    output = tmp_path / "findings.md"
    subprocess.run([sys.executable, "-m", "assay.cli.findings", "-o", output], check=True, cwd=ROOT)
    assert output.read_text(encoding="utf-8") == findings.render(FILES)
