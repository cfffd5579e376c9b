"""Make the stored runs anew: `assay calibrate NAME` trains the reference with one seed after the other."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from tqdm import tqdm

from assay import __version__
from assay.adapters.loading import describe, load
from assay.errors import ExitCode
from assay.testing import thresholds
from assay.testing.training import agent_training, mnist_training, network_training, text_training

REFERENCE = "reference"


class Runs(Protocol):
    """Trainings of one kind of model; what they share, such as data, is read when this is made."""

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Train by a recipe, and return the numbers that are stored."""


# By the model that a recipe names.
KINDS: dict[str, Callable[[Any], Runs]] = {
    "mlp": mnist_training.Runs,
    "cnn": mnist_training.Runs,
    "rnn": text_training.Runs,
    "q_network": agent_training.Runs,
    "mobilenet_v2": network_training.Runs,
}


def main(name: str | None, runs: int | None) -> int:
    """Calibrate one threshold, or list them all."""
    if name is None:
        for one in thresholds.names():
            print(one)  # noqa: T201 - what the command says
        return ExitCode.CONFORMANT
    stored = thresholds.content(name)
    recipe = stored["recipe"]
    count = runs or len(stored["runs"])
    reference = load(REFERENCE)
    device = reference.start("cpu")
    kind = KINDS[recipe["model"]](reference)
    trained = [{"seed": seed} | kind.run(recipe, seed) for seed in tqdm(range(count), desc=name, unit="run")]
    rule, rates = thresholds.RULES[stored.get("distribution", "normal")]
    found = {what: asdict(rule([run[what] for run in trained])) for what in trained[0] if what != "seed"}
    stored |= {
        "suite": __version__,
        "frameworks": describe(REFERENCE).frameworks,
        "device": device,
        "machine": platform.machine(),
        "rule": rates,
        "limits": found,
        "runs": trained,
    }
    (thresholds.FOLDER / f"{name}.json").write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {found}")  # noqa: T201 - what the command says
    return ExitCode.CONFORMANT
