"""Whether a reported accuracy is believed only for parameters that reach it."""

import numpy as np
import pytest

from assay.adapters.proxy import NonConformanceError
from assay.testing.training.reported_accuracy import COUNTED, assert_reported, most_undecided

LABELS = np.arange(COUNTED) % 10
# Every image is read right, and by far.
SURE = np.eye(10)[LABELS]
MARGIN = 1e-5


def test_the_accuracy_of_the_parameters_is_believed():
    assert_reported(1.0, SURE, MARGIN, LABELS)


def test_another_accuracy_is_not_believed():
    with pytest.raises(NonConformanceError, match="accuracy"):
        assert_reported(0.9545, SURE, MARGIN, LABELS)


def test_an_undecided_image_may_be_right_or_wrong():
    logits = SURE.copy()
    logits[0, 1] = 1.0
    for right in (COUNTED, COUNTED - 1):
        assert_reported(right / COUNTED, logits, MARGIN, LABELS)
    with pytest.raises(NonConformanceError, match="accuracy"):
        assert_reported((COUNTED - 2) / COUNTED, logits, MARGIN, LABELS)


@pytest.mark.parametrize(("logits", "message"), [(0.0, "10000 of 10000"), (np.nan, "finite")])
def test_parameters_that_decide_nothing_excuse_no_accuracy(logits, message):
    with pytest.raises(NonConformanceError, match=message):
        assert_reported(0.9545, np.full((COUNTED, 10), logits), MARGIN, LABELS)


@pytest.mark.parametrize("precision", ["float32", "tf32", "float16", "bfloat16"])
def test_fewer_images_leave_fewer_undecided(precision):
    assert 0 < most_undecided(COUNTED // 5, precision) <= most_undecided(COUNTED, precision) < COUNTED / 10
