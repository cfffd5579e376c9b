"""The metric of the document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.spec.semantics.layers import Array


@dataclass(frozen=True)
class SparseCategoricalAccuracy:
    """The share of examples whose largest prediction is the label, over all updates (line 249).

    Attributes:
        correct: Number of correctly predicted examples so far.
        total: Number of examples so far.

    """

    correct: int = 0
    total: int = 0

    def update(self, labels: Array, predictions: Array) -> SparseCategoricalAccuracy:
        """Count one batch: int [batch] and [batch, classes]."""
        right = int(np.sum(np.argmax(predictions, axis=-1) == labels))
        return SparseCategoricalAccuracy(self.correct + right, self.total + len(labels))

    def result(self) -> float:
        """Correct / total, and 0 before the first example."""
        return self.correct / self.total if self.total else 0.0
