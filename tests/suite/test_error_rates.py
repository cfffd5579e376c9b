"""How often a sound implementation fails by chance: counted by the tests themselves, added up, and documented."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.ledger.ledger import read
from assay.specification.claims import specification
from assay.specification.profiles import PROFILES
from assay.survey import error_rates
from assay.survey.error_rates import Decided
from assay.testing import decisions, thresholds
from assay.testing.chances import chance_of_share
from assay.testing.decisions import Level
from assay.testing.thresholds import DETECTION, FALSE_ALARM, RATE
from conftest import ENVIRONMENT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "error-rates.md"
# Claims whose tests take different kinds of decisions.
COUNTED = ["dense.glorot-distribution", "dense.glorot-reaches-limit", "generation.every-class"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_run_accuses_a_sound_implementation_less_than_once_in_10000(profile):
    assert error_rates.total(error_rates.of_profile(profile, error_rates.read())) < error_rates.MOST


def test_the_page_is_that_of_what_is_stored():
    assert PAGE.read_text(encoding="utf-8") == error_rates.as_markdown()


def test_every_statistical_claim_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    claims = [claim.id for claim in specification().claims.values() if claim.kind == "statistical"]
    assert claims
    assert [id_ for id_ in claims if f"| `{id_}` |" not in page] == []


def test_a_run_counts_the_decisions_that_are_stored(tmp_path):
    words = [word for id_ in COUNTED for word in ("--claim", id_)]
    command = [sys.executable, "-m", "assay", "run", "numpy", *words, "-n", "0", "--no-fetch", "--results=one.json"]
    subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    rows, known = read(tmp_path / "one.json").rows, error_rates.read()["core"]
    assert {id_: rows[id_].evidence["false_alarm"] / RATE for id_ in COUNTED} == pytest.approx(
        {id_: known[id_].decisions for id_ in COUNTED}
    )


@pytest.fixture(autouse=True)
def nothing_noted():
    """Forget what other tests have decided."""
    decisions.take()


@pytest.mark.parametrize("kind", [float, np.float64, np.float32])
def test_each_comparison_with_a_level_is_a_decision(kind):
    level = Level(1e-3)
    assert kind(0.5) > level
    assert not kind(1e-5) >= level
    assert level < kind(0.5)
    assert not kind(0.5) < level
    assert decisions.take().false_alarm == pytest.approx(4e-3)


def test_parts_of_a_level_and_limits_from_it_are_counted():
    level = Level(1e-3)
    assert all(level / 4 < 0.5 for _ in range(4))
    assert (np.array([0.5, 1e-9]) > level).tolist() == [True, False]
    assert decisions.take().false_alarm == pytest.approx(3e-3)
    assert 1 - level == 0.999
    assert 2 / level == 2000
    assert (level / 2) ** 0.5 == pytest.approx(0.0005**0.5)
    assert decisions.take().false_alarm == pytest.approx(2.5e-3)


def test_limits_of_thresholds_are_decisions():
    thresholds.threshold("mlp_one_epoch").limits()
    found = decisions.take()
    assert found.false_alarm == 2 * RATE
    assert found.samples == [["threshold", "mlp_one_epoch", "accuracy"]]


def test_decisions_of_a_profile_fall_back_to_another_and_to_one():
    known = {"core": {"dense.glorot-limit": Decided(3, ()), "dense.glorot-distribution": Decided(2, ())}}
    found = error_rates.of_profile("full", known)
    assert found["dense.glorot-limit"].decisions == 3
    assert found["dense.glorot-distribution"].decisions == 2
    assert found["generation.every-class"].decisions == 8
    assert error_rates.total(found) == pytest.approx(sum(one.decisions for one in found.values()) * RATE)


def test_a_share_that_is_off_by_as_much_as_stated_is_found():
    draws, probability = 4_000, 0.3
    off = float(error_rates.detectable(["share", draws, probability]).rpartition(" ")[2])
    counts = np.random.default_rng(0).binomial(draws, probability + off, 2_000)
    found = np.mean([chance_of_share(int(count), draws, probability) <= FALSE_ALARM for count in counts])
    assert found == pytest.approx(DETECTION, abs=0.02)


def test_what_has_no_size_has_no_text():
    assert error_rates.detectable(["share", 10, 1.0]) == ""
    assert error_rates.detectable(["something", 1]) == ""
