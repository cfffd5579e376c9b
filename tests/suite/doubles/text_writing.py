"""A program in NumPy that generates text, for faults to exchange a part of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.alternatives.numpy.models import rnn


def pick(probabilities: np.ndarray, point: float) -> int:
    """Return the character whose part of the probabilities a point falls into."""
    return int(min(np.searchsorted(np.cumsum(probabilities), point, side="right"), len(probabilities) - 1))


class Writer:
    """A correct program that writes, whose parts can be exchanged.

    Attributes:
        shown: (window, text so far, number of characters) to what the network sees.
        draw: (probabilities, generator, number of draws) to a character.
        temperature: (temperature, number of draws) to that of this draw.
        seeds: Seed to that of the generator.

    """

    def __init__(
        self,
        shown: Callable[[np.ndarray], np.ndarray] = lambda window: window,
        draw: Callable[[np.ndarray, np.random.Generator, int], int] | None = None,
        temperature: Callable[[float, int], float] = lambda temperature, _number: temperature,
        generator: Callable[[int], np.random.Generator] = np.random.default_rng,
        roll: Callable[[np.ndarray, int, int], np.ndarray] = lambda window, one, _number: np.append(window[1:], one),
    ) -> None:
        """Take the parts."""
        self.shown, self.temperature, self.generator, self.roll = shown, temperature, generator, roll
        self.draw = draw or (lambda probabilities, generator, _number: pick(probabilities, generator.random()))

    def __call__(
        self,
        generate: Callable[..., np.ndarray],
        parameters: dict[str, np.ndarray],
        window: np.ndarray,
        *,
        temperature: float,
        count: int,
        seed: int,
    ) -> np.ndarray:
        """Write; what is refused is left to the right program."""
        if not temperature > 0:
            return generate(parameters, window, temperature=temperature, count=count, seed=seed)
        model, generator, text = rnn(len(parameters["dense/bias"])), self.generator(seed), []
        for number in range(count):
            logits = model.outputs(parameters, self.shown(window)[None])["dense"][0].astype(np.float64)
            scaled = logits / self.temperature(temperature, number)
            probabilities = np.exp(scaled - scaled.max())
            text.append(self.draw(probabilities / probabilities.sum(), generator, number))
            window = self.roll(window, text[-1], number).astype(np.int32)
        return np.array(text, np.int32)
