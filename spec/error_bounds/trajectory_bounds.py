"""How far rounding takes a training: each parameter is bounded by how sensitive its own steps are.

Adam divides by the size of the gradients, so what rounding does to a gradient near 0 becomes a step of another size or
sign. A few such elements make up nearly all of the root mean square of a tensor's deviations, and which ones they are
depends on the order of additions: that number has a heavy tail, and no multiple of a few measured ones bounds it. So
what is measured is the rounding of the gradients, whose root mean square hardly differs between orders of additions.
The optimizer then says, element by element, what a gradient off by `FACTOR` times as much makes of the parameter.
Deviations are compared with these bounds, as the root mean square of their ratios.

This holds for both forms of Adam, each with its own steps, and for any way to compute the gradients that rounds no more
than `FACTOR` times what the definition does. An element whose gradients are exactly 0 is bounded by the rounding of the
optimizer alone.
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

# Parameters, and the gradients of every step, to the parameters after the last.
Optimize = Callable[[Parameters, Sequence[Parameters]], Parameters]


def bounds(
    train: Callable[..., Iterable[Step]],
    optimize: Optimize,
    parameters: Parameters,
    exact: Sequence[Step],
    permute: Callable[[Parameters], Iterator[tuple[Any, ...]]],
) -> dict[str, float | Array]:
    """Bound the losses of a training by a number, and each parameter after it element by element.

    Args:
        train: Function of the arguments of a problem, by the definition; keeps the floating-point type.
        optimize: Optimizer of that training, without the losses.
        parameters: Parameters before the first step, float32.
        exact: Steps of that training from there, in float64.
        permute: Function that returns the arguments of `train`, of which it is given the first, in several orders that
            are the same to exact arithmetic. Each time that it is called these are the same orders.

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
        # Towards 0, where steps are the most sensitive, and beyond.
        towards_0 = {name: value - np.sign(value) * FACTOR * off[name] for name, value in gradients[number].items()}
        others = optimize(to_float64(parameters), [*gradients[:number], towards_0, *gradients[number + 1 :]])
        for name, value in last.items():
            found[name] = found[name] + np.abs(others[name] - value)
    return found


def _measure(
    train: Callable[..., Iterable[Step]],
    parameters: Parameters,
    exact: Sequence[Step],
    permute: Callable[[Parameters], Iterator[tuple[Any, ...]]],
) -> tuple[float, list[dict[str, float]]]:
    """Return the largest rounding of the losses, and that of the gradients of each step by name."""
    losses = 0.0
    largest: list[dict[str, float]] = [dict.fromkeys(parameters, 0.0) for _ in exact]
    curve = np.array([step.loss for step in exact])
    # In exact arithmetic, another order of the parameters is the same order of their gradients.
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
