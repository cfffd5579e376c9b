"""The null of the statistical claims about text: correct draws fail no more often than is stated.

No simulation reaches a rate of 1e-6. But each of these tests is made of exact ones, which give correct draws a
probability of p or less with one of p at most, for any p. So that is simulated where it is often reached.
"""

import numpy as np
import pytest
from scipy import stats

from assay.spec.semantics.layers import softmax_with_temperature
from assay.spec.semantics.models import NUM_CHARS
from assay.testing.chances import chance_of_draws, chance_of_share
from assay.testing.draws import chance_of_each_count, chance_of_sequence
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training.known_batches import TWO_WINDOWS, chance_of_batches, chance_of_periods

LEVELS = (0.1, 0.01)


def assert_no_more_often(chances):
    """Check that no level is undercut more often than it says, but for what a simulation leaves open."""
    found = np.array(chances)
    for level in LEVELS:
        below = int((found <= level).sum())
        assert stats.binomtest(below, len(found), level, alternative="greater").pvalue > FALSE_ALARM, (level, below)


def test_batches_of_two_windows():
    batches = np.random.default_rng(0).binomial(TWO_WINDOWS.batch_size, 0.5, (1_000, TWO_WINDOWS.num_batches))
    assert_no_more_often([chance_of_batches(one, TWO_WINDOWS.batch_size) for one in batches])


def test_batches_that_repeat():
    """The probability is that of the simulation, where it is not too rare to be seen."""
    recipe = TWO_WINDOWS._replace(num_batches=4)
    batches = np.random.default_rng(0).binomial(recipe.batch_size, 0.5, (20_000, recipe.num_batches))
    seen = sum(int((batches[:, lag:] == batches[:, :-lag]).all(axis=1).sum()) for lag in (1, 2))
    expected = chance_of_periods(recipe, (1, 2))
    assert stats.binomtest(seen, 2 * len(batches), expected / 2).pvalue > FALSE_ALARM
    assert chance_of_periods(TWO_WINDOWS, (1, 2)) < 1e-6


@pytest.mark.parametrize(("draws", "classes"), [(400, 4), (400, 5)])
def test_sequences(draws, classes):
    generator = np.random.default_rng(0)
    assert_no_more_often([chance_of_sequence(generator.integers(0, classes, draws), classes) for _ in range(200)])


@pytest.mark.parametrize("temperature", [0.2, 0.5, 1.0, 1.2])
def test_characters_by_temperature(temperature):
    generator, chances = np.random.default_rng(0), []
    for _ in range(300):
        # As the claim draws them.
        logits = (0.5 * generator.standard_normal(NUM_CHARS)).astype(np.float32)
        probabilities = softmax_with_temperature(logits.astype(np.float64), temperature)
        ranks = (-logits).argsort(kind="stable")
        ends = np.cumsum(probabilities)
        drawn = np.minimum(np.searchsorted(ends, generator.random(1_200) * ends[-1], side="right"), NUM_CHARS - 1)
        counts = np.bincount(drawn, minlength=NUM_CHARS).tolist()
        ranked = probabilities[ranks]
        places = ranks.argsort()[drawn]
        points = np.cumsum(ranked)[places] - generator.random(len(drawn)) * ranked[places]
        chances.append(min(1, 2 * min(chance_of_each_count(counts, probabilities), chance_of_draws(points, 0.0, 1.0))))
    assert_no_more_often(chances)


def test_texts_of_two_seeds():
    generator, chances = np.random.default_rng(0), []
    for _ in range(200):
        one, other = generator.integers(0, 4, (2, 400))
        pairs = [
            (one[max(lag, 0) : 400 + min(lag, 0)], other[max(-lag, 0) : 400 + min(-lag, 0)]) for lag in range(-5, 6)
        ]
        chances.append(min(1, len(pairs) * min(chance_of_share(int((a == b).sum()), len(a), 1 / 4) for a, b in pairs)))
    assert_no_more_often(chances)
