"""Draws of examples that are opposites of other draws: lines 148 to 151 of the document."""

import numpy as np

from assay.testing.assertions import assert_form, claim
from assay.testing.counts import assert_share
from assay.testing.draws import chance_of_mirrored_counts
from assay.testing.thresholds import FALSE_ALARM

# A random byte modulo this number of examples draws half of them with 3 of 256 values, and the others with 2.
BYTE_EXAMPLES, OFTEN = 102, 52
# Every example is drawn 16 times on average: so two opposite ones seldom occur equally often.
EXAMPLES = 2**7
DRAWS = 16 * EXAMPLES


@claim("mnist.draws-are-independent")
def test_draws_are_not_opposites_in_another_order(datasets, seed):
    labels = np.arange(EXAMPLES, dtype=np.int32)
    images = np.zeros((EXAMPLES, 1, 1, 1), np.float32)
    _, drawn = datasets.sample_batch(images, labels, DRAWS, seed)
    drawn = assert_form("the labels", drawn, (DRAWS,), np.int32)
    probability = chance_of_mirrored_counts(np.bincount(drawn, minlength=EXAMPLES))
    assert probability > FALSE_ALARM, (
        "an example is drawn as often as the one as far from the other end, as if every second draw were the opposite"
        f" of another: with a probability of {probability:.3g}"
    )


@claim("mnist.uniform-draws")
def test_uniform_among_any_number(datasets, seed):
    labels = np.arange(BYTE_EXAMPLES, dtype=np.int32)
    images = np.zeros((BYTE_EXAMPLES, 1, 1, 1), np.float32)
    _, drawn = datasets.sample_batch(images, labels, DRAWS, seed)
    drawn = assert_form("the labels", drawn, (DRAWS,), np.int32)
    what = f"draws of the first {OFTEN} of {BYTE_EXAMPLES} examples"
    assert_share(what, int(np.sum(drawn < OFTEN)), DRAWS, OFTEN / BYTE_EXAMPLES)
