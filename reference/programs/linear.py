"""The chapter's first program: a linear model of two examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reference.programs.common import say, start

if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> None:
    """Fit the linear model (lines 47 to 74)."""
    start("cpu")
    from reference.programs.progress import fit

    inputs = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    targets = np.array([[10], [20]], np.float32)
    trained, losses = fit(
        "linear",
        inputs,
        targets,
        # Every batch is both examples.
        lambda count: np.tile(np.arange(len(inputs), dtype=np.int32), (count, 1)),
        batches=options.batches,
        chunk=100,
        learning_rate=0.01,
        seed=0,
    )
    for name, value in trained.parameters().items():
        say(f"{name}: {value.tolist()}")
    say(f"loss: {losses[-1]:f}")
