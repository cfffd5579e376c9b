"""Seeds that are easily taken for each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import settings

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.specification.profiles import EXAMPLES

# The first two differ in a high bit alone, which fewer bits and remainders of powers of 2 lose, and the second and the
# third in the lowest, which float32 loses; the last differs from the first by what remainders of powers of 10 lose.
STEPS = (0, 2**30, 2**30 + 1, 10**6)


_first = 0


def set_first_seed(seed: int) -> None:
    """Set the seed that Hypothesis draws first in this process: that of the run.

    Hypothesis tries the simplest value first, whatever its own seed is. Otherwise a test of one case would have the
    same problem in every run.
    """
    global _first  # noqa: PLW0603 - as the profile of Hypothesis is
    _first = seed % 2**31


def first_seed() -> int:
    """Return the seed that is drawn first."""
    return _first


def with_known_seeds(*known: int) -> pytest.MarkDecorator:
    """Let the full profile also run a test with seeds that once accused a sound implementation.

    The test takes `known`: such a seed, or None for the seed of the run.
    """
    # Asked for when a test is collected: this module may be imported before the run has set its profile.
    profile = settings.get_profile(settings.get_current_profile_name())
    return pytest.mark.parametrize("known", [None, *(known if profile.max_examples >= EXAMPLES["full"] else ())])


def confusable_seeds(seed: int) -> list[int]:
    """Return a seed, and those that it or one of them is easily taken for."""
    return [(seed + step) % 2**31 for step in STEPS]


def assert_told_apart(what: str, seeds: Sequence[int], draw: Callable[[int], Array]) -> None:
    """Check that each of some seeds draws something else.

    Args:
        what: Name of what is drawn, a plural.
        seeds: Seeds, all different.
        draw: Function from a seed to an array so large that two agree by accident with a negligible probability.

    Raises:
        NonConformanceError: Two of them draw the same.

    """
    __tracebackhide__ = True
    found = [(seed, draw(seed)) for seed in seeds]
    alike = [(one, other) for (one, first), (other, second) in combinations(found, 2) if np.array_equal(first, second)]
    if alike:
        one, other = alike[0]
        msg = f"the seeds {one} and {other} draw the same {what}"
        raise NonConformanceError(msg)
