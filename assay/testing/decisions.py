"""Statistical decisions of a test: their false-alarm rates and what they detect, noted as they are taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Decisions:
    """Decisions of one test.

    Attributes:
        false_alarm: Sum of their false-alarm rates, which bounds the rate of the test (Bonferroni).
        samples: What they were based on: the kind of a statistic, and its numbers.

    """

    false_alarm: float = 0.0
    samples: list[list[Any]] = field(default_factory=list)


_now = Decisions()


def note(false_alarm: float) -> None:
    """Note a decision."""
    _now.false_alarm += false_alarm


def note_sample(kind: str, *numbers: float | str) -> None:
    """Note what a decision is based on: the kind of the statistic, and the numbers that its power follows from."""
    sample = [kind, *numbers]
    if sample not in _now.samples:
        _now.samples.append(sample)


def take() -> Decisions:
    """Return what was noted since this was last called."""
    global _now
    found, _now = _now, Decisions()
    return found


class Level(float):
    """A false-alarm rate that notes each comparison with a probability as a decision.

    So the rate of a claim is counted by its tests themselves. A part of a level is a level. To compute a limit from a
    level is a decision, too.
    """

    # NumPy's numbers leave comparisons to this class.
    __array_priority__ = 1000.0

    def _note(self, other: Any) -> Any:  # noqa: ANN401 - a number, or an array of them
        note(float(self) * np.size(other))
        return np.asarray(other) if np.ndim(other) else float(other)

    def __lt__(self, other: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, and note the decision."""
        return self._note(other) > float(self)

    def __le__(self, other: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, and note the decision."""
        return self._note(other) >= float(self)

    def __gt__(self, other: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, and note the decision."""
        return self._note(other) < float(self)

    def __ge__(self, other: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, and note the decision."""
        return self._note(other) <= float(self)

    def __truediv__(self, other: float) -> Level:
        """Return a part, for one of several decisions."""
        return Level(float(self) / float(other))

    def __rtruediv__(self, other: float) -> float:
        """Turn it into a limit, which is a decision."""
        note(float(self))
        return other / float(self)

    def __rsub__(self, other: float) -> float:
        """Turn it into a limit, which is a decision."""
        note(float(self))
        return other - float(self)

    def __pow__(self, other: float, modulo: None = None) -> float:
        """Turn it into a limit, which is a decision."""
        note(float(self))
        return float(float(self) ** other)
