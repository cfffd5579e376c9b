"""Statistical decisions of a test, recorded as they are made, with their false-alarm rates and what they detect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Decisions:
    """Decisions of one test.

    Attributes:
        false_alarm: Sum of their false-alarm rates, which bounds the rate of the test (Bonferroni).
        samples: The statistics that the decisions are based on: kind and numbers.

    """

    false_alarm: float = 0.0
    samples: list[list[Any]] = field(default_factory=list)


_now = Decisions()


def note(false_alarm: float) -> None:
    """Record the false-alarm rate of a decision."""
    _now.false_alarm += false_alarm


def note_sample(kind: str, *numbers: float | str) -> None:
    """Record the statistic that a decision is based on, and the numbers that determine its power."""
    sample = [kind, *numbers]
    if sample not in _now.samples:
        _now.samples.append(sample)


def take() -> Decisions:
    """Return the decisions recorded since the last call."""
    global _now
    found, _now = _now, Decisions()
    return found


class Level(float):
    """A false-alarm rate that records each comparison with a probability as a decision.

    So tests count the rate of their claim by themselves. A fraction of a level is a level. Computing a limit from a
    level is a decision, too.
    """

    # NumPy's numbers leave comparisons to this class.
    __array_priority__ = 1000.0

    def _note(self, other: Any) -> Any:  # noqa: ANN401 - a number, or an array of them
        note(float(self) * np.size(other))
        return np.asarray(other) if np.ndim(other) else float(other)

    def __lt__(self, other: Any) -> Any:  # noqa: ANN401
        """Compare, and record the decision."""
        return self._note(other) > float(self)

    def __le__(self, other: Any) -> Any:  # noqa: ANN401
        """Compare, and record the decision."""
        return self._note(other) >= float(self)

    def __gt__(self, other: Any) -> Any:  # noqa: ANN401
        """Compare, and record the decision."""
        return self._note(other) < float(self)

    def __ge__(self, other: Any) -> Any:  # noqa: ANN401
        """Compare, and record the decision."""
        return self._note(other) <= float(self)

    def __truediv__(self, other: float) -> Level:
        """Return a fraction of the level, for one of several decisions."""
        return Level(float(self) / float(other))

    def __rtruediv__(self, other: float) -> float:
        """Compute a limit from the level, and record the decision."""
        note(float(self))
        return other / float(self)

    def __rsub__(self, other: float) -> float:
        """Compute a limit from the level, and record the decision."""
        note(float(self))
        return other - float(self)

    def __pow__(self, other: float, modulo: None = None) -> float:
        """Compute a limit from the level, and record the decision."""
        note(float(self))
        return float(float(self) ** other)
