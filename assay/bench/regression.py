"""Comparison of two benchmark runs: which ratios have fallen by more than chance explains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from assay.bench.ratios import Ratio, ratios
from assay.bench.results import Run
from assay.errors import ErrorKind, ExitCode, UserError

# False-alarm rate of a comparison over all of its ratios.
FALSE_ALARMS = 0.01
HINT = "Run `assay bench` with more --launches"


@dataclass(frozen=True)
class Change:
    """A ratio before and after.

    Attributes:
        old: Old value.
        new: New value; None if it was not measured again.
        allowed: Largest fall of its logarithm that chance explains.

    """

    old: Ratio
    new: Ratio | None
    allowed: float

    @property
    def falls(self) -> bool:
        """Whether the subject may have become slower: the ratio fell, or is missing."""
        return self.new is None or self.old.mean - self.new.mean > self.allowed

    @property
    def cells(self) -> list[str]:
        """The work, the peer, the old and new ratio, and the lowest ratio that chance explains."""
        before, lowest = (f"{math.exp(self.old.mean - fall):.3g}" for fall in (0, self.allowed))
        now = f"{math.exp(self.new.mean):.3g}" if self.new else "not measured"
        return [self.old.work, self.old.peer, before, now, lowest]


@dataclass(frozen=True)
class Comparison:
    """The changes of all ratios between runs.

    Attributes:
        old: The earlier runs, latest last.
        new: The new run.
        changes: Changes of every ratio that old and new runs have, or that the new one should have.

    """

    old: tuple[Run, ...]
    new: Run
    changes: tuple[Change, ...]

    @property
    def fallen(self) -> list[Change]:
        """The regressions."""
        return [change for change in self.changes if change.falls]

    @property
    def code(self) -> ExitCode:
        """The exit code: whether there is a regression."""
        return ExitCode.NOT_CONFORMANT if self.fallen else ExitCode.CONFORMANT

    @property
    def verdict(self) -> str:
        """The verdict in a sentence."""
        detected = max((math.exp(change.allowed) for change in self.changes if change.new), default=1.0)
        among = f"{len(self.changes)} ratios, each of which tells a step that takes {detected:.2f} times as long"
        if self.fallen:
            return f"{len(self.fallen)} of {len(self.changes)} ratios fell by more than chance explains"
        return f"no regression among {among}"


def compare(history: Sequence[Run], new: Run) -> Comparison:
    """Compare a run with the latest earlier run, and with older runs made under the same conditions.

    The ratio of each start is one observation. Student's one-sided t-test compares the old observations with the new
    ones, at a level that limits the false alarms of all ratios together to `FALSE_ALARMS` (Bonferroni).

    Raises:
        UserError: The runs share no benchmark, or have too few starts to estimate the noise.

    """
    old = tuple(run for run in history if run.conditions == history[-1].conditions)
    after = {(ratio.work, ratio.peer): ratio for ratio in ratios(new)}
    lost = {broken.work for broken in new.lost if broken.implementation == new.subject}
    pairs = [
        (ratio, after.get((ratio.work, ratio.peer)))
        for ratio in ratios(*old)
        if (ratio.work, ratio.peer) in after or lost & {ratio.work, ""}
    ]
    if not pairs:
        msg = "OLD and NEW have no ratio in common"
        raise UserError(
            ErrorKind.MISMATCHED_RESULTS, msg, "Run `assay bench` with the same implementations and selection"
        )
    return Comparison(old, new, tuple(Change(*pair, _compute_allowed_fall(*pair, len(pairs))) for pair in pairs))


def _compute_allowed_fall(old: Ratio, new: Ratio | None, count: int) -> float:
    if new is None:
        return 0.0
    sizes = len(old.logarithms), len(new.logarithms)
    freedom = sum(sizes) - 2
    if freedom < 1:
        msg = "one start tells nothing of chance"
        raise UserError(ErrorKind.TOO_FEW_LAUNCHES, msg, HINT)
    variance = (old.squares + new.squares) / freedom
    quantile = float(stats.t.ppf(1 - FALSE_ALARMS / count, freedom))
    return quantile * math.sqrt(variance * sum(1 / size for size in sizes))
