"""Whether rows of probabilities are drawn as opposites of others, in whatever order: line 588 of the document."""

import numpy as np

from assay.testing.assertions import assert_form, claim
from assay.testing.draws import chance_of_mirrored_counts
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
