"""Shards: every claim in one of them, about as much in each, and joined what one run would have found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import ledger, typed

from assay.cli import claim_costs
from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger.merge import Whole, merge
from assay.ledger.verdict import verdict
from assay.specification import index, shards
from assay.specification.claims import specification
from assay.specification.index import ExecutableClaim
from assay.specification.profiles import PROFILES
from assay.specification.shards import Shard, claims_of

if TYPE_CHECKING:
    from .conftest import Ended, Shell

TESTS = index.read(index.tests_folder())


def share_out(held: tuple[str, ...], seconds: dict[str, float], of: int, *tests: tuple[str, ...]) -> list[str]:
    """Return the claims of each shard, where single letters are claims with tests of their own, and those given."""
    own = [ExecutableClaim("test_a.py", f"test_{id_}", (id_,)) for id_ in held]
    joint = [ExecutableClaim("test_a.py", f"test_{'_'.join(ids)}", ids) for ids in tests]
    return ["".join(claims_of(Shard(number, of), held, [*own, *joint], seconds)) for number in range(1, of + 1)]


# How claims are shared out


def test_the_most_expensive_goes_first_and_to_the_shard_that_has_the_least() -> None:
    seconds = {"a": 3.0, "b": 3.0, "c": 5.0, "d": 4.0, "e": 3.0}
    # c | d, then a to d, then b to c, then e to d and a.
    assert share_out(tuple("abcde"), seconds, 2) == ["bc", "ade"]


def test_of_equal_claims_the_first_by_name_goes_first() -> None:
    assert share_out(tuple("dcba"), dict.fromkeys("abcd", 1.0), 2) == ["ca", "db"]


def test_a_claim_that_was_never_measured_costs_the_median() -> None:
    assert share_out(tuple("abcx"), {"a": 1.0, "b": 2.0, "c": 9.0}, 3) == ["c", "ab", "x"]


def test_claims_that_share_a_test_stay_together_however_they_are_joined() -> None:
    seconds = dict.fromkeys("abcdef", 1.0)
    assert share_out(tuple("abcdef"), seconds, 2, ("a", "f"), ("f", "c"), ("c", "d")) == ["acdf", "be"]


def test_a_claim_of_another_profile_joins_but_is_not_run() -> None:
    seconds = {"a": 1.0, "b": 3.0, "c": 1.0, "z": 9.0}
    assert share_out(tuple("abc"), seconds, 2, ("a", "z"), ("z", "c")) == ["b", "ac"]


@pytest.mark.parametrize("of", [1, 2, 3, 7])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_shards_of_a_profile_have_every_claim_once_and_no_test_is_divided(profile: str, of: int) -> None:
    held, seconds = specification().of_profile(profile), shards.costs(profile)
    found = [claims_of(Shard(number, of), held, TESTS, seconds) for number in range(1, of + 1)]
    assert sorted(id_ for shard in found for id_ in shard) == sorted(held)
    divided = [test for test in TESTS if sum(not set(shard).isdisjoint(test.claims) for shard in found) > 1]
    assert divided == []


@pytest.mark.parametrize("profile", ["core", "full"])
def test_shards_differ_by_no_more_than_one_part(profile: str) -> None:
    held, seconds = specification().of_profile(profile), shards.costs(profile)
    usual = median(seconds.values())
    loads = [
        sum(seconds.get(id_, usual) for id_ in claims_of(Shard(number, 4), held, TESTS, seconds))
        for number in range(1, 5)
    ]
    # The last part went to the shard that had the least: without it, the longest is no longer than the shortest.
    assert max(loads) - min(loads) <= max(seconds.values())


def test_more_shards_than_parts_are_refused() -> None:
    with pytest.raises(UserError) as raised:
        share_out(tuple("abc"), dict.fromkeys("abc", 1.0), 3, ("a", "b"))
    assert (raised.value.kind, re.findall(r"\d", str(raised.value))) == (ErrorKind.INVALID_ARGUMENT, ["3", "2"])


# What claims cost


def test_the_time_of_a_test_of_several_claims_is_shared_out() -> None:
    content = ledger(relu="pass", tanh="pass", zeros="pass")
    both, own = ("dense.relu", "dense.tanh"), ("dense.tanh",)
    tests = [ExecutableClaim("test_a.py", "test_both", both), ExecutableClaim("test_a.py", "test_own", own)]
    # zeros has no test any more.
    assert claim_costs.measure(typed(content), tests) == {"dense.relu": 0.5, "dense.tanh": 0.6667}


def test_costs_are_taken_over_from_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "costs.json"
    file.write_text("{}")
    for module in (claim_costs, shards):
        monkeypatch.setattr(module, "COSTS", file)
    for profile in ("core", "full"):
        (tmp_path / "ledger.json").write_text(json.dumps(ledger(relu="pass") | {"profile": profile}))
        claim_costs.update(tmp_path / "ledger.json")
    assert [shards.costs(profile) for profile in PROFILES] == [{"dense.relu": 1.0}] * 3


@pytest.mark.parametrize(
    "changes",
    [{"profile": "smoke"}, {"shard": {"number": 1, "of": 2}}, {"complete": False}, ledger(relu="timeout")],
    ids=["smoke", "a shard", "incomplete", "a failure"],
)
def test_costs_are_those_of_all_claims(changes: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "ledger.json").write_text(json.dumps(ledger(relu="pass") | changes))
    with pytest.raises(UserError) as raised:
        claim_costs.update(tmp_path / "ledger.json")
    assert raised.value.kind == ErrorKind.INCOMPLETE_LEDGER


# Runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, shell_in: Any) -> dict[str, Ended]:
    """Put an implementation with all sorts of trouble to the smoke profile: in one run, and in two shards."""
    options = ("--profile", "smoke", "--results", "ledger.json", "--report", "ledger.md")
    started = {
        name: shell_in(tmp_path_factory.mktemp("run")).start(
            *("-m", "assay", "run", "doubles.badly_behaved:wrong_results", *options, "-n", processes, *shard)
        )
        for name, processes, shard in (("whole", 0, ()), ("1", 0, ("--shard", "1/2")), ("2", 1, ("--shard", "2/2")))
    }
    return {name: running.wait() for name, running in started.items()}


def without_seconds(content: dict[str, Any]) -> dict[str, Any]:
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in content["claims"]]
    return {key: value for key, value in content.items() if key != "time"} | {"claims": rows}


def test_a_shard_is_complete_and_says_which_it_is(runs: dict[str, Ended]) -> None:
    found = runs["1"].ledger
    assert (found["shard"], found["complete"]) == ({"number": 1, "of": 2}, True)
    assert f"profile smoke, shard 1 of 2 ({len(found['claims'])} claims), seed 0" in runs["1"].output
    assert "(shard 1 of 2): " in runs["1"].output
    assert "It is shard 1 of 2, and so a part of its profile." in (runs["1"].folder / "ledger.md").read_text()
    assert "shard" not in runs["whole"].ledger


def test_rows_have_the_digest_of_their_claim(runs: dict[str, Ended]) -> None:
    digests = index.digests(specification(), TESTS)
    rows = runs["whole"].ledger["claims"]
    assert {row["id"]: row["digest"] for row in rows} == {row["id"]: digests[row["id"]] for row in rows}


def test_the_shards_joined_are_the_ledger_of_one_run(runs: dict[str, Ended], shell: Shell) -> None:
    files = [runs[number].folder / "ledger.json" for number in ("2", "1")]
    ended = shell.assay("merge", *files, "-o", "ledger.json")
    assert without_seconds(ended.ledger) == without_seconds(runs["whole"].ledger)
    assert list(ended.ledger) == [key for key in runs["whole"].ledger if key != "time"]
    assert ended.code == runs["whole"].code == ExitCode.NOT_CONFORMANT


def test_a_missing_shard_is_named_and_the_rest_is_written_all_the_same(runs: dict[str, Ended], shell: Shell) -> None:
    ended = shell.assay("merge", runs["2"].folder / "ledger.json", "-o", "ledger.json")
    # What fails in one shard settles the matter.
    assert (ended.code, ended.ledger["complete"]) == (ExitCode.NOT_CONFORMANT, False)
    assert "shard 1 of 2 is missing\n" in ended.output
    assert len(ended.ledger["claims"]) == len(runs["2"].ledger["claims"])


@pytest.mark.parametrize(
    ("seconds", "joined"), [("90 s", {"seed": "0", "shard": "", "limit": "90 s"}), ("8 s", {})], ids=["same", "other"]
)
def test_what_is_joined_can_be_resumed_where_the_shards_had_the_same_conditions(
    seconds: str, joined: dict[str, str]
) -> None:
    first = {"conditions": {"seed": "0", "shard": "1/2", "limit": "90 s"}}
    second = {"conditions": {"seed": "0", "shard": "2/2", "limit": seconds}}
    shards = [(Path("1"), typed(shard(1, a="pass") | first)), (Path("2"), typed(shard(2, b="pass") | second))]
    assert merge(shards, specification()).ledger.conditions == joined


# What can be joined


def shard(number: int, of: int = 2, **outcomes: str) -> dict[str, Any]:
    return ledger(shard=Shard(number, of), **outcomes)


def joined(*ledgers: dict[str, Any]) -> Whole:
    files = [(Path(f"{number}.json"), typed(content)) for number, content in enumerate(ledgers, start=1)]
    return merge(files, specification())


def test_what_one_shard_alone_measured_is_kept() -> None:
    first, second = shard(1, relu="pass"), shard(2, tanh="pass")
    first["implementation"] |= {"device": None}
    second["implementation"] |= {"precision": "float32"}
    found = joined(first, second).ledger.implementation
    assert (found.device, found.measured_precision) == ("CPU", "float32")


def test_data_from_several_places_are_all_told() -> None:
    first, second = (shard(number) | {"data": {"mnist": f"place {number}"}} for number in (1, 2))
    assert joined(first, second).ledger.data == {"mnist": "place 1; place 2"}


def test_an_incomplete_shard_makes_an_incomplete_whole() -> None:
    second = ledger(shard=Shard(2, 2), tanh="pass", undecided=("zeros",))
    found = joined(shard(1, relu="pass"), second)
    assert (found.ledger.complete, verdict(found.ledger, specification()).code) == (False, ExitCode.INCOMPLETE)
    assert found.missing == ("shard 2 of 2 is incomplete",)


@pytest.mark.parametrize(
    ("outcome", "code"), [("pass", ExitCode.CONFORMANT), ("fail", ExitCode.NOT_CONFORMANT)], ids=["holds", "fails"]
)
def test_the_exit_code_is_the_verdict_of_the_whole(outcome: str, code: ExitCode) -> None:
    whole = joined(shard(1, relu="pass"), shard(2, tanh=outcome)).ledger
    assert verdict(whole, specification()).code == code


@pytest.mark.parametrize(
    ("second", "named"),
    [
        pytest.param(ledger(tanh="pass"), ["2.json"], id="no shard"),
        pytest.param(shard(1, tanh="pass"), ["2.json", "1.json", "shard 1"], id="the same number"),
        pytest.param(shard(2, relu="pass"), ["2.json", "1.json", "dense.relu"], id="a claim twice"),
        pytest.param(shard(2, of=3), ["number of shards", "3", "2"], id="another count"),
        *(
            pytest.param(shard(2) | {name: value}, [name, str(value)], id=name)
            for name, value in {"suite": "9", "document": "0" * 64, "profile": "full", "seed": 1}.items()
        ),
        *(
            pytest.param(
                shard(2) | {"implementation": shard(2)["implementation"] | {name: value}},
                [name, *values],
                id=name,
            )
            for name, value, values in (
                ("name", "other", ["other", "toy"]),
                ("version", "2", ["2", "1.0"]),
                ("frameworks", {"numpy": "1.0"}, ["{'numpy': '1.0'}", "{'numpy': '2.0'}"]),
                ("groups", [], []),
                ("device", "GPU", ["CPU", "GPU"]),
            )
        ),
    ],
)
def test_what_does_not_belong_together_is_told(second: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        joined(shard(1, relu="pass"), second)
    assert raised.value.kind == ErrorKind.MISMATCHED_SHARDS
    assert [name for name in named if name not in str(raised.value)] == []


def test_a_number_beyond_the_number_of_shards_is_told() -> None:
    with pytest.raises(UserError) as raised:
        joined(shard(1, relu="pass"), shard(3))
    assert (raised.value.kind, "2.json" in str(raised.value)) == (ErrorKind.INVALID_FORMAT, True)
