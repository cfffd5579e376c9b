"""The chapter's first program: a linear model of two examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.reference.programs.common import say, start

if TYPE_CHECKING:
    from types import SimpleNamespace


def run(options: SimpleNamespace) -> None:
    """Fit the linear model (lines 47 to 74)."""
    start("cpu")
    import tensorflow as tf

    from assay.reference.models import start_training
    from assay.reference.programs.progress import train_with_progress

    inputs = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    targets = np.array([[10], [20]], np.float32)
    trained = start_training("linear", inputs.shape[1:], learning_rate=0.01, seed=0)

    def train(count: int) -> tf.Tensor:
        # Every batch is both examples.
        return trained.train_on(*(tf.constant(np.tile(both, (count, 1, 1))) for both in (inputs, targets)))

    losses = train_with_progress("linear", train, batches=options.batches, chunk=100)
    for name, value in trained.parameters().items():
        say(f"{name}: {value.tolist()}")
    say(f"loss: {losses[-1]:f}")
