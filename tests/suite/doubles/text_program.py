"""A training on a text in NumPy, for faults to exchange a part of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import rnn
from assay.alternatives.numpy.optimizers import Adam
from assay.contract import Trained

Batch = tuple[np.ndarray, np.ndarray]
Parameters = dict[str, np.ndarray]
Draw = Callable[..., np.ndarray]


def draw_evenly(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw where windows begin, with replacement."""
    return generator.integers(0, places, batch_size)


def keep_batch(windows: np.ndarray, targets: np.ndarray) -> Batch:
    """Train on a batch as it is."""
    return windows, targets


def keep_parameters(parameters: Parameters, _before: Parameters) -> Parameters:
    """Go on from where a step leads."""
    return parameters


def keep(value: Any) -> Any:
    """Return a value as it is."""
    return value


@dataclass(frozen=True)
class Program:
    """A training whose parts can be exchanged; with none of them it is a correct one.

    Attributes:
        draw: (places, batch_size, generator, step) to where the windows of a batch begin.
        batch: (windows, targets) to what is trained on.
        begin: Initial parameters to those that are trained.
        step: (parameters after a step, before it) to those that the next step goes on from.
        end: Function that chooses the parameters to return.
        gradients: Gradients to what the optimizer gets.
        losses: Losses to what is returned of them.
        optimizer: Learning rate to an optimizer.
        rate: Learning rate and step to the learning rate of that step.
        loss_after: Whether a loss is that of the parameters after the step.
        steps: num_batches to the number of steps.
        length: seq_length to the length of the windows.
        size: batch_size to the number of windows in a batch.

    """

    draw: Draw = draw_evenly
    batch: Callable[[np.ndarray, np.ndarray], Batch] = keep_batch
    begin: Callable[[Parameters], Parameters] = keep
    step: Callable[[Parameters, Parameters], Parameters] = keep_parameters
    end: Callable[[Parameters], Parameters] = keep
    gradients: Callable[[Parameters], Parameters] = keep
    losses: Callable[[np.ndarray], np.ndarray] = keep
    optimizer: Callable[[float], Any] = Adam
    rate: Callable[[float, int], float] = lambda rate, _step: rate
    loss_after: bool = False
    steps: Callable[[int], int] = keep
    length: Callable[[int], int] = keep
    size: Callable[[int], int] = keep

    def __call__(
        self,
        fit: Callable[..., Any],
        indices: np.ndarray,
        num_chars: int,
        *,
        num_batches: int,
        batch_size: int,
        seq_length: int,
        learning_rate: float,
        seed: int,
    ) -> Any:
        """Train; `fit`, which is right, gives the form of the answer alone."""
        generator, model = np.random.default_rng(seed), rnn(num_chars)
        parameters = {name: value.copy() for name, value in self.begin(model.initial(generator)).items()}
        optimizer, losses = self.optimizer(learning_rate), []
        for number, (windows, targets) in enumerate(
            self._batches(indices, self.length(seq_length), batch_size, num_batches, generator)
        ):
            loss, gradients = model.loss_and_gradients(parameters, windows, targets)
            before = {name: value.copy() for name, value in parameters.items()}
            optimizer.learning_rate = self.rate(learning_rate, number)
            optimizer.step(parameters, self.gradients(gradients))
            parameters = {name: value.copy() for name, value in self.step(parameters, before).items()}
            if self.loss_after:
                loss, _ = model.loss_and_gradients(parameters, windows, targets)
            losses.append(loss)
        losses = (losses + losses[-1:] * num_batches)[:num_batches]
        return Trained(self.losses(np.array(losses, np.float32)), self.end(parameters))

    def _batches(
        self, indices: np.ndarray, length: int, batch_size: int, num_batches: int, generator: np.random.Generator
    ) -> Iterator[Batch]:
        places = max(1, len(indices) - length)
        for number in range(self.steps(num_batches)):
            starts = self.draw(places, self.size(batch_size), generator, number) % places
            windows = indices[starts[:, None] + np.arange(length)]
            yield self.batch(windows, indices[np.minimum(starts + length, len(indices) - 1)])
