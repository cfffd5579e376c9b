"""Comparisons of counts with what chance gives."""

from __future__ import annotations

from assay.adapters.proxy import NonConformanceError
from assay.testing.thresholds import FALSE_ALARM, chance_of_share


def assert_share(what: str, count: int, total: int, probability: float, *, decisions: int = 1) -> None:
    """Compare a count with the binomial distribution, exactly.

    Args:
        what: What is counted, for the message.
        count: How often it came about.
        total: Number of independent trials.
        probability: Probability of each.
        decisions: Number of such comparisons that share the claim's false-alarm rate.

    Raises:
        NonConformanceError: A correct implementation is as far off with a probability of `FALSE_ALARM` or less.

    """
    __tracebackhide__ = True
    chance = chance_of_share(count, total, probability)
    if not chance > FALSE_ALARM / decisions:
        msg = (
            f"{what}: {count} of {total}, expected {total * probability:.1f}; chance is this far off with a probability"
            f" of {chance:.3g}"
        )
        raise NonConformanceError(msg)
