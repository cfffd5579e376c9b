"""The stored runs, and the limits that follow from them."""

import math
import re
from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats

from assay.spec.semantics import cart_pole, layers, q_learning
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.models import MODELS
from assay.specification.claims import specification
from assay.testing import chances, thresholds
from assay.testing.draws import detectable_temperature, normal_quantiles
from assay.testing.training import agent_training

# By what is known of the distribution of their runs: the others may have any.
NORMAL, ANY = (
    [name for name in thresholds.names() if thresholds.content(name).get("distribution", "normal") == distribution]
    for distribution in thresholds.RULES
)
NAMES = [*NORMAL, *ANY]
STORED = [(name, what) for name in NORMAL for what in thresholds.content(name)["limits"]]
# A run of the rule's own test: how often a normal quantile has to be covered, from so many simulated samples.
SIMULATIONS = 2_000
# The probabilities of 57 characters that samples are drawn by.
CHARACTERS = layers.softmax(1.5 * normal_quantiles(57))


@pytest.mark.parametrize("name", NAMES)
def test_limits_follow_from_the_runs(name):
    threshold = thresholds.threshold(name)
    for what, stored in thresholds.content(name)["limits"].items():
        found = threshold.limits(what) if name in NORMAL else threshold.worst(what)
        assert stored == pytest.approx(asdict(found), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_rates_are_those_of_the_rule(name):
    rule = {
        "false_alarm": thresholds.FALSE_ALARM,
        "confidence": thresholds.CONFIDENCE,
        "detection": thresholds.DETECTION,
    }
    if name in ANY:
        del rule["confidence"]
    assert thresholds.content(name)["rule"] == rule


@pytest.mark.parametrize("name", NAMES)
def test_runs_have_seeds_of_their_own(name):
    seeds = [run["seed"] for run in thresholds.content(name)["runs"]]
    assert len(seeds) == len(set(seeds))


@pytest.mark.parametrize("name", NORMAL)
def test_runs_are_so_many_that_more_would_not_halve_the_distance_of_a_limit(name):
    with_any_number = thresholds.NORMAL.inv_cdf(1 - thresholds.FALSE_ALARM)
    assert thresholds.tolerance_factor(len(thresholds.content(name)["runs"])) < 2 * with_any_number


@pytest.mark.parametrize(("name", "what"), STORED)
def test_runs_are_as_normal_as_the_rule_takes_them_for(name, what):
    # The level is shared by all these tests, of which one in a hundred would turn normal runs down.
    level = 0.01 / len(STORED)
    assert stats.shapiro(thresholds.threshold(name).values(what)).pvalue > level


@pytest.mark.parametrize(("name", "what"), STORED)
def test_every_run_is_within_the_limits(name, what):
    values, found = thresholds.threshold(name).values(what), thresholds.threshold(name).limits(what)
    assert found.lower < min(values) < max(values) < found.upper


def test_factor_covers_the_quantile_as_often_as_it_says():
    samples = np.random.default_rng(0).standard_normal((SIMULATIONS, 100))
    lower = samples.mean(axis=1) - thresholds.tolerance_factor(100) * samples.std(axis=1, ddof=1)
    covered = int((lower <= stats.norm.ppf(thresholds.FALSE_ALARM)).sum())
    assert stats.binomtest(covered, SIMULATIONS, thresholds.CONFIDENCE).pvalue > thresholds.FALSE_ALARM


def test_defect_of_the_stated_size_is_found_as_often_as_it_says():
    threshold = thresholds.threshold("mlp_one_epoch").limits()
    mean = threshold.mean - threshold.detectable
    assert stats.norm.cdf(threshold.lower, mean, threshold.deviation) == pytest.approx(thresholds.DETECTION)


def test_divergence_of_the_stated_size_is_found_as_often_as_it_says():
    generator = np.random.default_rng(0)
    draws, classes = 2_000, 57
    probabilities = np.full(classes, 1 / classes)
    off = generator.choice([-1.0, 1.0], classes)
    off -= off.mean()
    off *= np.sqrt(chances.detectable_divergence(draws, classes) / np.sum(off**2 / probabilities))
    counts = generator.multinomial(draws, probabilities + off, SIMULATIONS)
    found = sum(chances.chance_of_counts(one, probabilities) <= thresholds.FALSE_ALARM for one in counts)
    # The statistic is distributed as the power is computed for but for 1 in the square root of the number of draws.
    assert found / SIMULATIONS == pytest.approx(thresholds.DETECTION, abs=1 / np.sqrt(draws))


def test_gap_of_the_stated_size_is_found_at_least_as_often_as_it_says():
    generator = np.random.default_rng(0)
    gap = chances.detectable_gap(400)
    # A share of the draws that is the gap is moved to the very beginning.
    draws = generator.random((SIMULATIONS, 400))
    moved = np.where(draws > 1 - gap, 0.0, draws)
    found = sum(chances.chance_of_draws(one, 0.0, 1.0) <= thresholds.FALSE_ALARM for one in moved)
    assert found / SIMULATIONS >= thresholds.DETECTION


@pytest.mark.parametrize(
    ("claim", "size"),
    [
        ("generation.frequencies", detectable_temperature(20_000, CHARACTERS)),
        ("generation.by-temperature", chances.detectable_gap(1_200, tests=2)),
        ("generation.by-the-network", chances.detectable_gap(400)),
    ],
)
def test_claims_state_the_sizes_that_are_detectable(claim, size):
    statement = specification().claim(claim).statement
    stated = [float(number) for number in re.findall(r"0\.\d+", statement)]
    assert any(float(f"{size:.{places}f}") in stated for places in (2, 3)), (statement, size)


def test_fewer_runs_put_the_limit_further_away():
    assert thresholds.tolerance_factor(30) > thresholds.tolerance_factor(100)


@pytest.mark.parametrize("runs", [5, 40, 100])
def test_worst_of_any_runs_has_as_few_attempts_as_the_rate_allows(runs):
    found = thresholds.worst([float(number) for number in range(runs)])
    fewer = found.attempts - 1
    assert found.lower == 0
    assert found.false_alarm == pytest.approx(math.exp(-log_of_orders(runs, found.attempts)), rel=1e-9)
    assert (
        math.exp(-log_of_orders(runs, found.attempts)) <= thresholds.FALSE_ALARM < math.exp(-log_of_orders(runs, fewer))
    )


def log_of_orders(runs, attempts):
    """Return the logarithm of how many places the attempts may take among all runs."""
    return math.lgamma(runs + attempts + 1) - math.lgamma(runs + 1) - math.lgamma(attempts + 1)


def test_all_attempts_are_worse_than_the_worst_as_often_as_the_rule_says():
    # Few runs and attempts, so that it happens; the values have a distribution far from normal, and the same for all.
    runs, attempts = 5, 2
    values = np.random.default_rng(0).pareto(1.0, (SIMULATIONS, runs + attempts))
    failed = int((values[:, runs:].max(axis=1) < values[:, :runs].min(axis=1)).sum())
    assert (
        stats.binomtest(failed, SIMULATIONS, 1 / math.comb(runs + attempts, attempts)).pvalue > thresholds.FALSE_ALARM
    )


@pytest.mark.parametrize("name", ANY)
def test_an_agent_that_fails_as_often_as_is_said_is_found_as_often_as_is_said(name):
    found = thresholds.threshold(name).worst("best_stretch")
    assert found.detectable**found.attempts == pytest.approx(thresholds.DETECTION)


@pytest.mark.parametrize("name", ANY)
def test_random_play_is_worse_than_the_worst(name):
    known = thresholds.threshold(name)
    found = known.worst("best_stretch")
    trainings = 200
    lengths = cart_pole.random_lengths(trainings * known.recipe["num_episodes"], 0).reshape(trainings, -1)
    below = sum(agent_training.best_stretch(one - 1) < found.lower for one in lengths)
    assert below == trainings


def untrained_stretch(seed, episodes):
    """Play greedily by a new network, and return the best stretch: what luck gives without any learning."""
    generator = np.random.default_rng(seed)
    parameters = {
        name: generator.uniform(-1, 1, shape) * (glorot_limit(*fans(shape)) if len(shape) > 1 else 0)
        for name, shape in MODELS["q_network"].shapes.items()
    }
    states = generator.uniform(-cart_pole.INITIAL, cart_pole.INITIAL, (episodes, 4))
    lengths, playing = np.zeros(episodes), np.arange(episodes)
    for _ in range(cart_pole.MAX_EPISODE_STEPS):
        states = cart_pole.step(states, q_learning.greedy("q_network", parameters, states))
        lengths[playing] += 1
        standing = cart_pole.margin(states) >= 0
        states, playing = states[standing], playing[standing]
    return agent_training.best_stretch(lengths - 1)


def test_an_agent_that_never_learns_is_found_in_full():
    known = thresholds.threshold("agent")
    rule, episodes, networks = known.worst("best_stretch"), known.recipe["num_episodes"], 300
    lucky = sum(untrained_stretch(seed, episodes) >= rule.lower for seed in range(networks))
    assert (1 - lucky / networks) ** rule.attempts > 0.95


def test_best_stretch_counts_steps_of_ten_episodes_in_a_row():
    scores = np.array([499, *[9] * 10, *[99] * 10, 0])
    assert agent_training.best_stretch(scores) == 100
    # What comes later takes nothing away.
    assert agent_training.best_stretch(np.append(scores, np.zeros(400))) == 100
