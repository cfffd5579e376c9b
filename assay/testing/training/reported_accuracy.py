"""Check that a reported accuracy is that of the reported parameters.

Rounding may decide between two digits that are nearly equally likely. Stored trainings limit the number of such images,
so that parameters which decide nothing, such as zeros, do not excuse an arbitrary accuracy.
"""

from __future__ import annotations

from functools import cache
from tomllib import loads

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import rounding
from assay.spec.semantics.precision import current_precision
from assay.testing.assertions import assert_within
from assay.testing.thresholds import CONFIDENCE, FALSE_ALARM, FOLDER, limits

# Number of images in MNIST's test set, with which the stored counts were made.
COUNTED = 10_000


@cache
def most_undecided(images: int, precision: str) -> int:
    """Return the largest number of images that the parameters of a correct training leave undecided.

    A correct training leaves more undecided with a probability of at most `FALSE_ALARM`. The confidence `CONFIDENCE`
    accounts for the estimation of the rate. If undecided images are rare, their number has a Poisson distribution. If
    they are not, trainings differ by more than that, and the tolerance bound of a normal distribution is larger.

    Args:
        images: Number of images.
        precision: Required precision of products.

    """
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else, and few processes need it

    counts = loads((FOLDER / "undecided_images.toml").read_text(encoding="utf-8"))[precision]
    rate = stats.chi2.ppf(CONFIDENCE, 2 * (sum(counts) + 1)) / 2 / len(counts)
    of_poisson = stats.poisson.isf(FALSE_ALARM, rate * images / COUNTED)
    return int(max(of_poisson, np.ceil(limits(counts).upper * images / COUNTED)))


def assert_reported(accuracy: float, logits: Array, margin: float, labels: Array) -> None:
    """Compare a reported accuracy with what the definition computes from the reported parameters.

    Args:
        accuracy: Accuracy that was reported.
        logits: Logits of the images by the definition, float64 [n, classes].
        margin: Difference between the two largest logits below which rounding may change the prediction.
        labels: Labels of the images, int32 [n].

    Raises:
        NonConformanceError: The accuracies differ by more than the undecided images explain, or too many are undecided.

    """
    __tracebackhide__ = True
    if not np.isfinite(logits).all():
        msg = "the definition's logits under the reported parameters are not finite"
        raise NonConformanceError(msg)
    largest, second = -np.sort(-logits, axis=-1)[:, :2].T
    undecided, most = int((largest - second <= margin).sum()), most_undecided(len(labels), current_precision())
    if undecided > most:
        msg = (
            f"the reported parameters leave {undecided} of {len(labels)} images undecided: their two largest logits are"
            f" nearly equal. The parameters of correct trainings leave at most {most}"
        )
        raise NonConformanceError(msg)
    right = (logits.argmax(axis=-1) == labels).mean()
    assert_within("the accuracy", accuracy, right, undecided / len(labels) + rounding.quotient(1.0))
