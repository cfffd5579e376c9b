"""Optimizer steps along the gradients of batches: the model-independent part of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from assay.spec.semantics import optimizers
from assay.spec.semantics.layers import Array
from assay.spec.semantics.optimizers import Adam

# Parameters or gradients by name.
Arrays = dict[str, Array]
# Adam's state for each parameter: first and second moment.
Moments = dict[str, tuple[Array, Array]]


class Step(NamedTuple):
    """One step of a training.

    Attributes:
        loss: Loss of the batch before the step.
        gradients: Gradients of the loss, by the names of the parameters.
        update: Function that returns the parameters after the step, and the moments. It is called on demand, so reading
            the loss and gradients alone does not wait for it.

    """

    loss: Array
    gradients: Arrays
    update: Callable[[], tuple[Arrays, Moments]]

    @property
    def parameters(self) -> Arrays:
        """Parameters after the step."""
        return self.update()[0]


def ends(steps: Iterable[Step]) -> tuple[Array, Arrays]:
    """Return the loss of every step, and the parameters after the last."""
    taken = [*steps]
    return np.array([step.loss for step in taken]), taken[-1].parameters


def descend(
    optimizer: str,
    parameters: Arrays,
    batches: Iterable[Callable[[Arrays], tuple[Array, Arrays]]],
    learning_rate: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
    first: int = 1,
    moments: Moments | None = None,
) -> Iterator[Step]:
    """Take one step of an optimizer for each batch.

    Args:
        optimizer: `sgd` or `adam`.
        parameters: Parameters before the first step.
        batches: One function for each batch, from parameters to the loss and gradients of the batch.
        learning_rate: Learning rate of the optimizer.
        adam: Form of Adam, where the optimizer is Adam.
        first: Number of the first step, 1 for a new optimizer.
        moments: Moments of the optimizer before the first step, None for a new optimizer.

    """
    if moments is None:
        moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in parameters.items()}
    step_of = optimizers.OPTIMIZERS[optimizer]
    update = None
    for number, loss_and_gradients_of in enumerate(batches, start=first):
        if update is not None:
            parameters, moments = update()
        loss, gradients = loss_and_gradients_of(parameters)
        take = partial(step_of, step=number, learning_rate=learning_rate, adam=adam)
        update = cache(partial(_update, take, parameters, gradients, moments))
        yield Step(loss, gradients, update)


def _update(
    take: Callable[..., tuple[Array, Array, Array]], parameters: Arrays, gradients: Arrays, moments: Moments
) -> tuple[Arrays, Moments]:
    """Take a step of an optimizer with every parameter."""
    taken = {name: take(value, gradients[name], *moments[name]) for name, value in parameters.items()}
    return (
        {name: parameter for name, (parameter, _, _) in taken.items()},
        {name: (first, second) for name, (_, first, second) in taken.items()},
    )


def optimize(
    optimizer: str,
    parameters: Arrays,
    gradients: Iterable[Arrays],
    learning_rate: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
    first: int = 1,
    moments: Moments | None = None,
) -> Arrays:
    """Return the parameters after one step along each of the given gradients, with the arguments of `descend`."""
    batches = (lambda _parameters, given=given: (np.zeros(()), given) for given in gradients)
    *_, last = descend(optimizer, parameters, batches, learning_rate, adam=adam, first=first, moments=moments)
    return last.parameters
