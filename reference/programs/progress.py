"""Training that is watched: what `Training.fit` does, with a bar that moves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from reference.models import Models, trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.contract import Array, ModelName
    from reference.models import Trainer

# A file keeps every state of the bar.
SECONDS_BETWEEN_STATES = 0.1 if sys.stderr.isatty() else 10.0


class Bar(tqdm):
    """Shows how many batches are done, how fast that goes, and the loss of the last."""

    def __init__(self, name: str, batches: int | None) -> None:
        """Begin; how many there will be may be unknown."""
        super().__init__(desc=name, total=batches, unit="batch", mininterval=SECONDS_BETWEEN_STATES)

    def advance(self, losses: Array) -> None:
        """Go on by the batches that had these losses."""
        self.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
        self.update(len(losses))


def fit(
    model: ModelName,
    examples: Array,
    targets: Array,
    draw: Callable[[int], Array],
    *,
    batches: int,
    chunk: int,
    learning_rate: float,
    seed: int,
) -> tuple[Trainer, Array]:
    """Train a new model, one compiled loop after the other.

    Args:
        model: its name.
        examples: to draw from.
        targets: of the examples.
        draw: a number of batches to the indices of their examples, [number, batch].
        batches: how many in all.
        chunk: how many in one loop; the last may be shorter, and is then compiled for itself.
        learning_rate: of the optimizer.
        seed: of the parameters that the model starts from.

    Returns:
        The trained model, and the loss of every batch.

    """
    one = trainer(model, examples.shape[1:])
    one.load(Models().initial_parameters(model, seed))
    one.optimizer.learning_rate.assign(learning_rate)
    examples, targets = tf.constant(examples), tf.constant(targets)
    losses = []
    with Bar(model, batches) as bar:
        for start in range(0, batches, chunk):
            indices = draw(min(chunk, batches - start))
            losses.append(one.train_from(examples, targets, tf.constant(indices)).numpy())
            bar.advance(losses[-1])
    return one, np.concatenate(losses)
