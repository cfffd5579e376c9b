"""The GitHub action and the workflow that uses it: what a code host runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doubles.ledgers import ledger

from assay.cli import scaffold
from assay.specification.shards import Shard

ACTION = (Path(__file__).resolve().parents[2] / "action.yml").read_text(encoding="utf-8")
SCRIPTS = {
    match[1]: re.sub(r"^        ", "", match[2], flags=re.MULTILINE)
    for match in re.finditer(r"- name: (.+)\n(?:      .*\n)*?      run: \|\n((?:        .*\n|\n)+)", ACTION)
}
FROM_GITHUB = "assay-conformance @ git+https://github.com/owner/assay@0123abc"
GH = """#!/bin/sh
case "$1 $2" in
  "run list") echo "$LATEST" ;;
  "run download") mkdir assay-main && cp "$MAIN" assay-main/assay-toy.json ;;
esac
"""


def run(script: str, folder: Path, **variables: str) -> tuple[int, dict[str, str]]:
    """Run a step, and return its exit code and its outputs."""
    output = folder / "output"
    output.touch()
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "GITHUB_OUTPUT": str(output)} | variables
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    lines = [line.partition("=") for line in output.read_text().splitlines()]
    return ended.returncode, {name: value for name, _, value in lines}


def test_every_step_with_a_script_is_known() -> None:
    assert len(SCRIPTS) == ACTION.count("      run: |") == 5


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_stranger_may_choose_is_no_part_of_a_script(name: str) -> None:
    # A title of a branch would be run otherwise.
    assert "${{" not in SCRIPTS[name]


def test_every_input_that_is_used_is_declared() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", ACTION))
    declared = set(re.findall(r"^  ([\w-]+):$", ACTION.partition("outputs:")[0], re.MULTILINE))
    assert used == declared


@pytest.mark.parametrize(
    ("fail_on", "code", "comparison", "expected"),
    [
        ("verdict", "0", "0", 0),
        ("verdict", "1", "", 1),
        ("verdict", "0", "1", 1),
        ("verdict", "6", "0", 6),
        ("regression", "1", "0", 0),
        ("regression", "1", "1", 1),
        ("regression", "3", "0", 3),
    ],
)
def test_the_job_fails_as_it_was_asked_to(
    fail_on: str, code: str, comparison: str, expected: int, tmp_path: Path
) -> None:
    found, _ = run(SCRIPTS["Judge"], tmp_path, FAIL_ON=fail_on, RUN=code, COMPARISON=comparison)
    assert found == expected


# The ledgers are those of shards, on which a comparison without a regression gives no verdict.
@pytest.mark.parametrize(("latest", "outcome", "code"), [("7", "fail", "1"), ("7", "pass", "6"), ("", "fail", "0")])
def test_a_pull_request_is_compared_with_the_main_branch(latest: str, outcome: str, code: str, tmp_path: Path) -> None:
    main, new = (ledger(shard=Shard(1, 2), relu=each) for each in ("pass", outcome))
    (tmp_path / "main.json").write_text(json.dumps(main))
    (tmp_path / "assay-toy.json").write_text(json.dumps(new))
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "assay").write_text(f'#!/bin/sh\nexec {sys.executable} -m assay "$@"\n')
    (tmp_path / "assay").chmod(0o755)
    variables = {"NAME": "assay-toy", "BASE": "main", "WORKFLOW": "ci", "LATEST": latest, "MAIN": "main.json"}
    found, outputs = run(SCRIPTS["Compare with the main branch"], tmp_path, **variables)
    comment = (tmp_path / "comment.md").read_text()
    assert (found, outputs) == (0, {"code": code}), comment
    assert comment.startswith("### Assay: toy: ")
    assert ("has no ledger yet" in comment) == (not latest)


def test_the_scaffold_uses_the_action_of_the_assay_that_made_it(tmp_path: Path) -> None:
    scaffold.write("theirs", tmp_path, FROM_GITHUB, frameworks=["torch>=2.4"])
    workflow = (tmp_path / ".github" / "workflows" / "theirs.yml").read_text()
    assert "      - uses: owner/assay@0123abc\n" in workflow
    assert '          requirements: "torch>=2.4"\n' in workflow
    assert "  pull-requests: write\n" in workflow
    assert "\n    torch>=2.4\n" in (tmp_path / "tox.ini").read_text()
    assert 'distributions: Sequence[str] = ("numpy", "torch",)' in (tmp_path / "theirs.py").read_text()


def test_without_an_action_the_scaffold_uses_tox(tmp_path: Path) -> None:
    scaffold.write("theirs", tmp_path, "assay-conformance==0.2.0")
    workflow = (tmp_path / ".github" / "workflows" / "theirs.yml").read_text()
    assert ('tox -e "theirs"' in workflow, "uses: owner" in workflow) == (True, False)
