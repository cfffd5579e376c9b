"""Whole trainings of the agent on CartPole, for tests and for stored runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import INT, Array
from assay.testing.assertions import assert_form
from assay.testing.thresholds import threshold

# Number of successive episodes that are rarely all long by chance.
WINDOW = 10


def best_stretch(scores: Array) -> float:
    """Return the mean number of steps of the best `WINDOW` successive episodes.

    Later forgetting does not lower it, and a single lucky episode hardly raises it.
    """
    steps = np.asarray(scores, float) + 1
    return float(np.convolve(steps, np.ones(WINDOW) / WINDOW, mode="valid").max())


def train(agent: Any, recipe: dict[str, Any], seed: int) -> dict[str, Any]:  # noqa: ANN401 - a group or its proxy
    """Train by a recipe, and return scores, losses and parameters.

    Raises:
        NonConformanceError: Scores or losses have another shape or dtype.

    """
    arguments = {name: value for name, value in recipe.items() if name != "model"}
    scores, losses, parameters = agent.fit(**arguments, seed=seed)
    return {
        "scores": assert_form("the scores", scores, (recipe["num_episodes"],), INT),
        "losses": assert_form("the losses", losses, (np.size(losses),)),
        "parameters": dict(parameters),
    }


def assert_learns(
    name: str, attempt: Callable[[int], dict[str, Any]], seed: int, evidence: Callable[..., None]
) -> None:
    """Train until a training reaches the limit of a threshold, as often as its rule allows.

    Args:
        name: Name of the threshold.
        attempt: Function from a seed to the result of `train`.
        seed: Seed of the first attempt.
        evidence: Function that records the scores of the last attempt.

    Raises:
        NonConformanceError: No training reaches the limit.

    """
    __tracebackhide__ = True
    known = threshold(name)
    rule = known.worst("best_stretch")
    found = []
    for number in range(rule.attempts):
        scores = attempt(seed + number)["scores"]
        found.append(best_stretch(scores))
        evidence(scores={"scores": scores.tolist(), "limit": rule.lower, "window": WINDOW, "best": found[-1]})
        if found[-1] >= rule.lower:
            return
    msg = (
        f"the best {WINDOW} successive episodes have {', '.join(f'{best:.1f}' for best in found)} steps on average in"
        f" {len(found)} trainings, all below {rule.lower:.1f}, the worst of {len(known.runs)} runs of the reference"
    )
    raise NonConformanceError(msg)


class Runs:
    """Trainings of an implementation whose results are stored."""

    def __init__(self, implementation: Any) -> None:  # noqa: ANN401 - it declares the groups that it has
        """Select the group that trains."""
        self._agent = implementation.agent

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Train once, and return the results to store."""
        # A mean of whole numbers has no more digits than these.
        return {"best_stretch": round(best_stretch(train(self._agent, recipe, seed)["scores"]), 6)}
