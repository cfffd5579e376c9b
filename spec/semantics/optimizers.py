"""What one step of the document's optimizers does. Every function keeps the floating-point type of its inputs."""

from __future__ import annotations

import numpy as np

from assay.spec.semantics.layers import Array

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7


def sgd_step(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """Go against the gradient (line 68)."""
    return parameter - parameter.dtype.type(learning_rate) * gradient


def adam_step(
    parameter: Array,
    gradient: Array,
    first_moment: Array,
    second_moment: Array,
    step: int,
    learning_rate: float,
    *,
    after_correction: bool = False,
) -> tuple[Array, Array, Array]:
    """One step of Adam (line 203), with the defaults of Keras.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015: algorithm 1 in the order of computation at
    the end of section 2, where epsilon (hat) joins the root of the uncorrected second moment. Added after that is
    corrected, as in algorithm 1 itself, epsilon is multiplied by the root of 1 - beta_2^t.

    Args:
        parameter: any shape, as the other arrays.
        gradient: of the loss.
        first_moment: before the step, zeros before the first one.
        second_moment: likewise.
        step: from 1.
        learning_rate: alpha.
        after_correction: whether epsilon is added as in algorithm 1.

    Returns:
        parameter, first_moment and second_moment after the step.

    """
    # In float32 the constants are rounded too, and what 1 - beta^t cancels is part of what float32 costs.
    number = parameter.dtype.type
    one, beta_1, beta_2 = number(1), number(BETA_1), number(BETA_2)
    first_moment = beta_1 * first_moment + number(1 - BETA_1) * gradient
    second_moment = beta_2 * second_moment + number(1 - BETA_2) * gradient**2
    rate = number(learning_rate) * np.sqrt(one - beta_2**step) / (one - beta_1**step)
    epsilon = number(EPSILON) * (np.sqrt(one - beta_2**step) if after_correction else one)
    parameter = parameter - rate * first_moment / (np.sqrt(second_moment) + epsilon)
    return parameter, first_moment, second_moment
