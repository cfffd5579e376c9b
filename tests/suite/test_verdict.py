"""The verdict: what a ledger comes to, and how much of the specification that speaks of."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import ledger, typed

from assay.errors import ErrorKind, ExitCode
from assay.ledger.verdict import Conformance, Verdict, is_complete, verdict
from assay.specification.claims import specification
from assay.specification.index import tests_folder

from .conftest import read_kind

if TYPE_CHECKING:
    from .conftest import Shell

REAL = specification()
FACT = next(claim for claim in REAL.claims.values() if claim.is_fact and claim.profile == "core")


def judge(*, required: tuple[str, ...] = (), claims: tuple[str, ...] = (), **outcomes: str) -> Verdict:
    content = ledger(**outcomes) | ({"required": required} if required else {})
    return verdict(typed(content), REAL, claims)


def whole(outcome: str = "pass", **changes: Any) -> dict[str, Any]:
    """Return the ledger of a run of core by this version of the suite, in which every claim came out like this."""
    content = ledger() | {"suite": "0.2.0"} | changes
    row = {"outcome": outcome, "seconds": 0.0} | ({} if outcome == "pass" else {"reason": "why"})
    return content | {"claims": [row | {"id": id_} for id_ in REAL.of_profile("core")]}


@pytest.mark.parametrize(
    ("outcomes", "kind", "code"),
    [
        ({"relu": "pass"}, Conformance.FULL, ExitCode.CONFORMANT),
        ({"relu": "pass", "tanh": "expected_failure"}, Conformance.FULL, ExitCode.CONFORMANT),
        ({"relu": "pass", "tanh": "skipped"}, Conformance.FULL, ExitCode.CONFORMANT),
        ({"relu": "pass", "tanh": "unsupported"}, Conformance.PARTIAL, ExitCode.CONFORMANT),
        ({"relu": "unsupported", "tanh": "unsupported"}, Conformance.UNTESTED, ExitCode.INCOMPLETE),
        ({"relu": "skipped"}, Conformance.UNTESTED, ExitCode.INCOMPLETE),
        ({}, Conformance.UNTESTED, ExitCode.INCOMPLETE),
        ({"relu": "pass", "undecided": ("tanh",)}, Conformance.INCOMPLETE, ExitCode.INCOMPLETE),
        *(
            ({"relu": "pass", "tanh": outcome, "undecided": ("zeros",)}, Conformance.NONE, ExitCode.NOT_CONFORMANT)
            for outcome in ("fail", "error", "crash", "timeout", "unexpected_pass")
        ),
    ],
)
def test_a_ledger_comes_to(outcomes: dict[str, Any], kind: Conformance, code: ExitCode) -> None:
    found = judge(**outcomes)
    assert (found.conformance, found.code) == (kind, code)


def test_a_required_group_that_is_not_declared_fails_the_run() -> None:
    assert judge(relu="pass", required=("ops",)).conformance is Conformance.FULL
    missing = judge(relu="pass", required=("ops", "keras"))
    assert (missing.conformance, "keras" in missing.reason) == (Conformance.NONE, True)


@pytest.mark.parametrize("outcome", ["pass", "fail"])
def test_facts_about_the_document_count_neither_for_nor_against_an_implementation(outcome: str) -> None:
    content = ledger(relu="pass", tanh="unsupported")
    fact = {"id": FACT.id, "outcome": outcome, "seconds": 0.0} | ({} if outcome == "pass" else {"reason": "why"})
    alone = verdict(typed(content | {"claims": [fact]}), REAL)
    beside = verdict(typed(content | {"claims": [*content["claims"], fact]}), REAL)
    assert replace(beside.scope, facts=0) == verdict(typed(content), REAL).scope
    expected = {
        "pass": (Conformance.UNTESTED, Conformance.PARTIAL),
        # The document and the suite contradict each other, and no implementation is to blame for it.
        "fail": (Conformance.BROKEN, Conformance.BROKEN),
    }
    assert (alone.conformance, beside.conformance) == expected[outcome]


@pytest.mark.parametrize("outcome", ["unsupported", "skipped"])
def test_claims_asked_for_that_were_not_tested_have_no_verdict(outcome: str) -> None:
    found = judge(claims=("dense.relu",), relu=outcome, tanh="pass")
    assert (found.conformance, found.code) == (Conformance.UNTESTED, ExitCode.INCOMPLETE)


def test_claims_asked_for_of_which_one_has_no_row_have_no_verdict() -> None:
    assert judge(claims=("dense.relu", "dense.zeros"), relu="pass").conformance is Conformance.INCOMPLETE
    assert judge(claims=("dense.relu",), relu="pass", undecided=("zeros",)).conformance is Conformance.FULL


def test_a_claim_of_which_not_every_case_ran_is_not_decided() -> None:
    content = ledger(relu="pass", tanh="pass")
    content["claims"][0]["decided"] = False
    assert verdict(typed(content), REAL).conformance is Conformance.INCOMPLETE


@pytest.mark.parametrize("count", [0, 1, 500])
def test_a_ledger_that_calls_itself_complete_is_checked_against_the_specification(count: int) -> None:
    content = whole()
    assert is_complete(typed(content), REAL)
    content["claims"] = content["claims"][:count]
    assert not is_complete(typed(content | {"complete": True}), REAL)
    assert verdict(typed(content | {"complete": True}), REAL).code == ExitCode.INCOMPLETE


def test_the_scope_counts_groups_and_claims() -> None:
    content = whole()
    opted_out = {id_ for id_, claim in REAL.claims.items() if claim.groups - {"ops"}}
    for row in content["claims"]:
        if row["id"] in opted_out:
            row |= {"outcome": "unsupported", "reason": "not declared"}
    scope = verdict(typed(content), REAL).scope
    core = [claim for claim in REAL.of_profile("core").values() if not claim.is_fact]
    tested = [claim for claim in core if claim.id not in opted_out]
    assert (scope.groups, scope.passed, scope.claims) == (("ops",), len(tested), len(core))
    assert str(scope) == (
        f"1 of {len(scope.groups_needed)} groups: {len(tested)} of {len(core)} claims pass,"
        f" {len(core) - len(tested)} need groups it does not declare"
    )


# Runs


def test_an_adapter_without_groups_gets_no_verdict(shell: Shell) -> None:
    ended = shell.dense("without_groups")
    assert (ended.code, "no verdict" in ended.output) == (ExitCode.INCOMPLETE, True)
    assert "conformant" not in ended.output


@pytest.mark.parametrize("processes", [0, 2])
def test_a_required_group_fails_a_run(shell: Shell, processes: int) -> None:
    ended = shell.dense("good", "--claim", "dense.relu", "--require", "keras", processes=processes)
    assert (ended.code, ended.ledger["required"]) == (ExitCode.NOT_CONFORMANT, ["keras"])


def test_an_unknown_required_group_is_refused(shell: Shell) -> None:
    ended = shell.assay("run", "numpy", "--require", "opera")
    assert (ended.code, read_kind(ended.output)) == (ExitCode.USAGE, ErrorKind.INVALID_ARGUMENT)
    assert "--require opera" in ended.output


TEST = "test_bias_broadcasts"


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("narrowed", ["deselect", "keyword", "node id", "last failed"])
def test_a_claim_of_which_a_run_was_narrowed_to_some_cases_is_not_decided(
    shell: Shell, narrowed: str, processes: int
) -> None:
    file = tests_folder() / "test_dense.py"
    options: dict[str, list[object]] = {
        "deselect": [file, "--rootdir", "/", "--deselect", f"{os.path.relpath(file, '/')}::{TEST}[3-3]"],
        "keyword": [file, "-k", f"{TEST} and 2-3"],
        "node id": [f"{file}::{TEST}[2-3]"],
        "last failed": [file, "--lf"],
    }
    common = ["--claim", "dense.bias-broadcasts", "-p", "assay.runner.plugin", "--import-mode=importlib"]
    common += ["--implementation", "doubles.badly_behaved:good", "--results", "ledger.json", "-n", str(processes)]
    if narrowed == "last failed":
        cache = shell.folder / "cache" / "v" / "cache"
        cache.mkdir(parents=True)
        (cache / "lastfailed").write_text(json.dumps({f"{os.path.relpath(file, '/')}::{TEST}[2-3]": True}))
        common += ["-o", f"cache_dir={shell.folder / 'cache'}", "--rootdir", "/"]
    ended = shell.python("-m", "pytest", *options[narrowed], *common)
    (row,) = ended.ledger["claims"]
    assert (ended.code, row["outcome"], row["decided"]) == (ExitCode.INCOMPLETE, "pass", False), ended.output


def test_a_claim_of_which_every_case_ran_is_decided(shell: Shell) -> None:
    ended = shell.dense("good", "--claim", "dense.bias-broadcasts")
    (row,) = ended.ledger["claims"]
    assert (ended.code, row["outcome"], "decided" in row) == (ExitCode.CONFORMANT, "pass", False)
