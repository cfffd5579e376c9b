"""Train an implementation for a threshold in this process: `python -m assay.survey.trainings TASK RESULT`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from assay.adapters import parentage
from assay.adapters.loading import load
from assay.testing.training import agent_training, mnist_training, network_training, text_training


class Runs(Protocol):
    """Trainings of one kind of model. Shared data are read on construction."""

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Train by a recipe, and return the results to store."""


# Kinds of trainings, by the model of a recipe.
KINDS: dict[str, Callable[[Any], Runs]] = {
    "mlp": mnist_training.Runs,
    "cnn": mnist_training.Runs,
    "rnn": text_training.Runs,
    "q_network": agent_training.Runs,
    "mobilenet_v2": network_training.Runs,
}


def main(task: Path, result: Path) -> None:
    """Train once, and write the results and the device."""
    asked = json.loads(task.read_text(encoding="utf-8"))
    implementation = load(asked["implementation"])
    device = implementation.start("cpu")
    numbers = KINDS[asked["recipe"]["model"]](implementation).run(asked["recipe"], asked["seed"])
    # Written under another name first, so that the file is never incomplete.
    partial = result.with_suffix(".partial")
    partial.write_text(json.dumps({"device": device, "numbers": numbers}), encoding="utf-8")
    partial.rename(result)


if __name__ == "__main__":
    parentage.end_with_parent()
    main(*map(Path, sys.argv[1:]))
