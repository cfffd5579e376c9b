"""Steps of a new MobileNetV2 on one small batch, for tests and for stored runs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from assay.contract import Array
from assay.spec.vectors import read
from assay.testing.assertions import assert_form

PROGRAM = read("flowers")


class Batch(NamedTuple):
    """Images of the smallest size that MobileNetV2 takes, and labels with equally many of each class.

    Attributes:
        images: Float32 [20, 32, 32, 3].
        labels: Int32 [20].

    """

    images: Array
    labels: Array


def draw_batch(seed: int) -> Batch:
    """Draw the images of a batch."""
    count = 4 * PROGRAM["classes"]
    images = np.random.default_rng(seed).random((count, 32, 32, 3), np.float32)
    return Batch(images, np.arange(count, dtype=np.int32) % PROGRAM["classes"])


def train(applications: Any, batch: Batch, seed: int, *, steps: int, learning_rate: float) -> Array:  # noqa: ANN401 - a group or its proxy
    """Train a new MobileNetV2 on one batch, over and over, and return the loss before each step.

    Raises:
        NonConformanceError: The losses have another shape or dtype.

    """
    images, labels = (np.stack([array] * steps) for array in batch)
    options = {"classes": PROGRAM["classes"], "learning_rate": learning_rate, "seed": seed}
    return assert_form("the losses", applications.train(PROGRAM["network"], images, labels, **options), (steps,))


class Runs:
    """Short trainings of an implementation whose results are stored."""

    def __init__(self, implementation: Any) -> None:  # noqa: ANN401 - it declares the groups that it has
        """Select the group of predefined networks."""
        self._applications = implementation.applications

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Return by how much the loss falls in one step."""
        options = {"steps": recipe["steps"], "learning_rate": recipe["learning_rate"]}
        first, second = train(self._applications, draw_batch(seed), seed, **options)
        return {"fall": float(first) - float(second)}
