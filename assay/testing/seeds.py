"""Seeds that are easily confused with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import settings

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.specification.profiles import EXAMPLES

# The first two differ only in a high bit, which narrower integers and remainders by powers of 2 drop. The second and
# third differ in the lowest bit, which float32 drops. The last and the first agree modulo powers of 10 up to 10^6.
STEPS = (0, 2**30, 2**30 + 1, 10**6)


_first = 0


def set_first_seed(seed: int) -> None:
    """Set the seed that Hypothesis draws first in this process to the seed of the run.

    Hypothesis tries the simplest value first, whatever its own seed is. Without this, a test of one case would have the
    same problem in every run.
    """
    global _first  # noqa: PLW0603 - as the profile of Hypothesis is
    _first = seed % 2**31


def first_seed() -> int:
    """Return the seed that Hypothesis draws first."""
    return _first


def with_known_seeds(*known: int) -> pytest.MarkDecorator:
    """Let the full profile also run a test with seeds that once failed a correct implementation.

    The test takes the argument `known`: one of these seeds, or None for the seed of the run.
    """
    # Read at collection: this module may be imported before the run has set its profile.
    profile = settings.get_profile(settings.get_current_profile_name())
    return pytest.mark.parametrize("known", [None, *(known if profile.max_examples >= EXAMPLES["full"] else ())])


def confusable_seeds(seed: int) -> list[int]:
    """Return a seed, and further seeds that are easily confused with it or with each other."""
    return [(seed + step) % 2**31 for step in STEPS]


def similar_seeds(seed: int) -> list[int]:
    """Return the seeds of `confusable_seeds` and the next seed."""
    return [*confusable_seeds(seed), (seed + 1) % 2**31]


def assert_told_apart(what: str, seeds: Sequence[int], draw: Callable[[int], Array]) -> None:
    """Check that different seeds give different draws.

    Args:
        what: Name of the draws, in the plural.
        seeds: Seeds, all different.
        draw: Function from a seed to an array, large enough that a coincidence is negligibly likely.

    Raises:
        NonConformanceError: Two seeds give the same draws.

    """
    __tracebackhide__ = True
    found = [(seed, draw(seed)) for seed in seeds]
    alike = [(one, other) for (one, first), (other, second) in combinations(found, 2) if np.array_equal(first, second)]
    if alike:
        one, other = alike[0]
        msg = f"the seeds {one} and {other} draw the same {what}"
        raise NonConformanceError(msg)
