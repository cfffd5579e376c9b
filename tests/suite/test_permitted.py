"""Where the document decides nothing: every permitted result passes and is reported."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest
from doubles.otherwise import FLAX, PYTORCH, As

from assay.adapters.proxy import NonConformanceError
from assay.specification.claims import FOLDER, Claim, Permitted, Unspecified, specification
from assay.specification.index import tests_folder
from assay.testing.permitted import Results

CLAIM = Claim(
    "one.first",
    "One and one are two.",
    "one",
    (1,),
    "exact",
    (),
    "core",
    "0.1",
    unspecified=Unspecified("Which one?", (Permitted("small", "It is 1."), Permitted("large", "It is 2."))),
)


def look_for_results(*answers: float, alike: bool = True) -> list[str]:
    """Look for the results of some answers, 3 being both, and return the keys of those that were seen."""
    results = Results(CLAIM)
    for answer in answers:
        results({"small": partial(is_, answer, 1, 3), "large": partial(is_, answer, 2, 3)}, alike=alike)
    return results.seen


def is_(answer: float, *expected: float) -> None:
    if answer not in expected:
        msg = f"it is {answer}"
        raise NonConformanceError(msg)


@pytest.mark.parametrize(
    ("answers", "seen"), [([2, 2], ["large"]), ([1, 2], ["small", "large"]), ([3], []), ([3, 2, 3], ["large"])]
)
def test_the_result_that_is_seen_is_told(answers: list[float], seen: list[str]) -> None:
    assert look_for_results(*answers) == seen


def test_one_that_was_seen_before_is_looked_at_first() -> None:
    assert look_for_results(2, 3, alike=False) == ["large"]


def test_no_other_result_is_allowed() -> None:
    with pytest.raises(NonConformanceError, match=r"^it is 5\n  as small: It is 1\.\n  nor is it large: It is 2\.$"):
        look_for_results(5)


def test_a_test_that_knows_other_results_than_its_claim_is_told() -> None:
    with pytest.raises(LookupError, match=r"one\.first .*small, large.*small"):
        Results(CLAIM)({"small": lambda: None})


def test_an_error_of_the_adapter_is_no_result() -> None:
    with pytest.raises(ZeroDivisionError):
        Results(CLAIM)({"small": lambda: 1 / 0, "large": lambda: None})


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(PYTORCH, id="pytorch"),
        pytest.param(FLAX, id="flax"),
    ],
)
def test_what_other_frameworks_do_passes_and_is_told(other: As, tmp_path: Path) -> None:
    results = tmp_path / "ledger.json"
    attribute = {PYTORCH: "pytorch", FLAX: "flax"}[other]
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(tests_folder()), "-p", "assay.runner.plugin", "-n", "0"),
            *("--import-mode=importlib", "--implementation", f"doubles.otherwise:reference_as.{attribute}"),
            *("--results", str(results), *(option for id_ in other.results for option in ("--claim", id_))),
        ],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])])},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    rows = json.loads(results.read_text(encoding="utf-8"))["claims"]
    assert {row["id"]: (row["outcome"], row.get("results")) for row in rows} == {
        id_: ("pass", [key] if key else None) for id_, key in other.results.items()
    }


def test_tests_accept_several_results_by_the_claims_list_alone() -> None:
    # Chance decides whether dropout keeps the only number that there is.
    by_chance = {"test_compile_fit_training.py: losses in ([0], [4])"}
    assert {found for path in tests_folder().glob("test_*.py") for found in several(path)} == by_chance


def several(path: Path) -> list[str]:
    """Return the assertions of a file that something is one of several constants, and errors that are let go."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    one_of = [
        node.test
        for node in nodes
        if isinstance(node, ast.Assert)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.ops[0], ast.In)
        and isinstance(node.test.comparators[0], ast.Set | ast.Tuple | ast.List)
    ]
    let_go = [node for node in nodes if isinstance(node, ast.Name | ast.Attribute) and "suppress" in ast.unparse(node)]
    return [f"{path.name}: {ast.unparse(node)}" for node in [*one_of, *let_go]]


def test_every_question_is_asked_by_a_claim() -> None:
    asked = {claim.unspecified for claim in specification().claims.values() if claim.unspecified}
    assert len(asked) == len(tomllib.loads((FOLDER / "unspecified.toml").read_text(encoding="utf-8")))
