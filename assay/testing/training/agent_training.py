"""Whole trainings of the agent on CartPole: what a test and a stored run are both made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import INT, Array
from assay.testing.assertions import assert_form
from assay.testing.thresholds import threshold

# So many episodes in a row are long by more than chance.
WINDOW = 10


def best_stretch(scores: Array) -> float:
    """Return the mean number of steps of the best `WINDOW` episodes in a row.

    What the agent forgets later takes nothing away from it, and a single lucky episode adds little to it.
    """
    steps = np.asarray(scores, float) + 1
    return float(np.convolve(steps, np.ones(WINDOW) / WINDOW, mode="valid").max())


def train(agent: Any, recipe: dict[str, Any], seed: int) -> dict[str, Any]:  # noqa: ANN401 - a group or its proxy
    """Train by a recipe, and return scores, losses and parameters.

    Raises:
        NonConformanceError: Scores or losses have another form.

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
        attempt: A seed to what `train` returns.
        seed: Seed of the first attempt.
        evidence: Function that records the scores of the last attempt.

    Raises:
        NonConformanceError: None of them reaches it.

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
        f"the best {WINDOW} episodes in a row have {', '.join(f'{best:.1f}' for best in found)} steps in {len(found)}"
        f" trainings, all below {rule.lower:.1f}, the worst of {len(known.runs)} runs of the reference"
    )
    raise NonConformanceError(msg)


class Runs:
    """Trainings of an implementation whose results are stored."""

    def __init__(self, implementation: Any) -> None:  # noqa: ANN401 - it declares the groups that it has
        """Take the group that trains."""
        self._agent = implementation.agent

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Return what is stored of one."""
        # A mean of whole numbers: the sum adds digits to it that mean nothing.
        return {"best_stretch": round(best_stretch(train(self._agent, recipe, seed)["scores"]), 6)}
