"""Measured bounds on the float32 error of a whole network, since a-priori bounds are too wide to detect anything.

A network computes the same function if its input features, hidden units, filters and the examples of a batch are
reordered, with the parameters reordered to match. The same holds for a convolutional network whose images and kernels
are mirrored, if padding and pooling are symmetrical. In exact arithmetic nothing changes; in float32 every sum is added
in another order. So the definition is evaluated in float32 in several such orders, and compared with float64 in the
same order. The differences are the rounding error for this input. The bound is `FACTOR` times the largest of them. If
there is only one number to compare, such as a loss, a few orders may agree with float64 by chance. So the bound is at
least the relative error of storing the result in float32, `U`.

If products may be less precise than float32, the definition rounds their factors in the forward and backward pass: to
the nearest in half of the orders, by truncation in the others. The problems are the same as for float32. So at a lower
precision some of their decisions do depend on rounding, and the measurement includes that effect.

Deviations are compared as root mean squares over a tensor. Single elements have no useful bound: where a gradient
nearly cancels, the first step of Adam follows the sign of the remainder. The number of such elements is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from assay.spec.error_bounds.rounding import U
from assay.spec.semantics.layers import Array
from assay.spec.semantics.models import MODELS, Parameters, layer_outputs, steps
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import use_precision
from assay.spec.semantics.products import cutting_off

# Separates correct implementations from faulty ones. Over 30 problems for the MLP, further orders of the definition
# deviated by at most 1.7 times the largest deviation of four orders. The reference, compiled by XLA and by Eigen,
# deviated by at most 2.6 times. With parameters and inputs rounded to TF32, every tensor deviated by at least 17 times.
# `tests/suite/test_bounds.py` measures both sides again.
FACTOR = 8.0
PERMUTATIONS = 4
# Keras clips probabilities at 1e-7. Other implementations clip elsewhere or not at all.
SMALLEST_PROBABILITY = 1e-6

# Axes on which neighbours matter are only mirrored. Axes of outputs keep their order, to match the labels.
MIRRORED = ("row", "column")
FIXED = {*MIRRORED, "channel", "class", "unit", "time", "gate", "character"}

Tree = Mapping[str, Array]
Evaluate = Callable[[Parameters, Array, Array], Tree]


def root_mean_square(values: Array) -> float:
    """Return the root mean square of all elements."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def compare_to_bound(difference: Array, bound: float | Array) -> float:
    """Return the root mean square ratio of a difference to its bound; a bound of 0 allows no difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return root_mean_square(np.where(difference == 0, 0.0, difference / np.asarray(bound, np.float64)))


def to_float64(tree: Any) -> Any:  # noqa: ANN401 - an array, or a dictionary of arrays
    """Convert float32 arrays to float64, and leave others unchanged."""
    if isinstance(tree, dict):
        return {name: to_float64(branch) for name, branch in tree.items()}
    return tree.astype(np.float64) if tree.dtype == np.float32 else tree


def bounds(
    evaluate: Evaluate,
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    *,
    batch_axis: int = 0,
    exact: Tree | None = None,
) -> dict[str, float]:
    """Bound the root mean square deviation of every tensor that `evaluate` returns.

    Args:
        evaluate: Function of the definition from (parameters, inputs, targets) to named arrays. It keeps the dtype.
        model: Name of the model.
        parameters: Parameters, float32.
        inputs: Inputs of the model, float32.
        targets: Targets of the loss.
        batch_axis: Axis of `inputs` and `targets` for the examples of a batch.
        exact: Result of `evaluate` in float64, if it is known and consists of scalars and gradients.

    Returns:
        `FACTOR` times the largest deviation in `PERMUTATIONS` orders, by name.

    """

    def permute(tree: Parameters) -> Iterator[tuple[Any, ...]]:
        return permutations(model, tree, inputs, targets, batch_axis=batch_axis, count=PERMUTATIONS)

    return bounds_over(evaluate, permute(parameters), None if exact is None else permute_gradients(exact, permute))


def permute_gradients(exact: Tree, permute: Callable[[Parameters], Iterator[tuple[Any, ...]]]) -> Iterator[Tree]:
    """Yield scalars and gradients of a problem for each of its orders; exact arithmetic only reorders the gradients.

    Args:
        exact: Scalars, and gradients by the names of the parameters.
        permute: Function that yields the arguments of a problem, given the first, in several orders.

    """
    numbers = {name: value for name, value in exact.items() if np.ndim(value) == 0}
    gradients = {name: value for name, value in exact.items() if name not in numbers}
    for reordered, *_ in permute(gradients):
        yield numbers | reordered


def bounds_over(
    evaluate: Callable[..., Tree], orders: Iterable[tuple[Any, ...]], exact: Iterable[Tree] | None = None
) -> dict[str, float]:
    """Bound any function as `bounds` does; the caller supplies the orders of the arguments.

    Args:
        evaluate: Function from the arguments of a problem to named arrays, as for `bounds`.
        orders: Float32 arguments in several orders that are equivalent in exact arithmetic.
        exact: Result of `evaluate` in float64 for each order, if it is known.

    """
    largest: dict[str, float] = {}
    known: Iterable[Tree | None] = repeat(None) if exact is None else exact
    for number, (problem, in_float64) in enumerate(zip(orders, known, strict=False)):
        with cutting_off(cut_off=number % 2 == 1):
            single = evaluate(*problem)
        double = evaluate(*map(to_float64, problem)) if in_float64 is None else in_float64
        largest = largest or {name: U * root_mean_square(value) for name, value in single.items()}
        for name, deviation in _apart(single, double).items():
            largest[name] = max(largest[name], deviation)
    return {name: FACTOR * deviation for name, deviation in largest.items()}


def bounds_of_parts(of_batch: Mapping[str, float], examples: int, parts: Sequence[int]) -> dict[str, float]:
    """Bound the difference between the mean gradient of a batch and the weighted mean of those of its parts.

    Rounding of a mean grows at most with the number of its terms. In a mean over fewer examples, each has a larger
    share of the result.

    Args:
        of_batch: Bounds of the mean gradients of a batch, by name.
        examples: Number of examples in that batch.
        parts: Numbers of examples in the parts of the batch.

    """

    def growth(number: int) -> float:
        return max(number / examples, examples / number)

    total = sum(parts)
    factor = growth(total) + sum(part / total * growth(part) for part in parts)
    return {name: factor * bound for name, bound in of_batch.items()}


def deviations(evaluate: Callable[..., Tree], *problem: Any) -> dict[str, float]:  # noqa: ANN401 - what `evaluate` takes
    """Return the root mean square difference between float32 and float64, by name."""
    return _apart(evaluate(*problem), evaluate(*map(to_float64, problem)))


def _apart(single: Tree, double: Tree) -> dict[str, float]:
    return {name: root_mean_square(single[name] - double[name]) for name in double}


@use_precision("float32")
def is_well_conditioned(
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    learning_rate: float | None = None,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> bool:
    """Whether float32 rounding cannot change a decision of a network: the sign before a ReLU, the largest of a window.

    The margin of each decision must exceed `FACTOR` times the error that float32 causes in such margins. A changed
    decision affects a gradient far more than rounding does. In a training, the probability of each label must also be
    far from the limits at which some implementations clip.

    Args:
        model: Name of the model.
        parameters: Parameters, float32.
        inputs: Float32, [batch, ...]; with a learning rate [steps, batch, ...].
        targets: Targets of the loss.
        learning_rate: Learning rate of a training on these batches; every step is checked.
        adam: Form of Adam, where the optimizer is Adam.

    """
    double = to_float64(parameters), to_float64(inputs), to_float64(targets)
    if learning_rate is None:
        return has_safe_margins(model, (parameters, inputs), double[:2])
    single = _steps(model, (parameters, inputs, targets), learning_rate, adam=adam)
    exact = [*_steps(model, double, learning_rate, adam=adam)]
    return all(
        _is_far_from_clipping(model, *step, labels) for step, labels in zip(exact, targets, strict=True)
    ) and all(has_safe_margins(model, *step) for step in zip(single, exact, strict=True))


def _is_far_from_clipping(model: str, parameters: Parameters, inputs: Array, labels: Array) -> bool:
    """Whether the probability of each label is above the limits at which implementations clip: 1e-7 in Keras."""
    *_, probabilities = layer_outputs(model, parameters, inputs).values()
    return bool(probabilities[np.arange(len(labels)), labels].min() > SMALLEST_PROBABILITY)


def _steps(
    model: str, problem: tuple[Parameters, Array, Array], learning_rate: float, *, adam: Adam
) -> Iterator[tuple[Parameters, Array]]:
    """Yield the parameters before each step of a training, and its batch."""
    parameters, inputs, _ = problem
    yield parameters, inputs[0]
    trained = steps(model, *problem, learning_rate, adam=adam)
    for batch, step in zip(inputs[1:], trained, strict=False):
        yield step.parameters, batch


@use_precision("float32")
def has_safe_margins(model: str, single: tuple[Parameters, Array], double: tuple[Parameters, Array]) -> bool:
    """Whether every decision's margin in float64 exceeds `FACTOR` times its error in float32.

    Args:
        model: Name of the model.
        single: Parameters and inputs, float32.
        double: The same parameters and inputs, float64.

    """
    decisions = MODELS[model].decisions
    rounded, exact = decisions(*single), decisions(*double)
    for name, margins in exact.items():
        finite = np.isfinite(margins) & np.isfinite(rounded[name])
        rounding = root_mean_square(rounded[name][finite] - margins[finite])
        if margins.min() <= FACTOR * rounding:
            return False
    return True


def permutations(
    model: str,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    *,
    batch_axis: int,
    count: int,
    seed: int = 0,
) -> Iterator[tuple[Parameters, Array, Array]]:
    """Yield the same problem with its axes in `count` random orders."""
    generator = np.random.default_rng(seed)
    known = MODELS[model]
    axes = {"inputs": known.input_axes, **known.axes}
    split = {"inputs": inputs.shape[batch_axis + 1 :]} | {name: value.shape for name, value in parameters.items()}
    split |= known.split
    lengths = {axis: length for name in split for axis, length in zip(axes[name], split[name], strict=True)}
    for _ in range(count):
        order: dict[str, Any] = {axis: generator.permutation(n) for axis, n in lengths.items() if axis not in FIXED}
        order |= {axis: slice(None, None, int(generator.choice((-1, 1)))) for axis in MIRRORED}
        order["example"] = generator.permutation(inputs.shape[batch_axis])
        batch = inputs.reshape(*inputs.shape[: batch_axis + 1], *split["inputs"])
        leading = ("step",) * batch_axis + ("example",)
        yield (
            {
                name: _reorder(value.reshape(split[name]), axes[name], order).reshape(value.shape)
                for name, value in parameters.items()
            },
            _reorder(batch, leading + axes["inputs"], order).reshape(inputs.shape),
            _reorder(targets, leading, order),
        )


def _reorder(value: Array, axes: tuple[str, ...], order: Mapping[str, Any]) -> Array:
    for position, axis in enumerate(axes):
        if axis in MIRRORED:
            value = value[(slice(None),) * position + (order[axis],)]
        elif axis in order:
            value = np.take(value, order[axis], axis=position)
    return value
