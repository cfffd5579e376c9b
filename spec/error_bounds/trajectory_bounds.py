"""Bounds on the effect of rounding on a training, from the sensitivity of each parameter's steps.

Adam divides by the size of the gradients, so rounding of a gradient near 0 changes the size or sign of a step. A few
such elements make up nearly all of the root mean square deviation of a tensor, and which elements these are depends on
the order of additions. So the deviation of the parameters has a heavy tail, and no multiple of a few measurements
bounds it. The rounding of the gradients has a root mean square that hardly differs between orders of additions, so that
is what is measured. The optimizer then shows, element by element, how much a gradient that is off by `FACTOR` times
as much changes the parameter. Deviations are compared with these bounds by the root mean square of their ratios.

The bounds hold for both forms of Adam, each with its own steps. They hold for any computation of the gradients whose
rounding error is at most `FACTOR` times that of the definition. An element whose gradients are exactly 0 is bounded by
the rounding of the optimizer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from assay.spec.error_bounds.measured_bounds import FACTOR, root_mean_square, to_float64
from assay.spec.error_bounds.rounding import U
from assay.spec.semantics.descent import Step
from assay.spec.semantics.layers import Array
from assay.spec.semantics.models import Parameters
from assay.spec.semantics.products import cutting_off


def bounds(
    train: Callable[..., Iterable[Step]],
    optimize: Callable[..., Parameters],
    parameters: Parameters,
    exact: Sequence[Step],
    permute: Callable[[Parameters], Iterator[tuple[Any, ...]]],
) -> dict[str, float | Array]:
    """Bound the losses of a training by a single number, and the final parameters element by element.

    Args:
        train: Definition of the training, a function of the arguments of a problem. It keeps the floating-point type.
        optimize: `descent.optimize` with the optimizer of that training.
        parameters: Parameters before the first step, float32.
        exact: Steps of that training from these parameters, in float64.
        permute: Function that returns the arguments of `train`, given the first, in several orders that are equivalent
            in exact arithmetic. It returns the same orders on every call.

    """
    losses, rounding = _measure(train, parameters, exact, permute)
    gradients, last = [step.gradients for step in exact], exact[-1].parameters
    rounded = [{name: value.astype(np.float32) for name, value in one.items()} for one in gradients]
    in_float32 = optimize(parameters, rounded)
    found: dict[str, float | Array] = {"losses": FACTOR * losses}
    for name, value in last.items():
        least = max(root_mean_square(in_float32[name] - value), U * root_mean_square(value))
        found[name] = np.full(value.shape, FACTOR * least)
    for number, off in enumerate(rounding):
        # Moves the gradients towards 0, where steps are most sensitive, and past it.
        towards_0 = {name: value - np.sign(value) * FACTOR * off[name] for name, value in gradients[number].items()}
        before, moments = exact[number - 1].update() if number else (to_float64(parameters), None)
        others = optimize(before, [towards_0, *gradients[number + 1 :]], first=number + 1, moments=moments)
        for name, value in last.items():
            found[name] = found[name] + np.abs(others[name] - value)
    return found


def _measure(
    train: Callable[..., Iterable[Step]],
    parameters: Parameters,
    exact: Sequence[Step],
    permute: Callable[[Parameters], Iterator[tuple[Any, ...]]],
) -> tuple[float, list[dict[str, float]]]:
    """Return the largest rounding error of the losses, and of each step's gradients by name."""
    losses = 0.0
    largest: list[dict[str, float]] = [dict.fromkeys(parameters, 0.0) for _ in exact]
    curve = np.array([step.loss for step in exact])
    # In exact arithmetic, reordering the parameters reorders their gradients in the same way.
    reordered = zip(*((gradients for gradients, *_ in permute(step.gradients)) for step in exact), strict=True)
    for number, (problem, gradients) in enumerate(zip(permute(parameters), reordered, strict=True)):
        with cutting_off(cut_off=number % 2 == 1):
            single = [*train(*problem)]
        rounded = np.array([step.loss for step in single])
        losses = max(losses, root_mean_square(rounded - curve), U * root_mean_square(curve))
        for found, one, other in zip(largest, single, gradients, strict=True):
            for name, value in other.items():
                found[name] = max(found[name], _deviation(one.gradients[name], value))
    return losses, largest


def _deviation(single: Array, double: Array) -> float:
    return max(root_mean_square(single - double), U * root_mean_square(double))
