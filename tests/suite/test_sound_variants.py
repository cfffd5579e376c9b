"""No claim accuses an implementation that is as right as the NumPy implementation, and computes or draws otherwise."""

import pytest
from doubles.sound_variants import VARIANTS, Varied
from doubles.sound_variants.runs import claims_on, run_variants

from assay.contract import PROTOCOLS
from assay.runner.stash import run_key
from assay.specification.shards import costs

# All variants take five minutes, so a run takes every eighth of them, and its seed decides which.
SHARE = 8
# A claim that takes more seconds is left out: these are about whole programs.
LONGEST = 0.5
# The emulator of Breakout decides what these return.
OF_THE_EMULATOR = {"has_breakout", "breakout_actions", "breakout"}


def share(seed):
    """Return the names of the variants of a seed's run: each subject is in every share."""
    return sorted(VARIANTS)[seed % SHARE :: SHARE]


def cheap_claims_on(name, seconds):
    """Return the claims that a run tests a variant with."""
    return [id_ for id_ in claims_on(name) if seconds.get(id_, 0) <= LONGEST]


def test_every_variant_belongs_to_one_share():
    assert sorted(name for seed in range(SHARE) for name in share(seed)) == sorted(VARIANTS)


@pytest.mark.parametrize("group", Varied("relu/where").groups)
def test_every_function_has_a_variant(group):
    functions = {name for name in dir(PROTOCOLS[group]) if not name.startswith("_")} - OF_THE_EMULATOR
    varied = {key.partition(".")[2] for changes in VARIANTS.values() for key in changes if key.startswith(f"{group}.")}
    assert varied == functions


def test_a_variant_exchanges_its_function_alone():
    varied, right = Varied("relu/where"), Varied("relu/clip")
    assert varied.ops.relu.func is VARIANTS["relu/where"]["ops.relu"]
    assert varied.ops.tanh.__func__ is right.ops.tanh.__func__
    assert varied.models is not None


def test_no_claim_accuses_a_sound_variant(pytestconfig):
    seed, seconds = pytestconfig.stash[run_key].seed, costs("core")
    plan = {name: cheap_claims_on(name, seconds) for name in share(seed)}
    found = run_variants(plan, seed)
    assert {name: rows.keys() for name, rows in found.items()} == {name: {*claims} for name, claims in plan.items()}
    accused = {
        f"{id_} of {name}": f"{row['outcome']}: {row.get('reason', '')}"
        for name, rows in found.items()
        for id_, row in rows.items()
        # Without a data set, or without an agent that has learnt enough, a claim can say nothing.
        if row["outcome"] not in {"pass", "skipped"} and "is missing" not in row.get("reason", "")
    }
    assert accused == {}
