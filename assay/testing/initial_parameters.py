"""Assertions about initial parameters: the distribution of each kernel, and that no weight repeats another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise, product

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import rounding
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.models import MODELS
from assay.testing.assertions import assert_equal, assert_form, assert_within
from assay.testing.chances import chance_of_independent_draws
from assay.testing.draws import mirrored_halves
from assay.testing.thresholds import FALSE_ALARM, NORMAL

Parameters = Mapping[str, Array]

# Number of weights that are examined in a larger kernel, spread over all of it.
SAMPLE = 100_000
# The framework with the lowest resolution draws one of 2^23 numbers.
LEVELS = 2**23


def kernels_of(parameters: Parameters) -> dict[str, Array]:
    """Return the kernels of a model, by name."""
    return {name: value for name, value in parameters.items() if "kernel" in name}


def assert_glorot(name: str, kernel: Array, shape: tuple[int, ...]) -> None:
    """Check that a kernel is uniformly distributed over Glorot's interval.

    Args:
        name: Name of the kernel, for the message.
        kernel: Kernel of a new model.
        shape: Expected shape.

    Raises:
        NonConformanceError: The shape or the distribution differs.

    """
    __tracebackhide__ = True
    kernel = assert_form(name, kernel, shape)
    limit = glorot_limit(*fans(shape))
    assert_within(name, kernel, np.zeros(shape), limit * (1 + rounding.gamma(rounding.SQRT)))
    chance = chance_of_independent_draws(kernel.ravel(), -limit, limit)
    if not chance > FALSE_ALARM:
        msg = (
            f"{name}: the weights have another distribution than independent uniform draws between {-limit:.4g} and"
            f" {limit:.4g}: such draws are as uneven, or as even, with a probability of {chance:.3g}; the weights lie"
            f" between {kernel.min():.4g} and {kernel.max():.4g} with a standard deviation of {kernel.std():.4g},"
            f" expected {limit / 3**0.5:.4g}"
        )
        raise NonConformanceError(msg)


def assert_new(model: str, parameters: Parameters) -> None:
    """Check that parameters are those of a new model: Glorot-uniform kernels, and biases of 0.

    Raises:
        NonConformanceError: A kernel or a bias differs.

    """
    __tracebackhide__ = True
    for name, shape in MODELS[model].shapes.items():
        if name.endswith("kernel"):
            assert_glorot(name, parameters[name], shape)
        else:
            assert_equal(name, parameters[name], np.zeros(shape))


def assert_fine(parameters: Parameters) -> None:
    """Check the resolution of kernels: hardly any two weights of a kernel are equal.

    Raises:
        NonConformanceError: More weights are equal than in draws of 23 bits.

    """
    __tracebackhide__ = True
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else, and few processes need it

    for name, kernel in kernels_of(parameters).items():
        weights = _sample(kernel)
        repeated = len(weights) - len(np.unique(weights))
        # The number of pairs of equal draws, which is at least `repeated`, is nearly Poisson-distributed.
        most = int(stats.poisson.isf(FALSE_ALARM, len(weights) ** 2 / 2 / LEVELS))
        if repeated > most:
            msg = f"{name}: {repeated} of {len(weights)} weights repeat another one; draws of 23 bits repeat {most}"
            raise NonConformanceError(msg)


def assert_distinct(parameters: Parameters) -> None:
    """Check that no two rows, columns, filters or channels of a kernel are equal, apart from their signs.

    Raises:
        NonConformanceError: Two of them are equal.

    """
    __tracebackhide__ = True
    for name, kernel in kernels_of(parameters).items():
        for axis in range(kernel.ndim):
            slices = np.abs(np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1))
            # Two weights may be equal by chance, but not more.
            if slices.shape[1] < MANY:
                continue
            order = np.lexsort(slices[:, :MANY].T)
            equal = [pair for pair in pairwise(order.tolist()) if (slices[pair[0]] == slices[pair[1]]).all()]
            if equal:
                msg = f"{name}: the weights at {equal[0][0]} and at {equal[0][1]} along axis {axis} are the same"
                raise NonConformanceError(msg)


MANY = 8
# Number of weights that shows whether a kernel is made of the random numbers of another one.
MOST = 10_000
# Ways in which one stream of random numbers may fill two kernels: from the first, from the last, or by columns.
READINGS: tuple[Callable[[Array], Array], ...] = (
    np.ravel,
    lambda kernel: np.ravel(kernel)[::-1],
    lambda kernel: np.ravel(kernel, order="F"),
)


def assert_unrelated(parameters: Parameters) -> None:
    """Check that no kernel is made of the random numbers of another one, or of another part of itself.

    The former happens if several layers share a seed, the latter with antithetic pairs of draws.

    Raises:
        NonConformanceError: Two kernels or parts are correlated.

    """
    __tracebackhide__ = True
    kernels = kernels_of(parameters)
    read = {name: [reading(kernel)[:SAMPLE] for reading in READINGS] for name, kernel in kernels.items()}
    pairs = [
        (f"{one} and {other}", *numbers)
        for one, other in combinations(read, 2)
        for numbers in product(read[one], read[other])
    ]
    pairs += [(f"parts of {name}", *parts) for name, kernel in kernels.items() for parts in _parts(kernel)]
    _assert_uncorrelated(pairs)


def assert_unrelated_to(one: Parameters, other: Parameters) -> None:
    """Check that no kernel is made of the random numbers of a kernel by the next seed.

    That happens if a layer's seed is the sum of the model's seed and the index of the layer.

    Args:
        one: Parameters of a new model.
        other: Parameters of a new model by the next seed.

    Raises:
        NonConformanceError: Two kernels are correlated.

    """
    __tracebackhide__ = True
    pairs = [
        (f"{first} of a seed and {second} of the next", reading(left)[:MOST], reading(right)[:MOST])
        for (first, left), (second, right) in product(kernels_of(one).items(), kernels_of(other).items())
        for reading in READINGS
    ]
    _assert_uncorrelated(pairs)


def _assert_uncorrelated(pairs: Sequence[tuple[str, Array, Array]]) -> None:
    """Check the correlation of pairs of arrays, each with a description."""
    __tracebackhide__ = True
    for what, *numbers in pairs:
        count = min(map(len, numbers))
        correlation = np.corrcoef(numbers[0][:count], numbers[1][:count])[0, 1]
        # For independent draws it is about normal with a standard deviation of 1 / sqrt(n), with lighter tails.
        if not abs(correlation) < NORMAL.inv_cdf(1 - FALSE_ALARM / 2 / len(pairs)) / np.sqrt(count):
            msg = f"{what} are made of the same numbers: their correlation is {correlation:.4f}"
            raise NonConformanceError(msg)


def _parts(kernel: Array) -> Iterator[tuple[Array, Array]]:
    """Yield disjoint pairs of parts of a kernel that the same random numbers may have filled."""
    for order in ("C", "F"):
        numbers = np.ravel(kernel, order=order)
        first, last = mirrored_halves(numbers)
        yield first[:SAMPLE], last[:SAMPLE]
        yield first[:SAMPLE], last[::-1][:SAMPLE]
    *_, rows, columns = kernel.shape
    if rows == columns:
        upper = np.triu_indices(rows, 1)
        squares = kernel.reshape(-1, rows, columns)
        yield squares[:, upper[0], upper[1]].ravel()[:SAMPLE], squares[:, upper[1], upper[0]].ravel()[:SAMPLE]


def assert_all_differ(one: Parameters, other: Parameters, seeds: tuple[int, int]) -> None:
    """Check that two seeds give different weights in every kernel.

    Raises:
        NonConformanceError: More than half of a kernel is the same.

    """
    __tracebackhide__ = True
    for name, kernel in kernels_of(one).items():
        same = (kernel == other[name]).mean()
        # Draws agree in at most one of 2^23 weights. A kernel with half of its weights equal was not drawn again.
        if same > 1 / 2:
            msg = f"the seeds {seeds[0]} and {seeds[1]} give the same {name} in {same:.0%} of its weights"
            raise NonConformanceError(msg)


def _sample(kernel: Array) -> Array:
    weights = kernel.ravel()
    return weights[:: -(-len(weights) // SAMPLE)]
