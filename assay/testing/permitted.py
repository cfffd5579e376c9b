"""Recording of which permitted result of a claim an implementation gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from assay.adapters.proxy import NonConformanceError
from assay.specification.claims import Claim
from assay.testing import headroom


class Results:
    """The permitted results of a claim, and those observed.

    Attributes:
        seen: Keys of the observed results.

    """

    def __init__(self, claim: Claim) -> None:
        """Read the permitted results of a claim.

        Raises:
            LookupError: The claim lists no permitted results.

        """
        if claim.unspecified is None:
            msg = f"{claim.id} lists no permitted results"
            raise LookupError(msg)
        self._id = claim.id
        self._listed = {permitted.key: permitted.result for permitted in claim.unspecified.permitted}
        self.seen: list[str] = []

    def __call__(self, checks: Mapping[str, Callable[[], object]], *, alike: bool = False) -> None:
        """Record which permitted result an implementation gives.

        Args:
            checks: Check of each permitted result, by key; raises an AssertionError for any other result.
            alike: Whether one answer may pass several checks. If so, all checks run, and a result is recorded only if
                a single check passes. Otherwise the first check that passes decides; observed results are tried first.

        Raises:
            LookupError: The keys differ from those of the permitted results.
            NonConformanceError: No check passes; the message shows the nearest result and lists the others.

        """
        __tracebackhide__ = True
        if checks.keys() != self._listed.keys():
            msg = f"{self._id} permits {', '.join(self._listed)}, and its test checks {', '.join(checks)}"
            raise LookupError(msg)
        earlier = headroom.take()
        given, failures = self._try(checks, only_first=not alike)
        # If several checks pass, the nearest result shows how much of its bound rounding uses.
        nearest_ratio = min((ratio for ratio in given.values() if ratio is not None), default=None)
        for ratio in (earlier, nearest_ratio):
            if ratio is not None:
                headroom.note(ratio)
        if not given:
            nearest = min(checks, key=lambda key: getattr(failures[key], "excess", math.inf))
            others = "".join(f"\n  nor is it {key}: {self._listed[key]}" for key in checks if key != nearest)
            msg = f"{failures[nearest]}\n  as {nearest}: {self._listed[nearest]}{others}"
            raise NonConformanceError(msg, comparison=getattr(failures[nearest], "comparison", None))
        if len(given) == 1:
            self.seen += given.keys() - {*self.seen}

    def _try(
        self, checks: Mapping[str, Callable[[], object]], *, only_first: bool
    ) -> tuple[dict[str, float | None], dict[str, AssertionError]]:
        """Run checks; return the headroom of those that pass, and the failures of the others."""
        given: dict[str, float | None] = {}
        failures: dict[str, AssertionError] = {}
        for key in sorted(checks, key=lambda key: key not in self.seen):
            try:
                checks[key]()
            except AssertionError as failure:
                failures[key] = failure
                headroom.take()
                continue
            given[key] = headroom.take()
            if only_first:
                break
        return given, failures
