"""Steps of the document's optimizers. Every function keeps the floating-point type of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np

from assay.spec.semantics.layers import Array

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7


class Adam(Enum):
    """The forms of Adam, which differ in when epsilon is added to the root of the second moment.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015. The value of a form is its key among the results
    that a claim permits.

    Attributes:
        BEFORE_CORRECTION: Before bias correction, as at the end of section 2 and in Keras.
        AFTER_CORRECTION: After bias correction, as in algorithm 1.

    """

    BEFORE_CORRECTION = "before-correction"
    AFTER_CORRECTION = "after-correction"


def sgd_step(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """Step against the gradient (line 68)."""
    return parameter - parameter.dtype.type(learning_rate) * gradient


def adam_step(
    parameter: Array,
    gradient: Array,
    first_moment: Array,
    second_moment: Array,
    step: int,
    learning_rate: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> tuple[Array, Array, Array]:
    """Take one step of Adam (line 203), with the defaults of Keras.

    This is algorithm 1 of Kingma and Ba in the order of computation at the end of section 2, where epsilon (hat) is
    added to the root of the uncorrected second moment. In this order, an epsilon that belongs after the correction is
    multiplied by the root of 1 - beta_2^t.

    Args:
        parameter: Parameter of any shape; the other three arrays have the same shape.
        gradient: Gradient of the loss.
        first_moment: First moment before the step; zeros before the first step.
        second_moment: Second moment before the step.
        step: Number of the step, from 1.
        learning_rate: Step size `alpha`.
        adam: Form of Adam.

    Returns:
        Parameter, first_moment and second_moment after the step.

    """
    # In float32 the constants are rounded too, and the cancellation in 1 - beta^t is part of the rounding error.
    number = parameter.dtype.type
    one, beta_1, beta_2 = number(1), number(BETA_1), number(BETA_2)
    rate = number(learning_rate) * np.sqrt(one - beta_2**step) / (one - beta_1**step)
    epsilon = number(EPSILON) * (np.sqrt(one - beta_2**step) if adam is Adam.AFTER_CORRECTION else one)

    def update(parameter: Array, gradient: Array, first_moment: Array, second_moment: Array) -> tuple[Array, ...]:
        first_moment = beta_1 * first_moment + number(1 - BETA_1) * gradient
        second_moment = beta_2 * second_moment + number(1 - BETA_2) * gradient**2
        parameter = parameter - rate * first_moment / (np.sqrt(second_moment) + epsilon)
        return parameter, first_moment, second_moment

    return _in_parts(update, parameter, gradient, first_moment, second_moment)


# Number of elements whose intermediate results fit in the cache. Larger parts are up to three times slower.
PART = 1 << 14


def _in_parts(update: Callable[..., tuple[Array, ...]], *arrays: Array) -> tuple[Array, Array, Array]:
    """Apply an elementwise update to successive parts of the arrays."""
    shape, size = arrays[0].shape, arrays[0].size
    flat = [array.reshape(-1) for array in arrays]
    found = [update(*(array[start : start + PART] for array in flat)) for start in range(0, max(size, 1), PART)]
    parameter, first, second = (np.concatenate(parts).reshape(shape) for parts in zip(*found, strict=True))
    return parameter, first, second


def _sgd(
    parameter: Array, gradient: Array, first_moment: Array, second_moment: Array, *, learning_rate: float, **_: object
) -> tuple[Array, Array, Array]:
    return sgd_step(parameter, gradient, learning_rate), first_moment, second_moment


# Functions that take a step and update the moments, by name; plain gradient descent leaves these unchanged.
OPTIMIZERS: dict[str, Callable[..., tuple[Array, Array, Array]]] = {"sgd": _sgd, "adam": adam_step}
