"""Initial parameters of an RNN: what the document says, and what frameworks do where it is silent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import combinations, pairwise

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import root_mean_square, to_float64
from assay.spec.semantics.initializers import fans, glorot_limit, orthogonal
from assay.spec.semantics.models import UNITS
from assay.testing.assertions import assert_equal, assert_within
from assay.testing.chances import chance_of_independent_draws
from assay.testing.draws import mirrored_halves
from assay.testing.thresholds import FALSE_ALARM

Checks = dict[str, Callable[[], object]]

GATES = 4
# Limit of the uniform draws that initialise PyTorch's LSTM.
DRAWN_TO = 1 / math.sqrt(UNITS)


def assert_glorot_uniform(name: str, kernel: Array) -> None:
    """Check that the elements are within the limit and uniformly distributed."""
    limit = glorot_limit(*fans(kernel.shape))
    assert_within(name, kernel, np.zeros(kernel.shape), limit * (1 + rounding.gamma(rounding.SQRT)))
    probability = chance_of_independent_draws(to_float64(kernel).ravel(), -limit, limit)
    _require(
        probability > FALSE_ALARM,
        f"{name}: independent uniform draws are as uneven, or as even, with a probability of {probability:.3g}",
    )


def check_recurrent_kernel(name: str, kernel: Array) -> Checks:
    """Return a check of the recurrent kernel for each permitted result."""
    gates = np.split(to_float64(kernel), GATES, axis=1)

    def check_directions(*kernels: Array) -> None:
        _assert_directions_apart(name, gates)
        _assert_orthogonal(*kernels)

    def check_uniform() -> None:
        _assert_even(name, to_float64(kernel).ravel(), DRAWN_TO)
        _assert_products_near_0([*_gate_pairs(name, [gate / DRAWN_TO for gate in gates])])

    return {
        "orthogonal": partial(check_directions, kernel),
        "orthogonal-gates": partial(check_directions, *gates),
        "uniform": check_uniform,
    }


def check_bias(name: str, bias: Array) -> Checks:
    """Return a check of the cell's bias for each permitted result."""

    def drawn() -> None:
        # The distribution function of a sum of two uniform draws maps such sums to uniform draws.
        shares = np.clip(to_float64(bias) / (2 * DRAWN_TO), -1, 1)
        _assert_even(name, np.sign(shares) * (2 * np.abs(shares) - shares**2), 1.0)

    forget_open = np.repeat([0.0, 1.0, 0.0, 0.0], UNITS)
    known = {"forget-open": forget_open, "zeros": np.zeros_like(forget_open)}
    return {key: partial(assert_equal, name, bias, value) for key, value in known.items()} | {"uniform": drawn}


def _assert_orthogonal(*kernels: Array) -> None:
    """Check that the rows of four kernels are orthogonal to the accuracy of float32."""
    found, expected = max(map(_from_orthogonal, kernels)), _rounding_of_orthogonal(kernels[0].shape)
    _require(
        found <= measured_bounds.FACTOR * expected, f"{found:.3g} from orthogonal, where float32 is {expected:.3g}"
    )


@cache
def _rounding_of_orthogonal(shape: tuple[int, int]) -> float:
    draws = [orthogonal(shape, number, np.float32) for number in range(measured_bounds.PERMUTATIONS)]
    return max(map(_from_orthogonal, draws))


def _from_orthogonal(kernel: Array) -> float:
    rows = to_float64(kernel)
    return root_mean_square(rows @ rows.T - np.eye(UNITS))


def _assert_directions_apart(name: str, gates: Sequence[Array]) -> None:
    """Check that no rows of two gates have nearly the same direction, or the opposite one.

    Rotating the rows of one gate changes neither of the two distributions. So the direction of a row is uniform,
    whatever the other gate is. In n dimensions its cosine to any vector exceeds t with a probability of at most
    exp(-n t^2 / 2) (Ball, "An elementary introduction to modern convex geometry", 1997, lemma 2.2). All pairs of rows
    are tested together (Bonferroni).
    """
    __tracebackhide__ = True
    smallest = np.finfo(np.float32).tiny
    directions = [gate / np.maximum(np.linalg.norm(gate, axis=1, keepdims=True), smallest) for gate in gates]
    cosines = {pair: float(np.abs(one @ other.T).max()) for pair, one, other in _gate_pairs(name, directions)}
    pair = max(cosines, key=cosines.__getitem__)
    probability = len(cosines) * UNITS**2 * 2 * math.exp(-UNITS * cosines[pair] ** 2 / 2)
    _require(
        probability > FALSE_ALARM,
        f"{pair} have rows with a cosine of {cosines[pair]:.3f}; independent ones have such rows with a probability of"
        f" at most {probability:.3g}",
    )


def _assert_even(what: str, values: Array, limit: float) -> None:
    """Check that the values are within the limit and uniformly distributed."""
    largest = np.abs(values).max()
    _require(largest <= limit * (1 + rounding.gamma(2)), f"{what} has {largest}")
    probability = chance_of_independent_draws(values, -limit, limit)
    _require(
        probability > FALSE_ALARM,
        f"{what}: independent uniform draws are as uneven, or as even, with a probability of {probability:.3g}",
    )


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - as of an assertion
    """Raise an error that a test reports as a failure.

    Raises:
        NonConformanceError: The condition does not hold.

    """
    __tracebackhide__ = True
    if not condition:
        raise NonConformanceError(message)


def assert_fully_resolved(name: str, kernel: Array) -> None:
    """Check that most elements have a unique value, unlike draws of 8 or 16 bits."""
    distinct = len(np.unique(kernel))
    _require(distinct > kernel.size / 2, f"the {kernel.size} elements of {name} have only {distinct} different values")


def assert_drawn_apart(kernels: Mapping[str, Array]) -> None:
    """Check that no two kernels, gates of the cell or rows of a kernel come from the same draws.

    The product of two independent draws from -1 to 1 has a mean of 0; the square of a draw has a mean of 1/3.
    Hoeffding's inequality ("Probability inequalities for sums of bounded random variables", 1963) bounds how far the
    mean of n such products may be from 0 by chance, for all pairs together (Bonferroni).

    Args:
        kernels: Glorot-uniform kernels by name.

    """
    scaled = {name: to_float64(value) / glorot_limit(*fans(value.shape)) for name, value in kernels.items()}
    _assert_products_near_0([*_pairs(scaled)])


def _assert_products_near_0(pairs: Sequence[tuple[str, Array, Array]]) -> None:
    """Check that the products of each pair of arrays, which are from -1 to 1, have a mean near 0."""
    for what, one, other in pairs:
        mean = float(np.mean(one * other))
        limit = math.sqrt(2 * math.log(2 / (FALSE_ALARM / len(pairs))) / one.size)
        _require(abs(mean) <= limit, f"{what} have products of {mean:.3f} on average, and independent ones of 0")


def _pairs(scaled: Mapping[str, Array]) -> Iterator[tuple[str, Array, Array]]:
    """Yield the pairs of arrays that might share their draws, with a description."""
    for (name, one), (other_name, other) in combinations(scaled.items(), 2):
        count = min(one.size, other.size)
        yield f"{name} and {other_name}", one.ravel()[:count], other.ravel()[:count]
        yield f"{name} and {other_name}, by columns,", one.T.ravel()[:count], other.ravel()[:count]
    yield from _gate_pairs("cell/kernel", np.split(scaled["cell/kernel"], GATES, axis=1))
    for name, kernel in scaled.items():
        for what, numbers in (("", kernel.ravel()), (", by columns,", kernel.T.ravel())):
            first, last = mirrored_halves(numbers)
            yield f"the beginning of {name} and its end{what}", first, last
        # A row of fewer elements has too little power.
        rows = kernel if kernel.shape[1] > kernel.shape[0] else kernel.T
        for number, (one, other) in enumerate(pairwise(rows)):
            yield f"rows {number} and {number + 1} of {name}", one, other


def _gate_pairs(name: str, gates: Sequence[Array]) -> Iterator[tuple[str, Array, Array]]:
    """Yield the pairs of gates of a kernel, with a description."""
    for (number, one), (other_number, other) in combinations(enumerate(gates), 2):
        yield f"gates {number} and {other_number} of {name}", one, other
