"""Make the stored runs anew: `assay calibrate NAME` trains the reference with one seed after the other."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from typing import Any

from tqdm import tqdm

from assay import __version__, data, limits
from assay.contract import Implementation
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
    device = load(REFERENCE).start("cpu")
    trained = [
        {"seed": seed} | train(load(REFERENCE), stored["recipe"], seed)
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


def train(implementation: Implementation, recipe: dict[str, Any], seed: int) -> dict[str, float]:
    """Train once on MNIST, and return the accuracy on the test set and the mean loss of each quarter of the batches."""
    mnist = data.mnist()
    training: Any = implementation.training  # type: ignore[attr-defined]  # the reference declares every group
    images, labels = float32(mnist.x_train, mnist.y_train)
    trained = training.fit(images=images, labels=labels, seed=seed, **recipe)
    test_images, test_labels = float32(mnist.x_test, mnist.y_test)
    accuracy: float = training.evaluate(
        recipe["model"], trained.parameters, test_images, test_labels, recipe["batch_size"]
    )
    # The accuracy is a share of the test images: float32 adds digits to it that mean nothing.
    exact = round(accuracy * len(test_labels)) / len(test_labels)
    return {"accuracy": exact} | dict(zip(limits.QUARTERS, limits.quarters(trained.losses), strict=True))


def float32(images: Any, labels: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays
    """Preprocess as the definition does, in float32."""
    scaled, classes = preprocess(images, labels)
    return scaled.astype("float32"), classes
