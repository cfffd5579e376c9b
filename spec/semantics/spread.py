"""How far float32 takes a whole network from the definition: measured, as a-priori bounds detect nothing.

A network stays the same function when its input features, its hidden units and the examples of a batch are put
in another order, with the parameters reordered to match. In exact arithmetic nothing changes; in float32 every sum
is then added in another order. Evaluating the definition in float32 in several such orders, against float64 in the
same order, therefore shows how much of a result is rounding, for this very input. `FACTOR` times the largest
deviation seen is the bound. A few orders may by chance agree with float64 where there is but one number to compare,
such as a loss, so what storing the result itself in float32 may cost, `U` relative, is the least.

Deviations are compared as root mean squares over a tensor: where a gradient nearly cancels, the first step of Adam
follows the sign of what is left, so single elements have no useful bound, but their number does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from spec.semantics.layers import Array
from spec.semantics.models import MODELS, Parameters
from spec.semantics.rounding import U

# Between what has to pass and what must not. Over 30 problems for the MLP, other orders of the definition came to at
# most 1.7 times the largest deviation of four orders, and the reference, compiled by XLA and by Eigen, to 2.6 times.
# With parameters and inputs rounded as TF32 rounds them every tensor came to at least 17 times.
# `tests/suite/test_bounds.py` measures both sides again.
FACTOR = 8.0
ORDERS = 4

Tree = Mapping[str, Array]
Evaluate = Callable[[Parameters, Array, Array], Tree]


def root_mean_square(values: Array) -> float:
    """Root mean square of all elements: one number for a tensor."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def wide(tree: Any) -> Any:  # noqa: ANN401 - an array, or a dictionary of arrays
    """Make float32 arrays float64, and leave the others alone."""
    if isinstance(tree, dict):
        return {name: wide(branch) for name, branch in tree.items()}
    return tree.astype(np.float64) if tree.dtype == np.float32 else tree


def bounds(
    evaluate: Evaluate,
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    *,
    batch_axis: int = 0,
) -> dict[str, float]:
    """Bound the root mean square deviation of every tensor that `evaluate` returns.

    Args:
        evaluate: (parameters, inputs, targets) to named arrays, by the definition; keeps the floating-point type.
        model: which.
        parameters: float32.
        inputs: float32.
        targets: of the loss.
        batch_axis: the axis of `inputs` and `targets` that runs over the examples of a batch.

    Returns:
        `FACTOR` times the largest deviation in `ORDERS` orders, by name.

    """
    stored = evaluate(parameters, inputs, targets)
    largest = {name: U * root_mean_square(value) for name, value in stored.items()}
    for problem in reorderings(model, parameters, inputs, targets, batch_axis=batch_axis, count=ORDERS):
        for name, deviation in deviations(evaluate, *problem).items():
            largest[name] = max(largest[name], deviation)
    return {name: FACTOR * deviation for name, deviation in largest.items()}


def deviations(evaluate: Evaluate, parameters: Parameters, inputs: Array, targets: Array) -> dict[str, float]:
    """Root mean square of what float32 changes, by name."""
    single = evaluate(parameters, inputs, targets)
    double = evaluate(wide(parameters), wide(inputs), wide(targets))
    return {name: root_mean_square(single[name] - double[name]) for name in double}


def reorderings(
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    *,
    batch_axis: int,
    count: int,
    seed: int = 0,
) -> Iterator[tuple[Parameters, Array, Array]]:
    """Yield the same problem in `count` random orders of features, hidden units and examples."""
    generator = np.random.default_rng(seed)
    axes = MODELS[model].axes
    lengths = {
        axis: length
        for name, value in parameters.items()
        for axis, length in zip(axes[name], value.shape, strict=True)
        if axis not in {"class", "unit"}
    }
    for _ in range(count):
        order = {axis: generator.permutation(length) for axis, length in lengths.items()}
        reordered = {name: _reorder(value, axes[name], order) for name, value in parameters.items()}
        examples = generator.permutation(inputs.shape[batch_axis])
        batch = np.take(inputs, examples, axis=batch_axis)
        features = batch.reshape(*batch.shape[: batch_axis + 1], -1)[..., order["feature"]].reshape(batch.shape)
        yield reordered, features, np.take(targets, examples, axis=batch_axis)


def _reorder(value: Array, axes: tuple[str, ...], order: Mapping[str, Array]) -> Array:
    for position, axis in enumerate(axes):
        if axis in order:
            value = np.take(value, order[axis], axis=position)
    return value
