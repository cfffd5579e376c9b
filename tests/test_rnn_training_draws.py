"""Windows that a training draws from a text in which two kinds of windows alternate: line 571 of the document."""

import pytest

from assay.testing.assertions import claim
from assay.testing.counts import assert_share
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training.known_batches import (
    BY_TURNS,
    chance_of_batches,
    chance_of_equals,
    count_equals,
    count_windows,
    distinguish_windows,
    fit,
)

# Distances between the batches that are compared, in pairs from the first batch on and from a later one on.
LAGS = (1, 2, 3)


@pytest.fixture(scope="session")
def alternating(text, seed, compute_once):
    """Return recipe, losses and parameters of a training with learning rate 0 on a text of two kinds of windows."""

    def train():
        _, initial = fit(text, BY_TURNS._replace(num_batches=1, batch_size=1), 0.0, seed)
        recipe = distinguish_windows(BY_TURNS, initial)
        return recipe, *fit(text, recipe, 0.0, seed)

    return compute_once("windows_by_turns", train)


@claim("rnn_training.batches")
def test_batches_of_odd_size(text, seed, alternating):
    recipe, _, _ = alternating
    odd = recipe._replace(num_batches=2, batch_size=67)
    count_windows(odd, *fit(text, odd, 0.0, seed))


@claim("rnn_training.even-draws")
def test_draws_with_replacement(alternating):
    counts = count_windows(*alternating)
    probability = chance_of_batches(counts, BY_TURNS.batch_size)
    assert probability > FALSE_ALARM, (
        f"of {BY_TURNS.batch_size} windows each, the batches contain the second kind {counts.tolist()} times: for"
        f" draws with replacement, counts are this far off with a probability of {probability:.3g}"
    )
    even = int((counts % 2 == 0).sum())
    assert_share("batches that contain an even number of windows of each kind", even, len(counts), 0.5)


@claim("rnn_training.new-draws")
@pytest.mark.parametrize("lag", LAGS)
def test_no_batch_repeats_another(alternating, lag):
    counts = count_windows(*alternating)
    for where, some in (("from the first", counts), ("from the second", counts[lag:])):
        equal, pairs = count_equals(some, lag)
        what = f"batches, {where}, with the same counts as the batch {lag} later"
        assert_share(what, equal, pairs, chance_of_equals(BY_TURNS), FALSE_ALARM / len(LAGS), decisions=2)
