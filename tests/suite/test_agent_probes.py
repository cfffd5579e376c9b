"""The short trainings that decide how the agent learns, and the false-alarm rates of what they count."""

import numpy as np
import pytest
from doubles.agent_training import Training
from scipy import stats

from assay.adapters.proxy import NonConformanceError
from assay.spec.semantics import cart_pole, q_learning
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.models import MODELS
from assay.testing import thresholds
from assay.testing.chances import chance_of_samples, chance_of_share
from assay.testing.counts import assert_no_echo
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training import agent_probes
from assay.testing.training.agent_probes import ALWAYS_EXPLORING, FAILURE_LOSS, LENGTH, PROBE, WHOLE_EPISODES


def new_network(generator):
    """Draw the parameters of a new network, in float64."""
    return {
        name: generator.uniform(-1, 1, shape) * (glorot_limit(*fans(shape)) if len(shape) > 1 else 0)
        for name, shape in MODELS["q_network"].shapes.items()
    }


def test_values_of_new_networks_do_not_hide_which_transition_failed():
    generator, largest = np.random.default_rng(0), 0.0
    for _ in range(300):
        network, states = new_network(generator), generator.uniform(-0.05, 0.05, (30, 4))
        while len(states):
            states = cart_pole.step(states, generator.integers(0, 2, len(states)))
            largest = max(largest, np.abs(q_learning.q_values("q_network", network, states)).max())
            states = states[cart_pole.margin(states) >= 0]
    # (10 - q)^2 is above the limit, and (1 + q)^2 below it, for a q of twice that.
    assert (10 - 1.5 * largest) ** 2 > FAILURE_LOSS > (1 + 1.5 * largest) ** 2


@pytest.mark.parametrize(
    ("claim", "total", "probability", "share"),
    [
        ("training-explores-first", 4 * (LENGTH - 1), 1 / 2, 1),
        ("training-explores-by-epsilon", 12 * (LENGTH - 1), 0.1, 1),
        ("training-draws-evenly", 29, 1 / 2, 2),
        ("collects-by-epsilon", 320, 1 / 4, 1),
        ("collects-in-no-pattern", 40, (3 / 4) ** 8, 2),
        ("sample-evenly", 100, 32 / 50, 50),
        ("initial-parts-are-independent", 2_000, 1 / 2, 12),
    ],
)
def test_a_share_is_found_wrong_as_seldom_as_is_said(claim, total, probability, share):
    # All counts that a correct implementation may give, with their probabilities.
    counts = np.arange(total + 1)
    level = FALSE_ALARM / share
    alarms = [chance_of_share(int(count), total, probability) <= level for count in counts]
    assert stats.binom.pmf(counts[alarms], total, probability).sum() <= level
    assert any(alarms), f"{claim} can not fail"


def sound(seed, **changes):
    """Train by the sound program of the doubles."""
    return Training(**PROBE | changes, seed=seed).run()


def test_draws_of_the_last_two_are_as_is_said():
    older = newer = twice = pairs = 0
    for seed in range(12):
        found = sound(seed, buffer_size=2, num_episodes=24, **ALWAYS_EXPLORING, **WHOLE_EPISODES)
        ends = np.cumsum(found.scores + 1) - 1
        steps = np.setdiff1d(np.arange(ends[-1] + 1), ends)
        drawn = found.losses[np.searchsorted(steps, ends[:-1] + 1)] > FAILURE_LOSS
        older, newer = older + drawn.sum(), newer + (~drawn).sum()
        first, second = found.losses[: len(steps) - 1 : 2], found.losses[1::2]
        follows = steps[1::2] - steps[: len(steps) - 1 : 2] == 1
        twice, pairs = twice + (first == second)[follows].sum(), pairs + follows.sum()
    assert stats.binomtest(int(older), int(older + newer), 1 / 2).pvalue > FALSE_ALARM
    assert stats.binomtest(int(twice), int(pairs), 1 / 4).pvalue > FALSE_ALARM


def echoes(draws, probability):
    """Return whether draws are found to go together."""
    try:
        assert_no_echo("draws", draws, probability)
    except NonConformanceError:
        return True
    return False


def test_draws_at_no_distance_are_found_to_go_together_more_often_than_is_said(monkeypatch):
    # At a rate at which it happens.
    rate, simulations = 0.05, 400
    monkeypatch.setattr(thresholds, "FALSE_ALARM", rate)
    generator = np.random.default_rng(0)
    alarms = sum(echoes(generator.random(200) < 0.25, 0.25) for _ in range(simulations))
    assert stats.binom.sf(alarms - 1, simulations, rate) > FALSE_ALARM


def test_lengths_of_random_play_are_found_to_differ_no_more_often_than_is_said():
    rate, episodes = 0.05, 100
    expected = agent_probes.random_lengths(20_000, 0)
    lengths = cart_pole.random_lengths(300 * episodes, 1).reshape(-1, episodes)
    alarms = sum(chance_of_samples(one, expected) <= rate for one in lengths)
    assert stats.binom.sf(alarms - 1, len(lengths), rate) > FALSE_ALARM


@pytest.mark.parametrize("seed", range(20))
def test_gaps_of_greedy_play_are_far_within_their_bound(seed):
    now, later = (
        sound(seed, initial_epsilon=0.0, num_episodes=4, gamma=gamma, learning_rate=0.0) for gamma in (0.0, 1.0)
    )
    errors = agent_probes.Errors(
        *(agent_probes.errors_of(one.losses, 4) for one in (now, later)), parameters=now.parameters
    )
    gaps = agent_probes.gaps(errors)
    assert np.sqrt(np.mean(gaps**2)) < agent_probes.gap_bound(now.parameters) / 2
