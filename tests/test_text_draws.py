"""Draws of windows that depend on other draws or on an earlier text: lines 510 to 513 of the document."""

import numpy as np

from assay.testing.assertions import assert_equal, assert_form, claim
from assay.testing.counts import assert_share
from assay.testing.draws import chance_of_mirrored_counts
from assay.testing.thresholds import FALSE_ALARM

INT = np.int32
# Every window is drawn 16 times on average: so two opposite ones seldom occur equally often.
PLACES = 2**7
DRAWS = 16 * PLACES
# A random byte modulo this number of windows draws half of them with 3 of 256 values, and the others with 2.
BYTE_PLACES, OFTEN = 102, 52
SEQ_LENGTH, BATCH_SIZE = 3, 50


@claim("text.independent-draws")
def test_windows_are_not_opposites(text, seed):
    windows, _ = text.sample_windows(np.arange(PLACES + 1, dtype=INT), 1, DRAWS, seed)
    windows = assert_form("the windows", windows, (DRAWS, 1), INT)
    probability = chance_of_mirrored_counts(np.bincount(windows[:, 0], minlength=PLACES))
    assert probability > FALSE_ALARM, (
        "a window is drawn as often as the one as far from the other end of the text, as if every second draw were the"
        f" opposite of another: with a probability of {probability:.3g}"
    )


@claim("text.even-starts")
def test_even_among_any_number(text, seed):
    windows, _ = text.sample_windows(np.arange(BYTE_PLACES + 1, dtype=INT), 1, DRAWS, seed)
    windows = assert_form("the windows", windows, (DRAWS, 1), INT)
    what = f"draws of the first {OFTEN} of {BYTE_PLACES} windows"
    assert_share(what, int(np.sum(windows < OFTEN)), DRAWS, OFTEN / BYTE_PLACES)


@claim("text.consecutive")
def test_text_with_the_same_ends(text, seed):
    # As long as the first text, and different only between its ends.
    first = np.arange(PLACES, dtype=INT)
    second = np.concatenate([first[:1], first[-2:0:-1], first[-1:]])
    for what, indices in (("first", first), ("second", second), ("first, once more", first)):
        windows, targets = text.sample_windows(indices, SEQ_LENGTH, BATCH_SIZE, seed)
        windows = assert_form("the windows", windows, (BATCH_SIZE, SEQ_LENGTH), INT)
        # Either text is its own inverse, as a permutation.
        places = indices[windows[:, :1]] + np.arange(SEQ_LENGTH)
        assert (places < PLACES - 1).all(), f"after a window of the text ({what}) there is nothing: {windows.tolist()}"
        assert_equal(f"the windows of the text ({what})", windows, indices[places], INT)
        assert_equal(f"the characters after them ({what})", targets, indices[places[:, -1] + 1], INT)
