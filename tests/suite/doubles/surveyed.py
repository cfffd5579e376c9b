"""Implementations for surveys: quick ones, one that is slow, and one that is wrong at every other seed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from doubles.badly_behaved import Array, Implementation, Ops

SECONDS = 0.4


class Slow(Ops):
    """Right in everything, after a while."""

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        time.sleep(SECONDS)
        return super().glorot_uniform(shape, seed)


class WrongAtOddSeeds(Ops):
    """Draws too far at every other seed."""

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        return super().glorot_uniform(shape, seed) * np.float32(1 + seed % 2)


class WrongAtEverySeed(Ops):
    """Draws too far."""

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        return super().glorot_uniform(shape, seed) * np.float32(2)


class Training:
    """Trains nothing, slowly."""

    def fit(self, seed: int, **_: Any) -> tuple[Array, dict[str, Array]]:
        time.sleep(SECONDS)
        return np.full(8, 1 + seed, np.float32), {}

    def evaluate(self, *_: Any) -> float:
        return 0.5


def _having(**attributes: object) -> Implementation:
    made = Implementation()
    vars(made).update(attributes)
    return made


good = _having()
slow = _having(ops=Slow())
flaky = _having(ops=WrongAtOddSeeds())
faulty = _having(ops=WrongAtEverySeed())
training = _having(groups=("training",), training=Training())
