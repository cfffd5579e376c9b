"""Draws that are opposites of other draws, or too even, in whatever order: line 588 of the document."""

import numpy as np

from assay.testing import handcrafted_weights
from assay.testing.assertions import assert_form, claim
from assay.testing.draws import chance_of_evenness, chance_of_mirrored_counts
from assay.testing.thresholds import FALSE_ALARM

# On average 16 rows draw each class: so two opposite classes seldom occur equally often.
CLASSES = 2**7
ROWS = 16 * CLASSES


@claim("generation.rows-are-independent")
def test_rows_are_not_opposites(ops, seed):
    drawn = ops.sample(np.full((ROWS, CLASSES), 1 / CLASSES, np.float32), seed)
    drawn = assert_form("sample", drawn, (ROWS,), np.int32)
    probability = chance_of_mirrored_counts(np.bincount(drawn, minlength=CLASSES))
    assert probability > FALSE_ALARM, (
        "a class occurs as often as its opposite, as if every second row were drawn by 1 minus the random number of"
        f" another: with a probability of {probability:.3g}"
    )


# Characters of equal probability, each of which occurs 8 times on average.
CHARS = 2**6
COUNT = 8 * CHARS


@claim("generation.independent")
def test_characters_are_not_spread_evenly(text, seed):
    network = handcrafted_weights.indifferent(np.zeros(CHARS, np.float32))
    written = text.generate(network, np.zeros(1, np.int32), temperature=1.0, count=COUNT, seed=seed)
    counts = np.bincount(assert_form("the text", written, (COUNT,), np.int32), minlength=CHARS)
    for what, probability in (
        ("occur as evenly", chance_of_evenness(counts)),
        ("occur as often as their opposites", chance_of_mirrored_counts(counts)),
    ):
        assert probability > FALSE_ALARM, (
            f"{CHARS} characters of equal probability {what} in a text of {COUNT}, as if the random numbers were not"
            f" drawn one by one: with a probability of {probability:.3g}"
        )
