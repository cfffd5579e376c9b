"""Implementations of the linear model whose steps take as long as they are set to, and some that give no result."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STEP = 0.002


class Paced:
    """It learns nothing, at its own pace."""

    version = "1.0"
    distributions = ()
    groups = ("models",)

    def __init__(self, name: str, seconds: float, after: Callable[[Array], Array] = lambda losses: losses) -> None:
        self.name = name
        self.seconds = seconds
        self.after = after

    @property
    def models(self) -> Paced:
        return self

    def start(self, device: str) -> str:
        return device

    def initial_parameters(self, _model: str, _seed: int) -> dict[str, Array]:
        return {"dense/kernel": np.zeros((3, 1), np.float32), "dense/bias": np.zeros(1, np.float32)}

    def train(
        self, _model: str, parameters: dict[str, Array], inputs: Array, _targets: Array, _learning_rate: float
    ) -> tuple[Array, dict[str, Array]]:
        time.sleep(self.seconds * len(inputs))
        return self.after(np.zeros(len(inputs), np.float32)), parameters


def _crash(_losses: Array) -> Array:
    os._exit(0)


def _hang(losses: Array) -> Array:
    time.sleep(1000)
    return losses


def _raise(_losses: Array) -> Array:
    msg = "out of patience"
    raise RuntimeError(msg)


steady = Paced("steady", STEP)
slower = Paced("steady", 1.5 * STEP)
other = Paced("other", 2 * STEP)
crashing = Paced("crashing", STEP, _crash)
hanging = Paced("hanging", STEP, _hang)
raising = Paced("raising", STEP, _raise)
lazy = Paced("lazy", STEP, lambda losses: losses[1:])
undefined = Paced("undefined", STEP, lambda losses: losses * np.nan)
