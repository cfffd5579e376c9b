"""How a test says which of the results that its claim allows an implementation gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from assay.adapters.proxy import NonConformanceError
from assay.specification.claims import Claim
from assay.testing import headroom


class Results:
    """The allowed results of a claim, and those of them that were seen.

    Attributes:
        seen: Their keys.

    """

    def __init__(self, claim: Claim) -> None:
        """Take what the claim allows.

        Raises:
            LookupError: The key names no permitted result.

        """
        if claim.unspecified is None:
            msg = f"{claim.id} allows no results in particular"
            raise LookupError(msg)
        self._id = claim.id
        self._listed = {permitted.key: permitted.result for permitted in claim.unspecified.permitted}
        self.seen: list[str] = []

    def __call__(self, checks: Mapping[str, Callable[[], object]], *, alike: bool = False) -> None:
        """Look for the allowed result that was given.

        Args:
            checks: One for each allowed result, by key; it raises an AssertionError where the result is another one.
            alike: Whether an answer may be as two of the results say. Then all are looked at, and one is reported only
                where it is the only one. Otherwise the first is enough; one that was seen before is looked at first.

        Raises:
            LookupError: These are not the results that the claim allows.
            NonConformanceError: None of them was given; the message shows the nearest, and names the others.

        """
        __tracebackhide__ = True
        if checks.keys() != self._listed.keys():
            msg = f"{self._id} allows {', '.join(self._listed)}, and its test knows {', '.join(checks)}"
            raise LookupError(msg)
        given: list[str] = []
        earlier, ratios = headroom.take(), list[float | None]()
        failures: dict[str, AssertionError] = {}
        for key in sorted(checks, key=lambda key: key not in self.seen):
            if failure := _failure(checks[key]):
                failures[key] = failure
                headroom.take()
                continue
            given.append(key)
            ratios.append(headroom.take())
            if not alike:
                break
        # Of several results that an answer may be, the nearest says how much of its bound rounding takes.
        measured = [ratio for ratio in ratios if ratio is not None]
        for ratio in (earlier, min(measured, default=None)):
            if ratio is not None:
                headroom.note(ratio)
        if not given:
            nearest = min(checks, key=lambda key: getattr(failures[key], "excess", math.inf))
            others = "".join(f"\n  nor is it {key}: {self._listed[key]}" for key in checks if key != nearest)
            msg = f"{failures[nearest]}\n  as {nearest}: {self._listed[nearest]}{others}"
            raise NonConformanceError(msg, comparison=getattr(failures[nearest], "comparison", None))
        if len(given) == 1 and given[0] not in self.seen:
            self.seen += given


def _failure(check: Callable[[], object]) -> AssertionError | None:
    try:
        check()
    except AssertionError as failure:
        return failure
    return None
