"""Make the stored runs anew: `assay calibrate NAME` trains the reference with one seed after the other."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from assay import __version__, data, limits
from assay.contract import Array
from assay.errors import ExitCode
from assay.implementations import describe, load
from spec.semantics.datasets import preprocess

REFERENCE = "reference"


def main(name: str | None, runs: int | None) -> int:
    """Calibrate one threshold, or list them all."""
    if name is None:
        for one in limits.names():
            print(one)  # noqa: T201 - what the command says
        return ExitCode.CONFORMANT
    stored = limits.content(name)
    count = runs or len(stored["runs"])
    reference = load(REFERENCE)
    device = reference.start("cpu")
    mnist = data.mnist()
    train_set, test_set = examples(mnist.x_train, mnist.y_train), examples(mnist.x_test, mnist.y_test)
    training: Any = reference.training  # type: ignore[attr-defined]  # the reference declares every group
    trained = [
        {"seed": seed} | summary(train(training, stored["recipe"], train_set, test_set, seed), len(test_set.labels))
        for seed in tqdm(range(count), desc=name, unit="run")
    ]
    found = {what: asdict(limits.limits([run[what] for run in trained])) for what in trained[0] if what != "seed"}
    stored |= {
        "suite": __version__,
        "frameworks": describe(REFERENCE).frameworks,
        "device": device,
        "machine": platform.machine(),
        "rule": {
            "false_alarm": limits.FALSE_ALARM,
            "confidence": limits.CONFIDENCE,
            "detection": limits.DETECTION,
        },
        "limits": found,
        "runs": trained,
    }
    (limits.FOLDER / f"{name}.json").write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {found}")  # noqa: T201 - what the command says
    return ExitCode.CONFORMANT


class Examples(NamedTuple):
    """What a model takes.

    Attributes:
        images: float32 [n, 28, 28, 1].
        labels: int32 [n].

    """

    images: Array
    labels: Array


def examples(images: Array, labels: Array) -> Examples:
    """Preprocess as the definition does, in float32."""
    scaled, classes = preprocess(images, labels)
    return Examples(scaled.astype(np.float32), classes)


def train(
    training: Any,  # noqa: ANN401 - the group of an implementation, under guard or not
    recipe: dict[str, Any],
    train_set: Examples,
    test_set: Examples,
    seed: int,
) -> dict[str, Any]:
    """Train by a recipe, evaluate, and return losses, parameters, and the accuracy on new and on known images.

    The known ones are the first of the training set, as many as the test set has.
    """
    losses, parameters = training.fit(images=train_set.images, labels=train_set.labels, seed=seed, **recipe)
    known = Examples(*(values[: len(test_set.labels)] for values in train_set))
    accuracy, train_accuracy = (
        float(training.evaluate(recipe["model"], parameters, *examples, recipe["batch_size"]))
        for examples in (test_set, known)
    )
    return {
        "losses": np.asarray(losses),
        "parameters": dict(parameters),
        "accuracy": accuracy,
        "train_accuracy": train_accuracy,
    }


def summary(trained: dict[str, Any], count: int) -> dict[str, float]:
    """Return what is stored of a training: its accuracies on `count` images each, and the mean loss of each quarter."""
    # An accuracy is a share of the images: float32 adds digits to it that mean nothing.
    exact = {what: round(trained[what] * count) / count for what in ("accuracy", "train_accuracy")}
    return exact | dict(zip(limits.QUARTERS, limits.quarters(trained["losses"]), strict=True))
