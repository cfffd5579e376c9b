"""Training with a progress bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import tensorflow as tf

    from assay.contract import Array

# Longer if the output goes to a file, which keeps every state of the bar.
SECONDS_BETWEEN_STATES = 0.1 if sys.stderr.isatty() else 10.0


class Bar(tqdm):  # type: ignore[type-arg, unused-ignore]  # generic in its stubs alone
    """Shows the number of batches done, the rate, and the latest loss."""

    def __init__(self, name: str, batches: int | None, unit: str = "batch") -> None:
        """Start the bar; the number of batches may be unknown."""
        super().__init__(desc=name, total=batches, unit=unit, mininterval=SECONDS_BETWEEN_STATES)

    def advance(self, losses: Array | Sequence[float]) -> None:
        """Advance by the batches with these losses."""
        self.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
        self.update(len(losses))


def train_with_progress(name: str, train: Callable[[int], tf.Tensor], *, batches: int, chunk: int) -> Array:
    """Train in successive compiled loops, and show the progress.

    Args:
        name: Name of the model, for the bar.
        train: Function from a number of batches to their losses, [number].
        batches: Number of batches.
        chunk: Number of batches per loop. The last loop may be shorter and is then compiled separately.

    Returns:
        The loss of every batch.

    """
    losses = []
    with Bar(name, batches) as bar:
        for start in range(0, batches, chunk):
            losses.append(train(min(chunk, batches - start)).numpy())
            bar.advance(losses[-1])
    return np.concatenate(losses)
