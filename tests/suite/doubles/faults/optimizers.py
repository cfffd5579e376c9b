"""Faults of the steps of gradient descent and Adam."""

import numpy as np

from doubles.faulty import Fault
from doubles.kept_results import KeptForResults, keep_argument
from doubles.lost_remainders import leave_remainder
from doubles.memory_order import ignoring_gaps

FLOAT = np.float32


def uphill(sgd_step, parameter, gradient, learning_rate):
    """Follow the gradient."""
    return sgd_step(parameter, -gradient, learning_rate)


def gradients_clipped(sgd_step, parameter, gradient, learning_rate):
    """Keep gradients within 10,000."""
    return sgd_step(parameter, np.clip(gradient, -1e4, 1e4), learning_rate)


def rate_of_1_at_most(sgd_step, parameter, gradient, learning_rate):
    """Keep learning rates within 1."""
    return sgd_step(parameter, gradient, min(learning_rate, 1.0))


def with_momentum():
    """Return a fault that goes on in the direction of the step before."""
    velocities = {}

    def wrong(sgd_step, parameter, gradient, learning_rate):
        velocity = velocities.get(parameter.shape, 0) * FLOAT(0.9) + gradient
        velocities[parameter.shape] = velocity
        return sgd_step(parameter, velocity, learning_rate)

    return wrong


class Momentum:
    """Gradient descent with a momentum of each parameter that it has returned."""

    def __init__(self):
        """Start with nothing."""
        self._own = KeptForResults()

    def __call__(self, right, parameter, gradient, learning_rate):
        """Add nine tenths of the last step of this parameter."""
        step = right(np.zeros_like(parameter), gradient, learning_rate)
        step = step + np.float32(0.9) * self._own.of(parameter, np.float32(0))
        self._own.keep(parameter + step, step)
        return parameter + step


def large_epsilon(adam_step, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Add 1e-3 to the root instead of 1e-7."""
    before, first, second = adam_step(parameter, gradient, first_moment, second_moment, step, learning_rate)
    root = np.sqrt(second)
    moved = parameter + (before - parameter) * (root + 1e-7) / (root + 1e-3)
    return moved.astype(np.float32), first, second


def adam(arguments, *, epsilon=1e-7, after=False, correct=True):
    """Take a step of Adam with an epsilon, before or after the correction for bias, or without one."""
    parameter, gradient, first, second, step, rate = arguments
    first = FLOAT(0.9) * first + FLOAT(0.1) * gradient
    second = FLOAT(0.999) * second + FLOAT(0.001) * gradient * gradient
    one, two = (1 - 0.9**step, 1 - 0.999**step) if correct else (1, 1)
    root = np.sqrt(second) + FLOAT(epsilon * (np.sqrt(two) if after else 1))
    return (parameter - FLOAT(rate * np.sqrt(two) / one) * first / root).astype(FLOAT), first, second


def uncorrected_after_1000(_adam_step, *arguments):
    """Take the correction for 1 after step 1,000."""
    return adam(arguments, correct=arguments[4] <= 1000)


def step_of_8_bits(adam_step, *arguments):
    """Count steps up to 255."""
    return adam_step(*arguments[:4], arguments[4] % 256 or 256, arguments[5])


def rate_decays(adam_step, *arguments):
    """Lower the learning rate with every step."""
    return adam_step(*arguments[:5], arguments[5] / (1 + 1e-4 * (arguments[4] - 1)))


def elements_without_gradient_stay(adam_step, *arguments):
    """Update where the gradient is not 0."""
    after = adam_step(*arguments)
    old = arguments[0], *arguments[2:4]
    return tuple(np.where(arguments[1] != 0, one, other) for one, other in zip(after, old, strict=True))


def gradients_within_100(adam_step, *arguments):
    """Keep gradients within 100."""
    return adam_step(arguments[0], np.clip(arguments[1], -100, 100), *arguments[2:])


def epsilon_moves_with_the_step(_adam_step, *arguments):
    """Add epsilon elsewhere in the first step."""
    return adam(arguments, after=arguments[4] > 1)


def epsilon_moves_with_the_size(_adam_step, *arguments):
    """Add epsilon elsewhere for large parameters."""
    return adam(arguments, after=arguments[0].size > 1000)


def own_moments():
    """Return a fault that keeps the moments itself, by shape."""
    known = {}

    def wrong(adam_step, parameter, gradient, first, second, step, rate):
        if step > 1 and parameter.shape in known:
            first, second = known[parameter.shape]
        after = adam_step(parameter, gradient, first, second, step, rate)
        known[parameter.shape] = after[1:]
        return after

    return wrong


class LargestMoment:
    """AMSGrad: Adam divides by the largest second moment that a parameter has had."""

    def __init__(self):
        """Start with nothing."""
        self._own = KeptForResults()

    def __call__(self, right, parameter, gradient, first, second, step, learning_rate):
        """Shorten the step where the second moment was larger before."""
        after, first, second = right(parameter, gradient, first, second, step, learning_rate)
        largest = np.maximum(self._own.of(parameter, np.float32(0)), second)
        after = parameter + (after - parameter) * np.sqrt(second / np.maximum(largest, np.float32(1e-30)))
        self._own.keep(after, largest)
        return after, first, second


def square_gradient_transposed(adam_step, parameter, gradient, *others):
    """Read a square gradient that is not contiguous in the order of its memory."""
    square = gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1]
    return adam_step(parameter, gradient.T if square and not gradient.flags.c_contiguous else gradient, *others)


def no_bias_correction(_adam_step, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Use the moments of Adam as they are."""
    first = (0.9 * first_moment + 0.1 * gradient).astype(np.float32)
    second = (0.999 * second_moment + 0.001 * gradient**2).astype(np.float32)
    moved = parameter - learning_rate * first / (np.sqrt(second) + 1e-7)
    return moved.astype(np.float32), first, second


FAULTS = {
    "uphill": Fault("ops.sgd_step", "linear_model.sgd-step", "actual", uphill),
    "gradient_left_over": Fault("ops.sgd_step", "linear_model.sgd-any-shape", "differ", leave_remainder(256)),
    "sgd_gradients_clipped": Fault("ops.sgd_step", "linear_model.sgd-any-rate", "differ", gradients_clipped),
    "rate_of_1_at_most": Fault("ops.sgd_step", "linear_model.sgd-any-rate", "2.0)", rate_of_1_at_most),
    "with_momentum": Fault("ops.sgd_step", "linear_model.sgd-calls-are-independent", "call 2 of", with_momentum()),
    "sgd_rate_of_the_first_call": Fault(
        "ops.sgd_step", "linear_model.sgd-calls-are-independent", "0.02", keep_argument(2)
    ),
    "momentum_of_own_parameter": Fault(
        "ops.sgd_step", "linear_model.sgd-calls-are-independent", "step 2 of 3", Momentum()
    ),
    "gradient_of_rows_ignores_gaps": Fault(
        "ops.sgd_step", "linear_model.sgd-memory-order", "arrays cropped from larger ones", ignoring_gaps(1, rank=2)
    ),
    "large_epsilon": Fault("ops.adam_step", "training.adam-parameter", "the parameter after step", large_epsilon),
    "moments_left_over": Fault("ops.adam_step", "training.adam-any-shape", "differ", leave_remainder(1024)),
    "uncorrected_after_1000": Fault("ops.adam_step", "training.adam-any-step", "1001", uncorrected_after_1000),
    "step_of_8_bits": Fault("ops.adam_step", "training.adam-any-step", "500", step_of_8_bits),
    "rate_decays": Fault("ops.adam_step", "training.adam-any-step", "differ", rate_decays),
    "elements_without_gradient_stay": Fault(
        "ops.adam_step", "training.adam-any-gradient", "differ", elements_without_gradient_stay
    ),
    "gradients_within_100": Fault("ops.adam_step", "training.adam-any-gradient", "adam_step(", gradients_within_100),
    "epsilon_moves_with_the_step": Fault(
        "ops.adam_step", "training.adam-epsilon-place", "after-correction", epsilon_moves_with_the_step
    ),
    "epsilon_moves_with_the_size": Fault(
        "ops.adam_step", "training.adam-epsilon-place", "[1031]", epsilon_moves_with_the_size
    ),
    "own_moments": Fault("ops.adam_step", "training.adam-calls-are-independent", "in turn", own_moments()),
    "largest_moment_of_own_parameter": Fault(
        "ops.adam_step", "training.adam-calls-are-independent", "of 3, each from the last", LargestMoment()
    ),
    "square_gradient_transposed": Fault(
        "ops.adam_step", "training.adam-memory-order", "transposed", square_gradient_transposed
    ),
    "no_bias_correction": Fault(
        "ops.adam_step", "training.adam-bias-correction", "the length of the first step", no_bias_correction
    ),
}
